//! Slot `objective`: squared temporal difference of a critic.
//!
//!   y = R + d (min_j Q'_j(s', a') + bonus)      d = γᵏ behind k steps, 0 after termination; bonus = −α log π(a'|s')
//!   loss = (Q(s, a) − y)²
//!
//! Reference: src/reference/off_policy.rs.

@bind var<storage, read> mw_next_values: array<f32>;           // [critic][sample] Q'(s', a')

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let agent = samples.agent / MW_CRITICS;
    let count = mw_run.minibatch_size;
    var goal: array<f32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        let sample = samples.column[i];
        var lowest = mw_next_values[agent * MW_CRITICS * count + sample];
        @unroll for j in 1..MW_CRITICS { lowest = min(lowest, mw_next_values[(agent * MW_CRITICS + j) * count + sample]); }
        goal[i] = fma(mw_drawn[mw_drawn_at(agent, MW_ROW_DISCOUNT, sample, count)],
            lowest + mw_drawn[mw_drawn_at(agent, MW_ROW_BONUS, sample, count)],
            mw_drawn[mw_drawn_at(agent, MW_ROW_RETURN, sample, count)]);
    }
    let v = samples.v;
    let error = mw_output[v] - mw_lane_from(goal);
    mw_d_output[v] = 2.0 * samples.weight / Lane(samples.count) * error;
    mw_add_term(thread, v, mine, MW_TERM_VALUE_LOSS, error * error * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_Q, mw_output[v] * samples.weight);
}
