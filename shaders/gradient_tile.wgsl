//! Loss gradients of one network, or of two alike (slot `networks`), for a window of the minibatch, weights included. One workgroup
//! = one slice, which it takes tile by tile: forward, objective (slot), backward; see part/mlp_tile.wgsl. The form for GPUs.
//!
//!   loss = (1/count) Σ_samples objective

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_partial: array<vec4<f32>>;   // see part/partial.wgsl

var<workgroup> mw_tile_column: array<u32, MW_TILE_SAMPLES>;

@compute @workgroup_size(MW_TILE_THREADS)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z * MW_AGENT_STEP;
    let place = mw_network_of(group.y * groups.x + group.x);
    let network = place.x;
    let slice = place.y;
    mw_tile_parameters = network * MW_NETWORK_STRIDE;
    let progress = &mw_progress[agent];
    if (*progress).stopped != 0u { return; }
    let count = mw_minibatch_count((*progress).minibatch);
    let first = mw_sample_range.first + slice * mw_run.slice;
    if slice * mw_run.slice >= mw_sample_range.count || first >= count { return; }
    let end = min(first + mw_run.slice, count);

    for (var tile = first; tile < end; tile += MW_TILE_SAMPLES) {
        if local < MW_TILE_SAMPLES { mw_tile_column[local] = mw_minibatch_column(agent, min(tile + local, count - 1u)); }
        workgroupBarrier();
        for (var i = local; i < MW_TILE_SAMPLES * (MW_WIDTHS[0] / 4u); i += MW_TILE_THREADS) {
            let column = mw_tile_column[i % MW_TILE_SAMPLES];
            var unit = vec4<f32>(0.0);
            @unroll for q in 0..4 {
                let f = i / MW_TILE_SAMPLES * 4u + q;
                if f < MW_INPUTS {
                    unit[q] = mw_normalised(agent, f, mw_seen_in(agent, f, column, mw_run.batch_size));
                }
            }
            mw_tile[mw_tile_at(i % MW_TILE_SAMPLES, i / MW_TILE_SAMPLES)] = unit;
        }
        workgroupBarrier();
        mw_tile_forward(agent, local);
        if local < MW_TILE_SAMPLES {
            const outputs = MW_UNIT_START[MW_LAYERS] / 4u;
            let mine = tile + local < end;
            var column: array<u32, MW_LANES>;
            column[0] = mw_tile_column[local];
            mw_tile_sample = local;
            @unroll for o in 0..MW_OUTPUTS { mw_output[o] = mw_tile[mw_tile_at(local, outputs + o / 4u)][o % 4u]; }
            mw_objective_of(network, MwThread(agent, tile + local - mw_sample_range.first, 0u),
                MwSamples(agent, column, select(0.0, 1.0, mine), f32(count), 0u), mine);
            @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
                var delta = vec4<f32>(0.0);
                @unroll for q in 0..4 {
                    const o = vector * 4u + q;
                    if o < MW_OUTPUTS { delta[q] = mw_d_output[min(o, MW_OUTPUTS - 1u)]; }
                }
                mw_tile[mw_tile_at(local, outputs + vector)] = delta;
            }
        }
        workgroupBarrier();
        mw_tile_backward(agent, local);
        if local < MW_TILE_SAMPLES {
            let place = min(tile + local, count - 1u);
            mw_put_slopes(MwSamples(agent, array<u32, MW_LANES>(place), 1.0, f32(count), 0u), place, tile + local < end);
        }
        workgroupBarrier();
    }
    if MW_SLOPES_FROM >= MW_WIDTHS[0] { mw_tile_store(agent, slice, local); }
}
