//! Slot `recursion`: the importance weight of a whole segment for each of its steps, newest step first.
//!
//!   Φ_t ← e^{L} Φ_t, L that of the segment's last step (`ratio.wgsl`)
//!
//! Reference: src/reference/importance.rs.

alias Along = f32;

fn mw_time(i: u32) -> u32 { return mw_run.num_steps - 1u - i; }

fn mw_link(agent: u32, t: u32, world: u32, slot: u32) -> MwLink {
    let ends = t + 1u == mw_run.num_steps || mw_samples[mw_step_at(agent, MW_ROW_ENDING, t, world)] != 0u;
    let phi = bitcast<f32>(mw_samples[mw_step_at(agent, MW_ROW_ADVANTAGE, t, world)]);
    var along = mw_identity();
    if ends { along = MwAffine(0.0, mw_importance[mw_importance_at(agent, t, world)]); }
    return MwLink(along, vec2<f32>(phi, 0.0));
}

fn mw_put(agent: u32, t: u32, world: u32, log_weight: f32, kept: vec2<f32>) {
    mw_weigh(agent, t, world, kept.x, log_weight);
}
