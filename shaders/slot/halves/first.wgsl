//! Slot `halves`: how many columns of drawn observations there are before the step. All of them.

fn mw_drawn_size(columns: u32) -> u32 { return columns; }
