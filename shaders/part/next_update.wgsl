//! Where an agent stands at the beginning of the next update.

fn mw_next_update(agent: u32, done: MwProgress) -> MwProgress {
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
    return mw_scheduled(agent, progress);
}
