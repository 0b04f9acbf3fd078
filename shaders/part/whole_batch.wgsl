//! The whole batch in the place of a minibatch (part/minibatch.wgsl), where an update has no other.

/// Where its moments lie, [agent].
fn mw_moments_at(agent: u32) -> u32 { return agent; }
