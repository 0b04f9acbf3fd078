//! Slot `estimator`: nothing but the return, for estimators that move θ instead of asking for scores.

struct MwSums { nothing: f32 }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {}
