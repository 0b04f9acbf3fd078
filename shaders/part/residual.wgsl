//! The residual of a step, and how much of the next step's advantage it passes on.
//!
//!   δ_t = r_t + γ v'_t − v_t          v' is 0 after termination, V(final observation) after truncation (0 without
//!                                     `bootstrap`), V of the observation after the rollout behind the last step
//!   c_t = γλ (1 − ended_t)

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_final_values: array<u32>;       // [agent][slot][world], V of the kept observations
@bind var<storage, read_write> mw_samples: array<u32>;      // [agent][row][step][world]

/// Place of a row of a step of a world.
fn mw_step_at(agent: u32, row: u32, t: u32, world: u32) -> u32 {
    return (agent * MW_ROWS + row) * mw_run.batch_size + t * mw_run.num_envs + world;
}

/// Whether the final observation of a step was kept, in the world's next slot.
fn mw_kept(agent: u32, t: u32, world: u32) -> bool {
    return mw_samples[mw_step_at(agent, MW_ROW_ENDING, t, world)] == MW_TRUNCATED;
}

/// (δ_t, c_t, v_t); `slot` is that of the step's final observation, if one was kept.
fn mw_residual(agent: u32, t: u32, world: u32, slot: u32) -> vec3<f32> {
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
    let passed = select(mw_run.gamma * mw_run.gae_lambda, 0.0, ending != 0u);
    return vec3<f32>(reward + mw_run.gamma * next_value - value, passed, value);
}

/// Writes advantage and target of a step.
fn mw_put_advantage(agent: u32, t: u32, world: u32, advantage: f32, value: f32) {
    mw_samples[mw_step_at(agent, MW_ROW_ADVANTAGE, t, world)] = bitcast<u32>(advantage);
    mw_samples[mw_step_at(agent, MW_ROW_TARGET, t, world)] = bitcast<u32>(advantage + value);
}
