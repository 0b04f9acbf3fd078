//! Slot `streams`: whose random numbers a world of an evaluation sees. Its own.

fn mw_stream_of(world: u32) -> u32 { return world; }

/// Whether an invocation is done when its worlds have ended: not where neighbours run a network with it.
fn mw_may_leave(running: bool) -> bool { return false; }
