//! Slot `recursion`: returns, newest step first, and what the policy gradient takes from them.
//!
//!   G_t = r_t + γ G_{t+1}, cut where the episode ends and after the rollout     target_t = G_t
//!   behind a cut: 0, or γ v'_t where MW_BOOTSTRAPS
//!   Φ_t = G_t, or G_t − v_t (MW_PHI = 1), or the residual r_t + γ v'_t − v_t (MW_PHI = 2)
//!
//! Without a critic (MW_CRITIC = 0) values are written as 0.
//! Reference: src/reference/returns.rs.

alias Along = f32;

fn mw_time(i: u32) -> u32 { return mw_run.num_steps - 1u - i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let step = mw_transition(agent, t, world, slot);
    let cut = step.ended || t + 1u == mw_run.num_steps;
    var reward = step.reward;
    if MW_BOOTSTRAPS == 1u && cut { reward += mw_each[mw_own(agent)].gamma * step.next_value; }
    let residual = step.reward + mw_each[mw_own(agent)].gamma * step.next_value - step.value;
    return MwLink(MwAffine(select(mw_each[mw_own(agent)].gamma, 0.0, cut), reward), vec2<f32>(step.value, residual));
}

fn mw_put(agent: u32, t: u32, world: u32, return_: f32, kept: vec2<f32>) {
    var weight = return_;
    if MW_PHI == 1u { weight = return_ - kept.x; }
    if MW_PHI == 2u { weight = kept.y; }
    mw_put_row(agent, MW_ROW_ADVANTAGE, t, world, weight);
    mw_put_row(agent, MW_ROW_TARGET, t, world, return_);
    if MW_CRITIC == 0u { mw_put_row(agent, MW_ROW_VALUE, t, world, 0.0); }
}
