//! Slot `keep`: an observation is stored, number by number, in a loop (slot `look`).

/// Hands every number to the kernel's `mw_store`.
fn mw_keep(seen: MwSeen, target_: u32, at: u32) {
    for (var f = 0u; f < MW_OBSERVATIONS; f++) { mw_store(target_, at, f, mw_seen(seen, f)); }
}
