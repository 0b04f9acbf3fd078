//! What changes with the number of the update alone, where transitions are replayed. Of the actor and its critics.
//!
//!   learning rate of update u = α (1 − u / num_updates) when anneal_lr is set, else α      u counts from 0
//!   temperature T of update u = T₀ + (T₁ − T₀) u / num_updates

fn mw_schedule_block(agent: u32) {
    let share = min(1.0, f32(mw_progress[agent].update) / f32(mw_run.num_updates));
    mw_progress[agent].gumbel_temperature = mix(mw_replay.first_temperature, mw_replay.last_temperature, share);
    if mw_run.anneal_lr == 0u { return; }
    mw_progress[agent].learning_rate = mw_run.learning_rate * (1.0 - share);
    @unroll for j in 0..MW_TWINS {
        mw_critic_progress[agent * MW_TWINS + j].learning_rate = mw_replay.critic_rate * (1.0 - share);
    }
}
