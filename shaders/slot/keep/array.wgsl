//! Slot `keep`: an observation is stored, number by number, walked by constants (slot `look`).

/// Hands every number to the kernel's `mw_store`.
fn mw_keep(seen: MwSeen, target_: u32, at: u32) {
    @unroll for f in 0..MW_OBSERVATIONS { mw_store(target_, at, f, mw_seen(seen, f)); }
}
