//! Slot `chunk`: the weights of a forward pass, entry by entry of a shared list (slot `share`). Loaded: a chunk is a vec4 that is
//! fetched before it is used, so that one fetch serves many lanes, or many samples.

alias MwChunk = vec4<f32>;

fn mw_chunk(base: u32, at: u32) -> MwChunk { return mw_parameter(base, at); }
fn mw_of_chunk(chunk: MwChunk, lane: u32, component: u32) -> f32 { return mw_shared(chunk, lane, component); }
