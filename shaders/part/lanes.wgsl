//! The samples of an invocation: which they are.

/// Lane v of this invocation's samples: their columns, and 1 or 0 for those past the end of the minibatch.
struct MwSamples { agent: u32, column: array<u32, MW_LANES>, weight: Lane, count: f32, v: u32 }
