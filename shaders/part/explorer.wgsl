//! What a world keeps for the ring and for its noise: [agent][word][world].
//!
//! The first word is the place in the ring that the world writes next, and in its highest bit whether it began anew at the
//! front before. World 0's is the ring's head: all places before it are filled, and all behind it too once it began anew.

const MW_BEGAN_ANEW = 0x80000000u;

/// The place that a world writes next.
fn mw_next_place(agent: u32, world: u32, count: u32) -> u32 {
    return mw_explorers[agent * MW_EXPLORER_WORDS * count + world] & ~MW_BEGAN_ANEW;
}

/// Whether it began anew at the front before.
fn mw_began_anew(agent: u32, world: u32, count: u32) -> bool {
    return (mw_explorers[agent * MW_EXPLORER_WORDS * count + world] & MW_BEGAN_ANEW) != 0u;
}
