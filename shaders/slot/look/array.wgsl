//! Slot `look`: an observation is an array that the environment makes at once; it is walked by constants.

alias MwSeen = Observation;

fn mw_look(state: State) -> MwSeen {
    mw_spins = 0u;
    return env_observe(state);
}

/// Number f of the observation.
fn mw_seen(seen: MwSeen, f: u32) -> f32 { return seen[f]; }
