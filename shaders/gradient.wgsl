//! Loss gradients of one network for a window of the minibatch.
//! One thread = MW_SAMPLES samples, in Lanes: forward, objective (slot), backward; nothing leaves the invocation but partial
//! gradients, or what the weight gradient needs (slot `weights`), and the objective's terms.
//!
//!   loss = (1/count) Σ_samples objective

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_progress: array<MwProgress>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let place = mw_thread(group, groups, local);
    let thread = MwThread(place.agent * MW_AGENT_STEP, place.index, place.lane);   // perhaps only every n-th has work
    let progress = &mw_progress[group.z * MW_AGENT_STEP];
    if (*progress).stopped != 0u { return; }
    let count = mw_minibatch_count((*progress).minibatch);
    let first = mw_sample_range.first + thread.index * MW_SAMPLES;
    let mine = thread.index * MW_SAMPLES < mw_sample_range.count;
    if mw_sample_range.first + mw_first_thread(group, groups) * MW_SAMPLES >= count { return; }   // the whole workgroup, or none of it

    var samples: array<MwSamples, MW_VECTORS>;
    @unroll for v in 0..MW_VECTORS {
        var weight: array<f32, MW_LANES>;
        samples[v].agent = thread.agent;
        samples[v].count = f32(count);
        samples[v].v = v;
        @unroll for i in 0..MW_LANES {
            let place = first + v * MW_LANES + i;
            samples[v].column[i] = mw_minibatch_column(thread.agent, min(place, count - 1u));
            weight[i] = select(0.0, 1.0, mine & (place < count));
        }
        samples[v].weight = mw_lane_from(weight);
    }
    mw_use_weights(thread);

    @unroll for vector in 0..MW_WIDTHS[0] / 4 {
        @unroll for v in 0..MW_VECTORS {
            var unit: array<Lane, 4>;
            @unroll for q in 0..4 {
                const f = vector * 4u + q;
                var value: array<f32, MW_LANES>;
                @unroll for i in 0..MW_LANES {
                    if f < MW_INPUTS {
                        let column = samples[v].column[i];
                        value[i] = mw_seen_in(thread.agent, f, column, mw_run.batch_size);
                    }
                }
                if f < MW_INPUTS { unit[q] = mw_normalised(thread.agent, f, mw_lane_from(value)); }
            }
            mw_put_input(vector, v, unit);
            mw_put_units(vector, v, unit);
        }
    }
    mw_forward(thread);
    @unroll for v in 0..MW_VECTORS {
        let lane = samples[v];
        mw_objective(thread, lane, mine);
    }
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        @unroll for v in 0..MW_VECTORS {
            var delta: array<Lane, 4>;
            @unroll for q in 0..4 {
                const o = vector * 4u + q;
                if o < MW_OUTPUTS { delta[q] = mw_d_output[min(o, MW_OUTPUTS - 1u) * MW_VECTORS + v]; }
            }
            mw_put_deltas(MW_UNIT_START[MW_LAYERS] / 4u + vector, v, delta);
        }
    }
    mw_backward(thread);
    @unroll for v in 0..MW_VECTORS { mw_put_slopes(samples[v], first + v * MW_LANES, mine); }
}
