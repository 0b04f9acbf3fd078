//! Slot `weights`: products δ u are summed over the samples of a subgroup as soon as they are known; each subgroup
//! leaves one partial gradient and nothing else.
//!
//! A butterfly sums MW_SHARE products at once: at every level a lane keeps the half that its index says and gets the
//! other lane's part of it; in the end lane i has the sum of product i over all lanes. Four such sums are stored at once: a store
//! costs a processor that plays a GPU more than their arithmetic, and hardly more for four words than for one.

@bind var<storage, read_write> mw_partial: array<vec4<f32>>;   // see part/partial.wgsl

var<private> mw_partial_agent: u32;
var<private> mw_partial_slice: u32;
var<private> mw_partial_end: u32;
var<private> mw_partial_lane: u32;

/// Subgroups past the window leave theirs in a last slice that nobody reads.
fn mw_use_weights(thread: MwThread) {
    mw_partial_agent = thread.agent;
    mw_partial_slice = min(thread.index / MW_SHARE, mw_sample_range.slices - 1u);
    mw_partial_end = arrayLength(&mw_partial);
    mw_partial_lane = thread.lane;
}

/// The sum of product i over the subgroup, in its lane i.
fn mw_sum_products(products: array<f32, MW_SHARE>) -> f32 {
    var sum = products;
    @unroll for level in 0..MW_SHARE_LEVELS {
        let upper = ((mw_partial_lane >> level) & 1u) != 0u;
        @unroll for i in 0..MW_SHARE / 2 {
            if i < (MW_SHARE >> (level + 1u)) {
                let a = sum[2u * i];
                let b = sum[2u * i + 1u];
                sum[i] = select(a, b, upper) + subgroupShuffleXor(select(b, a, upper), 1u << level);
            }
        }
    }
    return sum[0];
}

/// Stores vec4 `at` of the gradient, if that is `mine`.
fn mw_put_weights(at: u32, mine: bool, sums: vec4<f32>) {
    let place = mw_partial_at(mw_partial_agent, mw_partial_slice, at * 4u) / 4u;
    // the second use of `place` keeps LLVM from computing it again in each lane: a tenth of the kernel's time on llvmpipe
    if mine && place < mw_partial_end { mw_partial[place] = sums; }
}

fn mw_put_units(vector: u32, v: u32, units: array<Lane, 4>) {}
fn mw_put_deltas(vector: u32, v: u32, deltas: array<Lane, 4>) {}
