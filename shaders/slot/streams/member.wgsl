//! Slot `streams`: whose random numbers a world of an evaluation sees. All members of a population see the same, episode by
//! episode, or each its own.

fn mw_stream_of(world: u32) -> u32 {
    return select(mw_members.first * mw_members.episodes + world, world % mw_members.episodes, mw_members.common_ != 0u);
}

/// Whether an invocation is done when its worlds have ended: it runs its network alone.
fn mw_may_leave(running: bool) -> bool { return !running; }
