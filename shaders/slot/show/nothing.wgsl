//! Slot `show`: the policy may take any action.

fn mw_show_mask(world: array<MwWorld, MW_SAMPLES>) {}
