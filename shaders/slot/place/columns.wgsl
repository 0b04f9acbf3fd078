//! Slot `place`: the samples of a window are neighbouring columns; past the end they are the last one.

@bind var<uniform> mw_columns: MwColumns;

fn mw_place_column(agent: u32, s: u32) -> u32 { return min(mw_columns.first + s, mw_columns.count - 1u); }

fn mw_place_columns() -> u32 { return mw_columns.count; }
