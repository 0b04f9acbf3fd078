//! Slot `watch`: what is counted of the observations of an evaluation. Nothing.

fn mw_watch_store(agent: u32, world: u32, first: bool) {}
