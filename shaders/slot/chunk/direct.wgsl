//! Slot `chunk`: the weights of a forward pass, entry by entry of a shared list. Direct: a chunk is an address, which is read where
//! a weight is used. Compilers of GPUs then keep few weights at a time, and spill none (benches/NOTES.md).

alias MwChunk = u32;

fn mw_chunk(base: u32, at: u32) -> MwChunk { return base + at; }
fn mw_of_chunk(chunk: MwChunk, lane: u32, component: u32) -> f32 { return mw_parameter(0u, chunk)[component]; }
