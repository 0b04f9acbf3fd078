//! The shader files, built into the library.

macro_rules! parts {
    ($($path:literal)*) => { &[$(($path, include_str!(concat!("../../shaders/", $path))),)*] };
}

/// Path under `shaders/` and text of every file. `tests/shaders.rs` checks that none is missing.
pub(super) const PARTS: &[(&str, &str)] = parts! {
    "adam.wgsl"
    "advance.wgsl"
    "env/cartpole.wgsl"
    "evaluate.wgsl"
    "finish_update.wgsl"
    "gae.wgsl"
    "gradient.wgsl"
    "part/categorical.wgsl"
    "part/math.wgsl"
    "part/minibatch.wgsl"
    "part/mlp.wgsl"
    "part/mlp_backward.wgsl"
    "part/permute.wgsl"
    "part/random.wgsl"
    "part/thread.wgsl"
    "part/world.wgsl"
    "reduce.wgsl"
    "reset.wgsl"
    "rollout.wgsl"
    "slot/activation/relu.wgsl"
    "slot/activation/tanh.wgsl"
    "slot/element/moments.wgsl"
    "slot/element/sum.wgsl"
    "slot/element/terms.wgsl"
    "slot/keep/none.wgsl"
    "slot/keep/trace.wgsl"
    "slot/lane/four.wgsl"
    "slot/lane/one.wgsl"
    "slot/objective/ppo_clip.wgsl"
    "slot/objective/value.wgsl"
    "slot/share/plain.wgsl"
    "slot/share/subgroup.wgsl"
    "slot/source/advantages.wgsl"
    "slot/source/partials.wgsl"
    "slot/source/residuals.wgsl"
    "slot/source/targets.wgsl"
    "slot/source/terms.wgsl"
    "sum_slices.wgsl"
    "value.wgsl"
    "weight_gradient.wgsl"
};
