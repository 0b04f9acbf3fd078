//! Conjugate gradients (Hestenes & Stiefel 1952) for (F + damping) x = −g, g the gradient of the loss: their vectors, and sums
//! over them. One workgroup = one agent.
//!
//! A thread has every MW_WORKGROUP-th vec4 of a span of the parameters. Vectors lie as [agent][x, r, old θ][MW_SPAN]; the
//! direction p lies like a gradient, for the kernel that makes F p reads it as one.
//! Reference: src/reference/fisher.rs.

@bind var<uniform> mw_trust_region: MwTrustRegion;
@bind var<storage, read_write> mw_line_search: array<MwLineSearch>;         // [agent]
@bind var<storage, read_write> mw_solver: array<vec4<f32>>;        // [agent][x, r, old][MW_SPAN]

const MW_X = 0u;
const MW_R = 1u;
const MW_OLD = 2u;

fn mw_solver_at(agent: u32, vector: u32, i: u32) -> u32 { return (agent * 3u + vector) * MW_SPAN + i; }

/// Place of vec4 i of the span in a buffer [agent][MW_LEARNED / 4].
fn mw_learned_at(agent: u32, i: u32) -> u32 { return agent * MW_LEARNED / 4u + MW_SPAN_FIRST + i; }

/// The sum of all threads' values, for all of them.
fn mw_total(local: u32, value: f32) -> f32 {
    workgroupBarrier();
    _ = mw_joined(local, value);
    workgroupBarrier();
    return mw_tree[0];
}
