//! Where an agent stands at the beginning of the next update.
//!
//!   learning rate of update u = α (1 − u / num_updates) when anneal_lr is set, else α      u counts from 0
//!   clip range ε of update u = ε (1 − u / num_updates) when anneal_clip is set, else ε

fn mw_next_update(done: MwProgress) -> MwProgress {
    var progress = done;
    progress.update += 1u;
    progress.epoch = 0u;
    progress.minibatch = 0u;
    progress.stopped = 0u;
    progress.fault = 0u;
    progress.minibatches = 0u;
    progress.policy_loss = 0.0;
    progress.value_loss = 0.0;
    progress.entropy = 0.0;
    progress.clip_fraction = 0.0;
    progress.grad_norm = 0.0;
    progress.learning_rate = mw_run.learning_rate;
    progress.clip_coef = mw_run.clip_coef;
    let left = max(0.0, 1.0 - f32(progress.update) / f32(mw_run.num_updates));
    if mw_run.anneal_lr != 0u { progress.learning_rate *= left; }
    if mw_run.anneal_clip != 0u { progress.clip_coef *= left; }
    return progress;
}
