//! Which agent an invocation works for, and which of that agent's threads it is.
//!
//! A dispatch is (x · y) workgroups for each agent; z counts agents, so no workgroup spans two of them.
//! Threads past the end of the work stay alive with a clamped index (subgroups need them) and store nothing.

struct MwThread { agent: u32, index: u32, lane: u32 }

fn mw_thread(group: vec3<u32>, groups: vec3<u32>, local: u32) -> MwThread {
    return MwThread(group.z, mw_first_thread(group, groups) + local, local % MW_SHARE);
}

/// Number of the workgroup's first thread. What is decided by it and by `group.z`, the agent, is decided for all of a workgroup; a
/// compiler may not see that of what comes out of a `MwThread`.
fn mw_first_thread(group: vec3<u32>, groups: vec3<u32>) -> u32 { return (group.y * groups.x + group.x) * MW_WORKGROUP; }
