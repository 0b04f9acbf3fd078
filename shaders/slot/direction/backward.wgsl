//! Slot `direction`: the deltas of a layer's units from those of the layer above.
//!
//!   δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}     no φ' for the inputs
//!
//! Entry f of the weights of a turn: of its four rows the one f / (MW_LAYER_ROWS / 4), vec4 f % (MW_LAYER_ROWS / 4) of the block.

const MW_LAYER_BACKWARD = 1u;

fn mw_layer_turns() -> u32 { return mw_layer.depth; }
fn mw_layer_source(turn: u32) -> u32 { return mw_layer.from_ + turn; }

fn mw_layer_weight(agent: u32, turn: u32, vector: u32, f: u32) -> vec4<f32> {
    let row = turn * 4u + f / (MW_LAYER_ROWS / 4u);
    let column = min(vector + f % (MW_LAYER_ROWS / 4u), mw_layer.results - 1u);
    return mw_parameters[agent * mw_layer.parameters + mw_layer.weights + row * mw_layer.results + column];
}

fn mw_layer_begin(agent: u32, vector: u32) -> vec4<f32> { return vec4<f32>(0.0); }

fn mw_layer_finish(row: u32, vector: u32, sum: vec4<f32>) -> vec4<f32> {
    if mw_layer.activated == 0u { return sum; }
    let u = mw_trace[row + mw_layer.units + vector];
    return sum * vec4<f32>(mw_d_activation(u.x), mw_d_activation(u.y), mw_d_activation(u.z), mw_d_activation(u.w));
}
