//! Where the numbers of worlds lie that the caller steps.

@bind var<uniform> mw_pool: MwPool;

/// Place of number k of a world, of so many that it has.
fn mw_pool_at(world: u32, k: u32, count: u32) -> u32 {
    return select(k * mw_pool.count + world, world * count + k, mw_pool.by_world != 0u);
}
