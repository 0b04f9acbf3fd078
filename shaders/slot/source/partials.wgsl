//! Slot `source`: the results of an earlier reduction.

@bind var<storage, read> mw_partials: array<Element>;          // [agent][row][count]

fn mw_source_count(row: u32) -> u32 { return mw_blocks.count; }
fn mw_source(row: u32, i: u32) -> Element { return mw_partials[row * mw_blocks.count + i]; }
