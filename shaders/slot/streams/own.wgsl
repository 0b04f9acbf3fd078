//! Slot `streams`: whose random numbers a world of an evaluation sees. Its own.

fn mw_stream_of(world: u32) -> u32 { return world; }
