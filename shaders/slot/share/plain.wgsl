//! Slot `share`: how neighbouring invocations read the same vec4s. Plain: each reads all of them itself;
//! caches and constant banks of a GPU serve equal addresses once.
//!
//! A shared list of vec4s is held as chunks: entry f is in chunk f / MW_SHARE, fetched by lane f % MW_SHARE.

fn mw_shared(chunk: vec4<f32>, lane: u32, component: u32) -> f32 { return chunk[component]; }

/// A number that all invocations with one share have in common.
fn mw_same(x: u32) -> u32 { return x; }
