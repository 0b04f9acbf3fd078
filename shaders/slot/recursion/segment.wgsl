//! Slot `recursion`: what a step has from the beginning of its segment, oldest step first. A segment begins with an episode
//! or with the rollout.
//!
//!   R_t = target at the segment's first step (its whole return)     f_t = γ^k, k steps after the first
//!   Φ_t ← R_t where MW_TOTAL     Φ_t ← f_t Φ_t where MW_DISCOUNTED     Φ_t ← 0 behind the first segment where MW_FIRST
//!
//! Reference: src/reference/returns.rs.

alias Along = vec3<f32>;   // (R, f, 1 in the first segment)

fn mw_time(i: u32) -> u32 { return i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let begins = t == 0u || mw_samples[mw_step_at(agent, MW_ROW_ENDING, max(t, 1u) - 1u, world)] != 0u;
    let whole = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_TARGET, t, world)]);
    let weight = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_ADVANTAGE, t, world)]);
    let onward = MwAffine(vec3<f32>(1.0, mw_each[mw_own(agent)].gamma, 1.0), vec3<f32>(0.0));
    let first = MwAffine(vec3<f32>(0.0), vec3<f32>(whole, 1.0, select(0.0, 1.0, t == 0u)));
    var along = onward;
    if begins { along = first; }
    return MwLink(along, vec2<f32>(weight, 0.0));
}

fn mw_put(agent: u32, t: u32, world: u32, x: vec3<f32>, kept: vec2<f32>) {
    var weight = kept.x;
    if MW_TOTAL == 1u { weight = x.x; }
    if MW_DISCOUNTED == 1u { weight *= x.y; }
    if MW_FIRST == 1u { weight *= x.z; }
    mw_put_row(agent, MW_ROW_ADVANTAGE, t, world, weight);
}
