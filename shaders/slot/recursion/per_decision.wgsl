//! Slot `recursion`: returns whose rewards are each weighted by what led to them (Precup et al. 2000), newest step first.
//!
//!   Φ_t = Σ_{k≥t} γ^{k−t} w_k r_k within the segment, w_k = e^{L_k} (`ratio.wgsl`)
//!
//! Reference: src/reference/importance.rs.

alias Along = f32;

fn mw_time(i: u32) -> u32 { return mw_run.num_steps - 1u - i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let step = mw_transition(agent, t, world, slot);
    let weight = mw_weight(agent, world, mw_importance[mw_importance_at(agent, t, world)]);
    let cut = step.ended || t + 1u == mw_run.num_steps;
    return MwLink(MwAffine(select(mw_each[mw_own(agent)].gamma, 0.0, cut), weight * step.reward), vec2<f32>(weight, 0.0));
}

fn mw_put(agent: u32, t: u32, world: u32, return_: f32, kept: vec2<f32>) {
    mw_importance[mw_importance_at(agent, t, world)] = kept.x;
    mw_put_row(agent, MW_ROW_ADVANTAGE, t, world, return_);
}
