//! Slot `share`: how neighbouring invocations read the same vec4s. Plain: each reads all of them itself;
//! caches and constant banks of a GPU serve equal addresses once.
//!
//! A shared list of vec4s is held as chunks: entry f is in chunk f / MW_SHARE, fetched by lane f % MW_SHARE.

fn mw_shared(chunk: vec4<f32>, lane: u32, component: u32) -> f32 { return chunk[component]; }

/// Whether a loop goes on to turn `at`, and what is taken of what it loads.
fn mw_goes_on(at: u32, end: u32) -> bool { return at < end; }
fn mw_within(x: vec4<f32>, at: u32, end: u32) -> vec4<f32> { return x; }
