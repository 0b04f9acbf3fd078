//! Slot `deviation`: exploration that depends on the state (Rückstieß, Felder & Schmidhuber 2008; Raffin, Kober & Stulp
//! 2022). The outputs behind the means are log σ, [feature][number], of a random matrix whose product with the
//! observation is added to the mean. Features x are the network's inputs, and a last one that is always 1.
//!
//!   a_i = μ_i + Σ_k x_k σ_ki n_ki, with n_ki the same for several steps (slot `noise`), so that
//!   a_i ~ N(μ_i, s_i²)      s_i² = Σ_k x_k² σ_ki²      ∂ log s_i/∂ log σ_ki = x_k² σ_ki² / s_i²
//!
//! The feature that is 1 keeps s above 0. Reference: src/reference/state_dependent.rs.

struct MwDeviation {
    log_std: array<Lane, MW_ACTION_WORDS>,                               // log s
    x: array<Lane, MW_SDE_FEATURES>,
    log_weight: array<Lane, MW_SDE_FEATURES * MW_ACTION_WORDS>,          // log σ
}

fn mw_deviation(v: u32) -> MwDeviation {
    var deviation: MwDeviation;
    @unroll for k in 0..MW_SDE_FEATURES {
        deviation.x[k] = Lane(1.0);
        if k < MW_INPUTS { deviation.x[k] = mw_input_or_zero(k, v); }
    }
    @unroll for o in 0..MW_SDE_FEATURES * MW_ACTION_WORDS {
        deviation.log_weight[o] = mw_output[(MW_ACTION_WORDS + o) * MW_VECTORS + v];
    }
    @unroll for i in 0..MW_ACTION_WORDS {
        var variance = Lane(0.0);
        @unroll for k in 0..MW_SDE_FEATURES {
            let part = deviation.x[k] * mw_lane_exp(deviation.log_weight[k * MW_ACTION_WORDS + i]);
            variance = fma(part, part, variance);
        }
        deviation.log_std[i] = 0.5 * mw_lane_log(variance);
    }
    return deviation;
}

/// Number i of an action.
fn mw_drawn_number(mean: Lane, deviation: MwDeviation, normal: array<Lane, MW_NOISE>, i: u32) -> Lane {
    var drawn = mean;
    @unroll for k in 0..MW_SDE_FEATURES {
        const o = k * MW_ACTION_WORDS;
        drawn = fma(deviation.x[k] * mw_lane_exp(deviation.log_weight[o + i]), normal[o + i], drawn);
    }
    return drawn;
}

/// Of a slope by log s, that by output `o` behind the means.
fn mw_d_deviation(deviation: MwDeviation, d_log_std: Lane, o: u32) -> Lane {
    let share = deviation.x[o / MW_ACTION_WORDS] * mw_lane_exp(deviation.log_weight[o] - deviation.log_std[o % MW_ACTION_WORDS]);
    return d_log_std * share * share;
}
