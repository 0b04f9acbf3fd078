//! Slot `smoothing`: what a target does to its action before critics see it. Nothing.

fn mw_smoothed(action: array<Lane, MW_ACTS>, noise: array<Lane, MW_NOISE>) -> array<Lane, MW_ACTS> { return action; }
