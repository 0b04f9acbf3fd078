//! Slot `look`: an observation is large; the environment makes one number of it at a time, in a loop, and each is tested then
//! (part/sound.wgsl).

alias MwSeen = State;

fn mw_look(state: State) -> MwSeen { return state; }

/// Number f of the observation.
fn mw_seen(seen: MwSeen, f: u32) -> f32 {
    mw_spins = 0u;
    let value = env_feature(seen, f);
    mw_test(f, value);
    return value;
}
