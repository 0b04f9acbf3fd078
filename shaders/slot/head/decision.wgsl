//! Slot `head`: the actor's action in drawn transitions, for critics to judge (slot `decision`).
//!
//! MW_STATE = 0: chosen where the transition began; its log π is kept. MW_STATE = 1: chosen where it ended, perhaps smoothed
//! (slot `smoothing`); the bonus −α log π of the value there is kept.

@bind var<uniform> mw_replay: MwReplay;
@bind var<storage, read> mw_progress: array<MwProgress>;

fn mw_wanted(agent: u32) -> bool { return true; }

/// Lane v of the outputs belongs to the samples from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    let agent = thread.agent;
    let count = mw_columns.count;
    var output: array<Lane, MW_DECISIONS>;
    var noise: array<Lane, MW_NOISES>;
    @unroll for o in 0..MW_DECISIONS { output[o] = mw_output[o * MW_VECTORS + v]; }
    @unroll for k in 0..MW_NOISES {
        var value: array<f32, MW_LANES>;
        @unroll for i in 0..MW_LANES {
            const row = select(MW_ROW_NOISE, MW_ROW_NEXT_NOISE, MW_STATE == 1u) + k;
            value[i] = mw_drawn[mw_drawn_at(agent, row, min(first + i, count - 1u), count)];
        }
        noise[k] = mw_lane_from(value);
    }
    let decision = mw_decide(output, noise);
    let action = mw_smoothed(decision.action, noise);
    const actions = select(MW_ROW_CHOSEN, MW_ROW_NEXT, MW_STATE == 1u);
    const kept = select(MW_ROW_LOG_PROB, MW_ROW_BONUS, MW_STATE == 1u);
    var value = decision.log_prob;
    if MW_STATE == 1u { value *= -mw_progress[agent].alpha; }
    @unroll for i in 0..MW_LANES {
        if mine[i] {
            @unroll for k in 0..MW_ACTS {
                mw_drawn[mw_drawn_at(agent, actions + k, first + i, count)] = mw_lane_get(action[k], i);
            }
            mw_drawn[mw_drawn_at(agent, kept, first + i, count)] = mw_lane_get(value, i);
        }
    }
}
