//! Slot `standing`: where an agent stood before the step. A copy (slot `beside`), so that one workgroup can write where it stands now
//! while others still come to theirs.

@bind var<storage, read> mw_progress_before: array<MwProgress>;     // [agent]

fn mw_standing(agent: u32) -> MwProgress { return mw_progress_before[agent]; }
