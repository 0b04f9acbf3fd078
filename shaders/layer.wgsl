//! One layer of a network for a window of samples, as a product of matrices: its units, their tangents, or the deltas of the layer
//! below (slot `direction`). For networks that neither registers nor a tile of workgroup memory hold; sizes are numbers of a
//! uniform, so that one kernel serves all layers of all networks. The form for processors (`layer_tile.wgsl`: for GPUs).
//!
//!   result[r][s] = Σ_k weight[r][k] · unit[k][s]
//!
//! One subgroup = MW_LAYER_ROWS results of MW_SHARE · MW_LAYER_VECTORS samples. Each turn takes four k: every invocation fetches
//! those of its samples, and its part of the weights, which it hands round.
//! Reference: src/reference/mlp.rs, src/reference/fisher.rs.

@bind var<uniform> mw_layer: MwLayer;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_parameters: array<vec4<f32>>;             // [agent][mw_layer.parameters]
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][sample of the window][mw_layer.width]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let agent = group.z * mw_layer.agent_step;
    if !mw_works(agent) { return; }
    const span = MW_SHARE * MW_LAYER_VECTORS;
    let share = thread.index / MW_SHARE;
    let spans = (mw_sample_range.count + span - 1u) / span;
    let block = share / spans;
    let first = share % spans * span + thread.lane;
    let vector = block * (MW_LAYER_ROWS / 4u);

    var row: array<u32, MW_LAYER_VECTORS>;
    @unroll for v in 0..MW_LAYER_VECTORS {
        row[v] = (agent * mw_sample_range.rows + min(first + v * MW_SHARE, mw_sample_range.rows - 1u)) * mw_layer.width;
    }
    var sum: array<vec4<f32>, MW_LAYER_ROWS / 4 * MW_LAYER_VECTORS>;
    @unroll for i in 0..MW_LAYER_ROWS / 4 {
        let begin = mw_layer_begin(agent, min(vector + i, mw_layer.results - 1u));
        @unroll for v in 0..MW_LAYER_VECTORS { sum[i * MW_LAYER_VECTORS + v] = begin; }
    }
    let turns = mw_layer_turns();
    for (var turn = 0u; turn < turns; turn++) {
        let source = mw_layer_source(turn);
        var weight: array<vec4<f32>, MW_LAYER_CHUNKS>;
        @unroll for c in 0..MW_LAYER_CHUNKS {
            weight[c] = mw_layer_weight(agent, turn, vector, min(c * MW_SHARE + thread.lane, MW_LAYER_ROWS - 1u));
        }
        var x: array<vec4<f32>, MW_LAYER_VECTORS>;
        @unroll for v in 0..MW_LAYER_VECTORS { x[v] = mw_trace[row[v] + source]; }
        @unroll for i in 0..MW_LAYER_ROWS / 4 {
            @unroll for j in 0..4 {
                @unroll for q in 0..4 {
                    // component q of the weights of result j, or j of those that go to unit q
                    const f = select(j, q, MW_LAYER_BACKWARD == 1u) * (MW_LAYER_ROWS / 4u) + i;
                    let w = mw_shared(weight[f / MW_SHARE], f % MW_SHARE, select(q, j, MW_LAYER_BACKWARD == 1u));
                    @unroll for v in 0..MW_LAYER_VECTORS {
                        sum[i * MW_LAYER_VECTORS + v][j] = fma(w, x[v][q], sum[i * MW_LAYER_VECTORS + v][j]);
                    }
                }
            }
        }
    }
    @unroll for v in 0..MW_LAYER_VECTORS {
        if first + v * MW_SHARE < mw_sample_range.count {
            @unroll for i in 0..MW_LAYER_ROWS / 4 {
                if vector + i < mw_layer.results {
                    mw_trace[row[v] + mw_layer.to + vector + i] = mw_layer_finish(row[v], vector + i, sum[i * MW_LAYER_VECTORS + v]);
                }
            }
        }
    }
}
