//! Slot `head`: the actor's action in drawn transitions, for critics to judge (slot `pathwise`).
//!
//! Columns of the first half: chosen where the transition began; its log π is kept. Of the second half: chosen where it
//! ended, perhaps smoothed (slot `smoothing`); the bonus −α log π of the value there is kept.

@bind var<storage, read> mw_temperature: array<MwScalar>;      // [agent] α

fn mw_wanted(agent: u32) -> bool { return true; }

/// Lane v of the outputs belongs to the columns from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    let agent = thread.agent;
    let size = mw_replay.batch_size;
    var noise: array<Lane, MW_NOISE>;
    var sample: array<u32, MW_LANES>;
    var after: array<f32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        let column = min(first + i, 2u * size - 1u);
        sample[i] = column % size;
        after[i] = f32(column / size);
    }
    let next = mw_lane_from(after) > Lane(0.5);
    @unroll for k in 0..MW_NOISE {
        var value: array<f32, MW_LANES>;
        @unroll for i in 0..MW_LANES {
            let row = select(MW_ROW_NOISE, MW_ROW_NEXT_NOISE, after[i] > 0.5) + k;
            value[i] = mw_drawn[mw_drawn_at(agent, row, sample[i], size)];
        }
        noise[k] = mw_lane_from(value);
    }
    let path = mw_pathwise(mw_dist(v), noise);
    let smoothed = mw_smoothed(path.action, noise);
    let kept = select(path.log_prob, -mw_temperature[agent].value * path.log_prob, next);
    @unroll for i in 0..MW_LANES {
        if mine[i] {
            @unroll for k in 0..MW_ACTS {
                let row = select(MW_ROW_CHOSEN, MW_ROW_NEXT, after[i] > 0.5) + k;
                let action = select(path.action[k], smoothed[k], next);
                mw_drawn[mw_drawn_at(agent, row, sample[i], size)] = mw_lane_get(action, i);
            }
            let row = select(MW_ROW_LOG_PROB, MW_ROW_BONUS, after[i] > 0.5);
            mw_drawn[mw_drawn_at(agent, row, sample[i], size)] = mw_lane_get(kept, i);
        }
    }
}
