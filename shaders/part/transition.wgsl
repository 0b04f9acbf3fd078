//! A step of a world as returns and advantages see it.
//!
//!   v'_t   0 after termination, V(final observation) after truncation (0 without `bootstrap`), V of the observation
//!          after the rollout behind the last step

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_final_values: array<u32>;       // [agent][slot][world], V of the kept observations
@bind var<storage, read_write> mw_samples: array<u32>;      // [agent][row][step][world]

struct MwTransition {
    reward: f32,
    value: f32,        // v_t
    next_value: f32,   // v'_t
    ended: bool,       // the episode; nothing of the next one reaches back
}

/// Place of a row of a step of a world.
fn mw_step_at(agent: u32, row: u32, t: u32, world: u32) -> u32 {
    return (agent * MW_ROWS + row) * mw_run.batch_size + t * mw_run.num_envs + world;
}

/// Whether the final observation of a step was kept, in the world's next slot.
fn mw_kept(agent: u32, t: u32, world: u32) -> bool {
    return mw_samples[mw_step_at(agent, MW_ROW_ENDING, t, world)] == MW_TRUNCATED;
}

/// Step t; `slot` is that of its final observation, if one was kept.
fn mw_transition(agent: u32, t: u32, world: u32, slot: u32) -> MwTransition {
    let ending = mw_samples[mw_step_at(agent, MW_ROW_ENDING, t, world)];
    let last = t + 1u == mw_run.num_steps;
    let reward = mw_reward(agent, bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_REWARD, t, world)]));
    let value = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_VALUE, t, world)]);
    var next_value = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_VALUE, min(t + 1u, mw_run.num_steps - 1u), world)]);
    if last || ending == MW_TRUNCATED {
        let place = select(mw_run.bootstrap_slots - 1u, slot, ending == MW_TRUNCATED);
        next_value = bitcast<f32>(mw_final_values[(agent * mw_run.bootstrap_slots + place) * mw_run.num_envs + world]);
    }
    let cut = (ending & MW_TERMINATED) != 0u || (ending == MW_TRUNCATED && mw_run.bootstrap == 0u);
    if cut { next_value = 0.0; }
    return MwTransition(reward, value, next_value, ending != 0u);
}

/// Writes a row of a step.
fn mw_put_row(agent: u32, row: u32, t: u32, world: u32, value: f32) {
    mw_samples[mw_step_at(agent, row, t, world)] = bitcast<u32>(value);
}
