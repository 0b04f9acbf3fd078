//! Slot `direction`: the units of a layer from those below it.
//!
//!   u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! Entry f of the weights of a turn: row f % (MW_LAYER_ROWS / 4) · 4 + f / (MW_LAYER_ROWS / 4) of the block.

const MW_LAYER_BACKWARD = 0u;

fn mw_layer_turns() -> u32 { return mw_layer.depth; }
fn mw_layer_source(turn: u32) -> u32 { return mw_layer.from_ + turn; }

fn mw_layer_weight(agent: u32, turn: u32, vector: u32, f: u32) -> vec4<f32> {
    let row = min((vector + f % (MW_LAYER_ROWS / 4u)) * 4u + f / (MW_LAYER_ROWS / 4u), mw_layer.results * 4u - 1u);
    return mw_parameters[agent * mw_layer.parameters + mw_layer.weights + row * mw_layer.depth + turn];
}

fn mw_layer_begin(agent: u32, vector: u32) -> vec4<f32> {
    return mw_parameters[agent * mw_layer.parameters + mw_layer.biases + vector];
}

fn mw_layer_finish(row: u32, vector: u32, sum: vec4<f32>) -> vec4<f32> {
    if mw_layer.activated == 0u { return sum; }
    return vec4<f32>(mw_activation(sum.x), mw_activation(sum.y), mw_activation(sum.z), mw_activation(sum.w));
}
