//! Slot `share`: how neighbouring invocations read the same vec4s. Subgroup: each lane fetches a different one
//! and hands it round, so one load of the subgroup serves MW_SHARE vec4s. MW_SHARE is the size of
//! a subgroup, which must be the same for every subgroup of the adapter.
//!
//! A shared list of vec4s is held as chunks: entry f is in chunk f / MW_SHARE, fetched by lane f % MW_SHARE.

fn mw_shared(chunk: vec4<f32>, lane: u32, component: u32) -> f32 { return subgroupShuffle(chunk[component], lane); }

/// A number that all lanes have in common, said so that a compiler knows it.
fn mw_same(x: u32) -> u32 { return subgroupBroadcastFirst(x); }
