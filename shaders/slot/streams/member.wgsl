//! Slot `streams`: whose random numbers a world of an evaluation sees. All members of a population see the same, episode by
//! episode, or each its own.

fn mw_stream_of(world: u32) -> u32 {
    return select(mw_members.first * mw_members.episodes + world, world % mw_members.episodes, mw_members.common_ != 0u);
}
