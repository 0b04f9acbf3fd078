//! The value of a state at a step of the rollout, exact or fitted.
//!
//!   V_k(s) = c₀ + c₁ s + c₂ s²      0 once the rollout is over

@bind var<storage, read> mw_values: array<f32>;    // [agent][step][coefficient]

fn mw_state_value(agent: u32, k: u32, s: f32) -> f32 {
    let at = (agent * mw_estimate.depth + k) * 3u;
    return fma(fma(mw_values[at + 2u], s, mw_values[at + 1u]), s, mw_values[at]);
}

/// V_k(s_k)
fn mw_value_before(made: MwMade) -> f32 { return mw_state_value(made.agent, made.k, made.seen); }

/// V_{k+1}(s_{k+1})
fn mw_value_after(made: MwMade) -> f32 {
    let last = mw_estimate.depth - 1u;
    return select(0.0, mw_state_value(made.agent, min(made.k + 1u, last), made.next), made.goes_on);
}
