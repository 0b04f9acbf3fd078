//! Slot `gate`: whether an agent's samples have work. Always.

fn mw_works(agent: u32) -> bool { return true; }
