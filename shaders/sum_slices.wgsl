//! Adds the partial gradients of a window's slices, oldest first, to those of earlier windows; then the squares of each
//! workgroup's share of the result. One thread = four parameters of the span that is learned, which may be one network of
//! several. Further workgroups, which only a dispatch behind all windows has, are for slot `beside`.
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
    let thread = mw_thread(group, groups, local);
    let size = MW_LEARNED / 4u;
    let mine = thread.index < MW_SPAN;
    let place = MW_SPAN_FIRST + thread.index;
    var sum = vec4<f32>(0.0);
    if mine {
        let held = min(mw_sample_range.count, max(count, mw_sample_range.first) - mw_sample_range.first);
        if mw_sample_range.first > 0u { sum = mw_gradient[thread.agent * size + place]; }
        let slices = (held + mw_run.slice - 1u) / mw_run.slice;
        sum = mw_add_slices(thread.agent, place, slices, sum);
        @unroll for range in 0..MW_FROZEN_RANGES {
            if place >= MW_FROZEN[2u * range] && place < MW_FROZEN[2u * range + 1u] { sum = vec4<f32>(0.0); }
        }
        mw_gradient[thread.agent * size + place] = sum;
    }
    mw_put_norm(thread, local, sum);
}
