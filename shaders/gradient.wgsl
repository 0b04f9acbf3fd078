//! Loss gradients of one network for a window of the minibatch.
//! One thread = a Lane of samples: forward, objective (slot), backward; nothing leaves the invocation but partial
//! gradients, or what the weight gradient needs (slot `weights`), and the objective's terms.
//!
//!   loss = (1/count) Σ_samples objective

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_window: MwWindow;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_observations: array<f32>;          // [agent][feature][step][world]
@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]
@bind var<storage, read_write> mw_terms: array<f32>;           // [agent][term][Lane of the minibatch]

/// The samples of this invocation: their columns, and 1 or 0 for those past the end of the minibatch.
struct MwSamples { agent: u32, column: array<u32, MW_LANES>, weight: Lane, count: f32 }

fn mw_sample_words(samples: MwSamples, row: u32) -> LaneWord {
    var word: array<u32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        word[i] = mw_samples[(samples.agent * MW_ROWS + row) * mw_run.batch_size + samples.column[i]];
    }
    return mw_lane_from_words(word);
}

fn mw_sample(samples: MwSamples, row: u32) -> Lane { return bitcast<Lane>(mw_sample_words(samples, row)); }

fn mw_set_term(thread: MwThread, term: u32, value: Lane) {
    let lanes = mw_run.minibatch_lanes;
    mw_terms[(thread.agent * MW_TERMS + term) * lanes + mw_window.first / MW_LANES + thread.index] = mw_lane_sum(value);
}

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let progress = &mw_progress[thread.agent];
    if (*progress).stopped != 0u { return; }
    let count = mw_minibatch_count((*progress).minibatch);
    let first = mw_window.first + thread.index * MW_LANES;
    let mine = thread.index * MW_LANES < mw_window.count;
    if mw_window.first + (thread.index - local) * MW_LANES >= count { return; }   // the whole workgroup, or none of it

    var samples: MwSamples;
    var weight: array<f32, MW_LANES>;
    samples.agent = thread.agent;
    samples.count = f32(count);
    @unroll for i in 0..MW_LANES {
        samples.column[i] = mw_minibatch_column(thread.agent, min(first + i, count - 1u));
        weight[i] = select(0.0, 1.0, mine && first + i < count);
    }
    samples.weight = mw_lane_from(weight);
    mw_use_weights(thread);

    @unroll for vector in 0..MW_WIDTHS[0] / 4 {
        var unit: array<Lane, 4>;
        @unroll for q in 0..4 {
            const f = vector * 4u + q;
            var value: array<f32, MW_LANES>;
            @unroll for i in 0..MW_LANES {
                if f < MW_INPUTS {
                    value[i] = mw_observations[(thread.agent * MW_INPUTS + f) * mw_run.batch_size + samples.column[i]];
                }
            }
            unit[q] = mw_lane_from(value);
            if f < MW_INPUTS { mw_input[min(f, MW_INPUTS - 1u)] = unit[q]; }
        }
        mw_put_units(vector, unit);
    }
    mw_forward(thread);
    mw_objective(thread, samples, mine);
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        var delta: array<Lane, 4>;
        @unroll for q in 0..4 {
            const o = vector * 4u + q;
            if o < MW_OUTPUTS { delta[q] = mw_d_output[min(o, MW_OUTPUTS - 1u)]; }
        }
        mw_put_deltas(MW_UNIT_START[MW_LAYERS] / 4u + vector, delta);
    }
    mw_backward(thread);
}
