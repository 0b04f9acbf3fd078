//! Slot `standing`: where an agent stood before the step. What is about to be written.

fn mw_standing(agent: u32) -> MwProgress { return mw_progress[agent]; }
