//! What changes with the number of the update alone.
//!
//!   learning rate of update u = α (1 − u / num_updates) when anneal_lr is set, else α      u counts from 0
//!   clip range ε of update u = ε (1 − u / num_updates) when anneal_clip is set, else ε

fn mw_scheduled(agent: u32, at: MwProgress) -> MwProgress {
    var progress = at;
    progress.learning_rate = mw_each[mw_own(agent)].learning_rate;
    progress.clip_coef = mw_each[mw_own(agent)].clip_coef;
    let left = max(0.0, 1.0 - f32(progress.update) / f32(mw_run.num_updates));
    if (mw_run.anneal & 1u) != 0u { progress.learning_rate *= left; }
    if (mw_run.anneal & 2u) != 0u { progress.clip_coef *= left; }
    return progress;
}
