//! Slot `input`: what worlds observe becomes the network's input, in a loop: for networks that keep units in memory.

fn mw_show(agent: u32, seen: array<MwSeen, MW_SAMPLES>) {
    for (var vector = 0u; vector < MW_INPUT_VECTORS; vector++) {
        @unroll for v in 0..MW_VECTORS {
            var units: array<Lane, 4>;
            @unroll for q in 0..4 {
                let f = vector * 4u + q;
                var value: array<f32, MW_LANES>;
                @unroll for i in 0..MW_LANES {
                    if f < MW_OBSERVATIONS { value[i] = mw_seen(seen[v * MW_LANES + i], f); }
                }
                if f < MW_OBSERVATIONS { units[q] = mw_normalised(agent, f, mw_lane_from(value)); }
            }
            mw_put_input(vector, v, units);
        }
    }
}
