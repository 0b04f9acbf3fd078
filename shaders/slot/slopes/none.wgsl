//! Slot `slopes`: how outputs change with inputs is not asked for.

fn mw_put_slopes(samples: MwSamples, place: u32, mine: bool) {}
