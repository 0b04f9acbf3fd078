//! Slot `normalise`: networks see observations as they are.

fn mw_normalised(agent: u32, f: u32, x: Lane) -> Lane { return x; }
