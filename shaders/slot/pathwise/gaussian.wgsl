//! Slot `pathwise`: an action as a function of the policy's outputs and of noise, and the way back (Haarnoja et al. 2018).
//! Noise are normal numbers n, and u is drawn as slot `distribution` draws it, with deviations that are outputs.
//!
//!   u = μ + s n      a = bounded(u)      log π = Σ −½ n² − log s − ½ log 2π − log slope(u)
//!
//! Slope is that of the map into bounds 2 apart, so that units do not matter. With n held: ∂u/∂μ = 1, ∂u/∂ log s = s n, and
//! log π has −1 more by log s. Reference: src/reference/off_policy.rs.

struct MwPathwise { action: array<Lane, MW_ACTS>, log_prob: Lane }

fn mw_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>) -> MwPathwise {
    let u = mw_dist_draw(dist, noise);
    let bounded = mw_bounded(u);
    var path: MwPathwise;
    @unroll for i in 0..MW_ACTS {
        path.action[i] = bitcast<Lane>(bounded[i]);
        path.log_prob += mw_log_normal(noise[i], dist.deviation.log_std[i]);
    }
    path.log_prob -= mw_log_slopes(u);
    return path;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>, d_action: array<Lane, MW_ACTS>, d_log_prob: Lane,
                 temperature: f32) -> array<Lane, MW_OUTPUTS> {
    let drawn = mw_dist_draw(dist, noise);
    var d_output: array<Lane, MW_OUTPUTS>;
    @unroll for i in 0..MW_ACTS {
        let u = bitcast<Lane>(drawn[i]);
        let d_u = mw_d_squashed_mean(mw_d_bounded(d_action[i], u, i), -d_log_prob, u);
        let d_log_std = fma(d_u, mw_lane_exp(dist.deviation.log_std[i]) * noise[i], -d_log_prob);
        d_output[i] = d_u;
        d_output[MW_ACTS + i] = mw_d_deviation(dist.deviation, d_log_std, i);
    }
    return d_output;
}
