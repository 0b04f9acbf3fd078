//! Slot `memory`: hidden units of a forward pass, of no use after it. Neighbouring threads touch neighbouring words.
//! One Lane in each invocation (MW_VECTORS = 1).

@bind var<storage, read_write> mw_workspace: array<Lane>;      // [agent][unit of the network][thread + 1]

var<private> mw_workspace_first: u32;
var<private> mw_workspace_stride: u32;

/// `threads` is the number of an agent's threads that have work; those past the end share a place of their own.
fn mw_use_workspace(thread: MwThread, threads: u32) {
    mw_workspace_stride = threads + 1u;
    mw_workspace_first = thread.agent * MW_UNITS * mw_workspace_stride + min(thread.index, threads);
}

fn mw_put_units(vector: u32, v: u32, units: array<Lane, 4>) {
    @unroll for q in 0..4 { mw_workspace[mw_workspace_first + (vector * 4u + q) * mw_workspace_stride] = units[q]; }
}

fn mw_get_units(vector: u32, v: u32) -> array<Lane, 4> {
    var units: array<Lane, 4>;
    @unroll for q in 0..4 { units[q] = mw_workspace[mw_workspace_first + (vector * 4u + q) * mw_workspace_stride]; }
    return units;
}
