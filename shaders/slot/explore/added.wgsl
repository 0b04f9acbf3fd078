//! Slot `explore`: what worlds do with an actor's distribution. Noise is added to its action, and the sum held to the bounds:
//! normal numbers, or an Ornstein-Uhlenbeck process of each world (Uhlenbeck & Ornstein 1930; Lillicrap et al. 2016), which
//! begins with the episode at 0.
//!
//!   a ← clamp(a + σ (high − low)/2 · x, low, high)      x = n, or x ← x − θ x Δt + √Δt n

fn mw_explore(dist: MwDistribution, key: vec2<u32>, world: u32, step: u32, memory: ptr<function, array<Lane, MW_ACTS>>)
    -> array<u32, MW_ACTION_WORDS> {
    let noise = mw_exploring_noise(key, world, step);
    let action = mw_pathwise(dist, noise).action;
    var words: array<u32, MW_ACTION_WORDS>;
    @unroll for i in 0..MW_ACTS {
        var x = noise[i];
        if i < MW_PROCESSES {
            x = fma(sqrt(mw_replay.ou_dt), x, (*memory)[i] * (1.0 - mw_replay.ou_theta * mw_replay.ou_dt));
            (*memory)[i] = x;
        }
        let moved = fma(MW_HALVES[i] * mw_replay.exploration_noise, x, action[i]);
        words[i] = bitcast<u32>(clamp(moved, MW_LOW[i], MW_HIGH[i]));
    }
    return words;
}
