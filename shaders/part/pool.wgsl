//! Worlds that the caller steps: what of a world they need, and where their numbers lie.
//!
//! Beside the state that is a single vector,
//!
//!   (how the last step ended | loop that was cut short · 2¹⁶, steps of the episode, steps, episodes begun)
//!
//! where other worlds have the return of the episode and the same three (part/world.wgsl). Nobody asks a pool for returns, and on
//! processors that emulate a GPU every word that is loaded or stored counts (benches/NOTES.md).

@bind var<uniform> mw_pool: MwPool;

/// A world; how its last step ended is in the place of its fault. Of a loop that its first reset cut short its fault tells
/// (reset.wgsl), which no pool changes.
fn mw_pool_load(index: u32) -> MwWorld {
    let beside = mw_world[(MW_STATE_VECTORS + 1u) * mw_pool.count + index];
    let state = mw_state_load(index, mw_pool.count);
    var fault = vec4<u32>(beside.x, 0u, 0u, 0u);
    @unroll for has in 0..MW_HAS_LOOPS {
        let first = mw_world[MW_STATE_VECTORS * mw_pool.count + index].x;
        fault.x = select(fault.x, fault.x | (first & 0xffff0000u), fault.x < 0x10000u);
    }
    return MwWorld(state, fault, MwSum(), beside.y, beside.z, beside.w, MwEpisodes());
}

/// Stores a world whose last step ended thus; gives the word that tells of it.
fn mw_pool_store(index: u32, value: MwWorld, ending: u32) -> u32 {
    let cut = select(value.fault.x >> 16u, mw_cut, value.fault.x < 0x10000u); // the first one stays
    mw_state_store(index, mw_pool.count, value.state);
    mw_world[(MW_STATE_VECTORS + 1u) * mw_pool.count + index] =
        vec4<u32>(ending | (cut << 16u), value.episode_length, value.steps, value.begun);
    return ending | select(0u, MW_SPUN_OUT, cut != 0u);
}

/// How the last step of a world ended.
fn mw_pool_ending(world: MwWorld) -> u32 { return world.fault.x & (MW_TERMINATED | MW_TRUNCATED); }

/// Place of number k of a world, of so many that it has.
fn mw_pool_at(world: u32, k: u32, count: u32) -> u32 {
    return select(k * mw_pool.count + world, world * count + k, mw_pool.by_world != 0u);
}
