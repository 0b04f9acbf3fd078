//! Slot `share`: how neighbouring invocations read the same vec4s. Subgroup: each lane fetches a different one
//! and hands it round, so one load of the subgroup serves MW_SHARE vec4s. MW_SHARE is the size of
//! a subgroup, which must be the same for every subgroup of the adapter.
//!
//! A shared list of vec4s is held as chunks: entry f is in chunk f / MW_SHARE, fetched by lane f % MW_SHARE.

fn mw_shared(chunk: vec4<f32>, lane: u32, component: u32) -> f32 { return subgroupShuffle(chunk[component], lane); }

/// Whether a loop goes on to turn `at`, and what is taken of what it loads: lanes that hand something round stay together to its last
/// turn, as every compiler can see, and what they load in turns behind their end counts as 0.
fn mw_goes_on(at: u32, end: u32) -> bool { return true; }
fn mw_within(x: vec4<f32>, at: u32, end: u32) -> vec4<f32> { return select(vec4<f32>(0.0), x, at < end); }
