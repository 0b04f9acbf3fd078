//! Slot `look`: an observation is an array that the environment makes at once; it is walked by constants. Its numbers are
//! tested where it is made (part/sound.wgsl).

alias MwSeen = Observation;

fn mw_look(state: State) -> MwSeen {
    mw_spins = 0u;
    let seen = env_observe(state);
    @unroll for f in 0..MW_OBSERVATIONS { mw_test(f, seen[f]); }
    return seen;
}

/// Number f of the observation.
fn mw_seen(seen: MwSeen, f: u32) -> f32 { return seen[f]; }
