//! One layer of a network for a window of samples, as a product of matrices (see `layer.wgsl`). The form for GPUs.
//!
//! One workgroup = MW_LAYER_ROWS results of MW_LAYER_SAMPLES samples. Each turn brings four times MW_LAYER_TURNS k into workgroup
//! memory; a thread keeps the sums of four results of four samples, so that eight vec4s from there serve 64 products.

@bind var<uniform> mw_layer: MwLayer;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_parameters: array<vec4<f32>>;             // [agent][mw_layer.parameters]
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][sample of the window][mw_layer.width]

const MW_LAYER_THREADS = 256u;
const MW_LAYER_COLUMNS = MW_LAYER_ROWS / 4u;                           // threads side by side along the results
const MW_LAYER_APART = MW_LAYER_THREADS / MW_LAYER_COLUMNS;            // from one of a thread's samples to the next

var<workgroup> mw_layer_units: array<vec4<f32>, MW_LAYER_TURNS * MW_LAYER_SAMPLES>;     // [turn][sample]
var<workgroup> mw_layer_weights: array<vec4<f32>, MW_LAYER_TURNS * MW_LAYER_ROWS>;      // [turn][entry]

@compute @workgroup_size(MW_LAYER_THREADS)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z * mw_layer.agent_step;
    if !mw_works(agent) { return; }
    let tiles = (mw_sample_range.count + MW_LAYER_SAMPLES - 1u) / MW_LAYER_SAMPLES;
    let place = group.y * groups.x + group.x;
    let vector = place / tiles * MW_LAYER_COLUMNS;
    let first = place % tiles * MW_LAYER_SAMPLES;
    if vector >= mw_layer.results { return; }
    let column = local % MW_LAYER_COLUMNS;
    let sample = local / MW_LAYER_COLUMNS;
    let rows = agent * mw_sample_range.rows;

    var sum: array<vec4<f32>, 4>;
    let begin = mw_layer_begin(agent, min(vector + column, mw_layer.results - 1u));
    @unroll for i in 0..4 { sum[i] = begin; }
    let turns = mw_layer_turns();
    for (var turn = 0u; turn < turns; turn += MW_LAYER_TURNS) {
        let t = local % MW_LAYER_TURNS;
        let s = local / MW_LAYER_TURNS;
        let at = (rows + min(first + s, mw_sample_range.rows - 1u)) * mw_layer.width;
        var unit = mw_trace[at + mw_layer_source(min(turn + t, turns - 1u))];
        if turn + t >= turns { unit = vec4<f32>(0.0); }
        mw_layer_units[t * MW_LAYER_SAMPLES + s] = unit;
        if local < MW_LAYER_TURNS * MW_LAYER_ROWS {
            mw_layer_weights[local] =
                mw_layer_weight(agent, min(turn + local / MW_LAYER_ROWS, turns - 1u), vector, local % MW_LAYER_ROWS);
        }
        workgroupBarrier();
        @unroll for n in 0..MW_LAYER_TURNS {
            var weight: array<vec4<f32>, 4>;
            @unroll for e in 0..4 { weight[e] = mw_layer_weights[n * MW_LAYER_ROWS + e * MW_LAYER_COLUMNS + column]; }
            @unroll for i in 0..4 {
                let x = mw_layer_units[n * MW_LAYER_SAMPLES + sample + i * MW_LAYER_APART];
                if MW_LAYER_BACKWARD == 1u {
                    sum[i] += weight[0] * x.x + weight[1] * x.y + weight[2] * x.z + weight[3] * x.w;
                } else {
                    sum[i] += vec4<f32>(dot(weight[0], x), dot(weight[1], x), dot(weight[2], x), dot(weight[3], x));
                }
            }
        }
        workgroupBarrier();
    }
    @unroll for i in 0..4 {
        let s = first + sample + i * MW_LAYER_APART;
        if s < mw_sample_range.count && vector + column < mw_layer.results {
            let row = (rows + s) * mw_layer.width;
            mw_trace[row + mw_layer.to + vector + column] = mw_layer_finish(row, vector + column, sum[i]);
        }
    }
}
