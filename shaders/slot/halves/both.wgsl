//! Slot `halves`: how many columns of drawn observations there are before the step. As many as a minibatch has transitions, and as
//! many behind them.

@bind var<uniform> mw_replay: MwReplaySettings;

fn mw_drawn_size(columns: u32) -> u32 { return mw_replay.batch_size; }
