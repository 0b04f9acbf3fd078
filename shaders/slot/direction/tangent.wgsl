//! Slot `direction`: how the units of a layer change in a direction of the parameters, behind slot `direction`: forward.
//!
//!   u̇_{l+1} = φ'(u_{l+1}) ⊙ (V_l u_l + c_l + W_l u̇_l)     u̇₀ = 0
//!
//! Tangents wait where the deltas of a backward pass go, which are made when they are of no more use. The first turns take V and
//! u, the others, but for the inputs, W and u̇. Entries as in `forward.wgsl`.

@bind var<storage, read> mw_direction: array<vec4<f32>>;               // [agent][mw_layer.learned]

const MW_LAYER_BACKWARD = 0u;

fn mw_layer_turns() -> u32 { return mw_layer.depth * select(1u, 2u, mw_layer.tangents > 0u); }

fn mw_layer_source(turn: u32) -> u32 {
    return select(mw_layer.from_ + turn, mw_layer.tangents + turn - mw_layer.depth, turn >= mw_layer.depth);
}

fn mw_layer_weight(agent: u32, turn: u32, vector: u32, f: u32) -> vec4<f32> {
    let row = min((vector + f % (MW_LAYER_ROWS / 4u)) * 4u + f / (MW_LAYER_ROWS / 4u), mw_layer.results * 4u - 1u);
    let at = mw_layer.weights + row * mw_layer.depth + turn % mw_layer.depth;
    if turn >= mw_layer.depth { return mw_parameters[agent * mw_layer.parameters + at]; }
    return mw_direction[agent * mw_layer.learned + at];
}

fn mw_layer_begin(agent: u32, vector: u32) -> vec4<f32> {
    return mw_direction[agent * mw_layer.learned + mw_layer.biases + vector];
}

fn mw_layer_finish(row: u32, vector: u32, sum: vec4<f32>) -> vec4<f32> {
    if mw_layer.activated == 0u { return sum; }
    let u = mw_trace[row + mw_layer.units + vector];
    return sum * vec4<f32>(mw_d_activation(u.x), mw_d_activation(u.y), mw_d_activation(u.z), mw_d_activation(u.w));
}
