//! Adds the partial gradients of a window's slices, oldest first, to those of earlier windows; then the squares of each
//! workgroup's part of the result. One thread = four parameters of the span that is learned, which may be one network of
//! several, or a share of their slices (slot `adders`). Further workgroups, which only a dispatch behind all windows has, are for slot `beside`.
//!
//!   g = Σ_slices partial, 0 for weights that stay 0        norm_w = Σ_{workgroup w} g²

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_gradient: array<vec4<f32>>;   // [agent][MW_LEARNED / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let block = group.y * groups.x + group.x;
    let count = mw_minibatch_count(mw_progress[group.z].minibatch);
    mw_beside(group.z, block, local, count);
    if block >= mw_run.norm_blocks { return; }
    let share = mw_share_of(local);
    let index = block * MW_SUM_PLACES + share.x;
    let size = MW_LEARNED / 4u;
    let mine = index < MW_SPAN;
    let place = MW_SPAN_FIRST + index;
    let at = group.z * size + place;
    var sum = vec4<f32>(0.0);
    if mine {
        let held = min(mw_sample_range.count, max(count, mw_sample_range.first) - mw_sample_range.first);
        if mw_sample_range.first > 0u { sum = mw_begin_share(at, size, share.y); }
        // the share's first slice of the window
        let before = mw_sample_range.first / mw_run.slice % MW_SHARES;
        let first = (share.y + MW_SHARES - before) % MW_SHARES;
        sum = mw_add_slices(group.z, place, vec3<u32>(first, MW_SHARES, (held + mw_run.slice - 1u) / mw_run.slice), sum);
    }
    sum = mw_join_shares(at, size, mine, local, sum);
    if mine && share.y == 0u {
        @unroll for range in 0..MW_FROZEN_RANGES {
            if place >= MW_FROZEN[2u * range] && place < MW_FROZEN[2u * range + 1u] { sum = vec4<f32>(0.0); }
        }
        mw_gradient[at] = sum;
    }
    mw_put_norm(group.z, block, local, sum);
}
