//! Slot `recursion`: importance weights up to a step, oldest step first.
//!
//!   L_t = log ρ_t + L_{t−1} within a segment (MW_PRODUCT), or log ρ_t alone     Φ_t ← e^{L_t} Φ_t where MW_WEIGHS
//!
//! Reference: src/reference/importance.rs.

alias Along = f32;

fn mw_time(i: u32) -> u32 { return i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let begins = t == 0u || mw_samples[mw_step_at(agent, MW_ROW_ENDING, max(t, 1u) - 1u, world)] != 0u;
    let log_ratio = mw_importance[mw_importance_at(agent, t, world)];
    let phi = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_ADVANTAGE, t, world)]);
    return MwLink(MwAffine(select(1.0, 0.0, begins || MW_PRODUCT == 0u), log_ratio), vec2<f32>(phi, 0.0));
}

fn mw_put(agent: u32, t: u32, world: u32, log_weight: f32, kept: vec2<f32>) {
    mw_importance[mw_importance_at(agent, t, world)] = log_weight;
    if MW_WEIGHS == 1u { mw_weigh(agent, t, world, kept.x, log_weight); }
}
