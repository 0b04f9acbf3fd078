//! What holds for an agent of its own, where agents of a launch have different numbers; else there is one entry for all.

@bind var<uniform> mw_each: array<MwRun, MW_RUNS>;      // [agent], or one

/// The entry of an agent.
fn mw_own(agent: u32) -> u32 { return min(agent, MW_RUNS - 1u); }
