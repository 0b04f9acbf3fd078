//! What changes with the number of the update alone, where agents learn from a ring: for the update that comes next. One
//! thread = one agent.
//!
//!   learning rate of update u = α (1 − u / num_updates) when anneal_lr is set, else α      u counts from 0
//!   temperature T of update u = T₀ + (T₁ − T₀) u / num_updates

@bind var<uniform> mw_run: MwRun;                              // of the actor
@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]
@bind var<storage, read_write> mw_critic_progress: array<MwProgress>;  // [agent][critic]

@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>) {
    let agent = group.z;
    let share = min(1.0, f32(mw_progress[agent].update) / f32(mw_run.num_updates));
    mw_progress[agent].gumbel_temperature = mix(mw_replay.first_temperature, mw_replay.last_temperature, share);
    if (mw_run.anneal & 1u) == 0u { return; }
    mw_progress[agent].learning_rate = mw_each[mw_own(agent)].learning_rate * (1.0 - share);
    @unroll for j in 0..MW_CRITICS {
        mw_critic_progress[agent * MW_CRITICS + j].learning_rate = mw_replay.critic_rate * (1.0 - share);
    }
}
