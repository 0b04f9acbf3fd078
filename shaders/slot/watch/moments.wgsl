//! Slot `watch`: what is counted of the observations of an evaluation. Their moments, of each feature in each world, in sums of
//! differences to the running mean.

@bind var<storage, read_write> mw_watched: array<vec4<f32>>;   // [agent][feature][world] (n, mean, M2, 0)

var<private> mw_watch_count: f32;
var<private> mw_watch_sums: array<f32, MW_INPUTS>;
var<private> mw_watch_squares: array<f32, MW_INPUTS>;

/// Number f of an observation, less the running mean.
fn mw_watch(f: u32, d: f32) {
    mw_watch_count += select(0.0, 1.0, f == 0u);
    mw_watch_sums[f] += d;
    mw_watch_squares[f] = fma(d, d, mw_watch_squares[f]);
}

/// Leaves the moments of a world of the window, joined to those of the dispatches before unless it is the first.
fn mw_watch_store(agent: u32, world: u32, first: bool) {
    let n = mw_watch_count;
    for (var f = 0u; f < MW_INPUTS; f++) {
        let running = mw_parameters[agent * (MW_AGENT_PARAMETERS / 4u) + MW_AGENT_NORMALISER + f].x;
        let mean = mw_watch_sums[f] / max(n, 1.0);
        let now = Element(n, running + mean, max(fma(-n * mean, mean, mw_watch_squares[f]), 0.0), 0.0);
        let at = (agent * MW_INPUTS + f) * mw_members.all + mw_members.first * mw_members.episodes + world;
        if first { mw_watched[at] = now; } else { mw_watched[at] = mw_combine(mw_watched[at], now); }
    }
}
