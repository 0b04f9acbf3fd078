//! Slot `pathwise`: an action as a function of the policy's outputs and of noise, and the way back. The outputs, held to the
//! bounds; the noise has no part in it, and log π = 0 stands for a density that there is not.
//!
//! Reference: src/reference/off_policy.rs.

struct MwPathwise { action: array<Lane, MW_ACTS>, log_prob: Lane }

fn mw_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>) -> MwPathwise {
    let bounded = mw_bounded(mw_dist_mode(dist));
    var path: MwPathwise;
    @unroll for i in 0..MW_ACTS { path.action[i] = bitcast<Lane>(bounded[i]); }
    return path;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>, d_action: array<Lane, MW_ACTS>, d_log_prob: Lane,
                 temperature: f32) -> array<Lane, MW_OUTPUTS> {
    var d_output: array<Lane, MW_OUTPUTS>;
    @unroll for i in 0..MW_ACTS { d_output[i] = mw_d_bounded(d_action[i], dist.mean[i], i); }
    return d_output;
}
