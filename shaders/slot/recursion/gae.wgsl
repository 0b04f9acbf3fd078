//! Slot `recursion`: generalised advantage estimation (Schulman et al. 2016), newest step first.
//!
//!   δ_t = r_t + γ v'_t − v_t     A_t = δ_t + γλ (1 − ended_t) A_{t+1}     target_t = A_t + v_t
//!
//! Reference: src/reference/gae.rs.

alias Along = f32;

fn mw_time(i: u32) -> u32 { return mw_run.num_steps - 1u - i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let step = mw_transition(agent, t, world, slot);
    let passed = select(mw_each[mw_own(agent)].gamma * mw_each[mw_own(agent)].gae_lambda, 0.0, step.ended);
    let residual = step.reward + mw_each[mw_own(agent)].gamma * step.next_value - step.value;
    return MwLink(MwAffine(passed, residual), vec2<f32>(step.value, residual));
}

fn mw_put(agent: u32, t: u32, world: u32, advantage: f32, kept: vec2<f32>) {
    mw_put_row(agent, MW_ROW_ADVANTAGE, t, world, advantage);
    mw_put_row(agent, MW_ROW_TARGET, t, world, advantage + kept.x);
}
