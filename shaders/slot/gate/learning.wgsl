//! Slot `gate`: whether an agent's samples have work. Until it has learned enough of them.

@bind var<storage, read> mw_progress: array<MwProgress>;

fn mw_works(agent: u32) -> bool { return mw_progress[agent].stopped == 0u; }
