//! Slot `smoothing`: what a target does to its action before critics see it. Clipped noise (Fujimoto et al. 2018), in units
//! of half the range of each number.
//!
//!   a ← clamp(a + (high − low)/2 · clamp(σ n, ±noise_clip), low, high)

fn mw_smoothed(action: array<Lane, MW_ACTS>, noise: array<Lane, MW_NOISE>) -> array<Lane, MW_ACTS> {
    let limit = Lane(mw_replay.noise_clip);
    var smoothed: array<Lane, MW_ACTS>;
    @unroll for i in 0..MW_ACTS {
        let moved = fma(Lane(MW_HALVES[i]), clamp(mw_replay.policy_noise * noise[i], -limit, limit), action[i]);
        smoothed[i] = clamp(moved, Lane(MW_LOW[i]), Lane(MW_HIGH[i]));
    }
    return smoothed;
}
