//! What an optimiser keeps of earlier gradients (slot `optimizer`).

@bind var<storage, read_write> mw_past: array<vec4<f32>>;             // [agent][m, v][MW_LEARNED / 4]

struct MwPast { m: vec4<f32>, v: vec4<f32> }

/// Where vec4 `place` of the parameters goes with this gradient, by a step of size 1.
fn mw_step(agent: u32, place: u32, g: vec4<f32>, correction: vec2<f32>) -> vec4<f32> {
    let m_at = 2u * agent * MW_LEARNED / 4u + place;
    let v_at = m_at + MW_LEARNED / 4u;
    let past = mw_remember(MwPast(mw_past[m_at], mw_past[v_at]), g);
    mw_past[m_at] = past.m;
    mw_past[v_at] = past.v;
    return mw_direction(past, g, correction);
}
