//! Slot `source`: the results of an earlier reduction.

@bind var<storage, read> mw_partials: array<Element>;          // [agent][count]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element { return mw_partials[agent * mw_blocks.count + i]; }
