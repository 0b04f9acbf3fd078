//! Slot `estimator`: the rollout itself, for values that are fitted to it. Rows: s_0, r_0, s_1, r_1, …; those of steps that
//! were not made keep what they held.

struct MwSums { nothing: f32 }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    mw_leave(made.agent, made.rollout, MW_OWN_ROWS + 2u * made.k, made.seen);
    mw_leave(made.agent, made.rollout, MW_OWN_ROWS + 2u * made.k + 1u, made.reward);
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {}
