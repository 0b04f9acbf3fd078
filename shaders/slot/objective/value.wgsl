//! Slot `objective`: the error of the value (part/value_loss.wgsl).

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) { mw_value_loss(thread, samples, mine); }
