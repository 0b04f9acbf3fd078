//! Gradients of the weights and biases of one network over slices of a window, from kept units and deltas.
//!
//!   dW_l[o][k] = Σ_samples δ_{l+1}[o] u_l[k]        db_l[o] = Σ_samples δ_{l+1}[o]        (slot `product`: or of their squares)
//!
//! One thread = (slice, task); a task is four columns of one layer by MW_TILE_ROWS rows. Tasks of a layer come in
//! multiples of MW_SHARE, whose invocations hold neighbouring columns of the same rows and share the deltas.
//! Each slice leaves one partial gradient; `sum_slices.wgsl` adds them in order.
//! Reference: src/reference/mlp.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_trace: array<vec4<f32>>;           // [agent][sample of the window][MW_TRACE_WIDTH]
@bind var<storage, read_write> mw_partial: array<vec4<f32>>;   // see part/partial.wgsl

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let progress = &mw_progress[group.z];
    if (*progress).stopped != 0u { return; }
    let slice = thread.index / MW_TASKS;
    let task = thread.index % MW_TASKS;

    // the task's place in its layer
    var rows = 0u; var columns = 0u; var row = 0u; var column = 0u;
    var unit_at = 0u; var delta_at = 0u; var weight_at = 0u; var bias_at = 0u;
    @unroll for layer in 0..MW_LAYERS {
        if task >= MW_TASK_START[layer] && task < MW_TASK_START[layer + 1u] {
            const span = MW_TASK_COLUMNS[layer];
            rows = MW_WIDTHS[layer + 1u];
            columns = MW_WIDTHS[layer] / 4u;
            row = (task - MW_TASK_START[layer]) / span * MW_TILE_ROWS;
            column = (task - MW_TASK_START[layer]) % span;
            unit_at = MW_UNIT_START[layer] / 4u + min(column, columns - 1u);
            delta_at = MW_DELTA_START + (MW_UNIT_START[layer + 1u] - MW_WIDTHS[0] + row) / 4u;
            weight_at = MW_WEIGHT_START[layer];
            bias_at = MW_BIAS_START[layer];
        }
    }

    let count = mw_minibatch_count((*progress).minibatch);
    let held = min(mw_sample_range.count, max(count, mw_sample_range.first) - mw_sample_range.first);   // samples in this window
    let first = slice * mw_run.slice;
    let end = min(first + mw_run.slice, (held + 3u) / 4u * 4u);                       // padding samples have δ = 0
    var sum: array<vec4<f32>, MW_TILE_ROWS>;
    var bias: array<vec4<f32>, MW_TILE_CHUNKS>;
    for (var done = 0u; done < mw_run.slice; done += 4u) {
        let s = first + done;
        if !mw_goes_on(s, end) { break; }
        @unroll for i in 0..4 {
            let at = (thread.agent * mw_sample_range.rows + s + i) * MW_TRACE_WIDTH;
            let unit = mw_unit_factor(mw_within(mw_trace[at + unit_at], s, end));
            let weight = mw_sample_weight(thread.agent, mw_sample_range.first + s + i, count);
            @unroll for c in 0..MW_TILE_CHUNKS {
                let delta = mw_delta_factor(mw_within(mw_trace[at + delta_at + c * MW_SHARE + thread.lane], s, end), weight);
                bias[c] += delta;
                @unroll for r in 0..MW_TILE_ROWS / MW_TILE_CHUNKS {
                    const from_ = c * (MW_TILE_ROWS / MW_TILE_CHUNKS) + r;
                    sum[from_] = fma(vec4<f32>(mw_shared(delta, r / 4u, r % 4u)), unit, sum[from_]);
                }
            }
        }
    }

    if slice >= mw_sample_range.count / mw_run.slice { return; }
    if column < columns {
        @unroll for r in 0..MW_TILE_ROWS {
            let word = (weight_at + (row + r) * columns + column) * 4u;
            if row + r < rows { mw_partial[mw_partial_at(thread.agent, slice, word) / 4u] = sum[r]; }
        }
    }
    if column < MW_SHARE {
        @unroll for c in 0..MW_TILE_CHUNKS {
            let f = c * MW_SHARE + thread.lane;
            let word = (bias_at + row / 4u + f) * 4u;
            if row + f * 4u < rows && f < MW_TILE_ROWS / 4u {
                mw_partial[mw_partial_at(thread.agent, slice, word) / 4u] = bias[c];
            }
        }
    }
}
