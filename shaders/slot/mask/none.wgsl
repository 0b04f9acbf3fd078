//! Slot `mask`: every action is allowed always.

fn mw_masked(logit: Lane, choice: u32, v: u32) -> Lane { return logit; }
