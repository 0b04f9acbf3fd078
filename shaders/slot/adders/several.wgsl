//! Slot `adders`: who adds the slices of four parameters. Several threads, for otherwise a GPU waits for memory once a slice, and has few
//! threads to wait with: each takes every MW_SHARES-th slice of the minibatch, in order, and the first adds what they have. Between
//! windows shares are kept apart, so that windows do not change the order of the sum.

@bind var<storage, read_write> mw_kept_shares: array<vec4<f32>>;   // [agent][share][MW_LEARNED / 4]

const MW_SHARES = MW_WORKGROUP / MW_SUM_PLACES;

var<workgroup> mw_shares: array<vec4<f32>, MW_WORKGROUP>;

/// The place of a thread among those of its workgroup, and the share of the slices that it adds.
fn mw_share_of(local: u32) -> vec2<u32> { return vec2<u32>(local % MW_SUM_PLACES, local / MW_SUM_PLACES); }

/// Where the share of a place lies: `at` is that of the place in the gradient, `size` an agent's.
fn mw_share_at(at: u32, size: u32, share: u32) -> u32 { return at / size * MW_SHARES * size + share * size + at % size; }

/// What the share has of earlier windows.
fn mw_begin_share(at: u32, size: u32, share: u32) -> vec4<f32> { return mw_kept_shares[mw_share_at(at, size, share)]; }

/// All threads of the workgroup have to come here; those of other shares than the first get nothing.
fn mw_join_shares(at: u32, size: u32, mine: bool, local: u32, sum: vec4<f32>) -> vec4<f32> {
    if mine && mw_sample_range.first + mw_sample_range.count < mw_run.minibatch_size {
        mw_kept_shares[mw_share_at(at, size, local / MW_SUM_PLACES)] = sum;
    }
    mw_shares[local] = sum;
    workgroupBarrier();
    var total = vec4<f32>(0.0);
    if local < MW_SUM_PLACES {
        @unroll for share in 0..MW_SHARES { total += mw_shares[local + share * MW_SUM_PLACES]; }
    }
    return total;
}
