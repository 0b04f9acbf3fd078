//! Slot `deviation`: the same for every observation. The outputs behind the means are the logarithms of the deviations.
//!
//!   log s_i = log σ_i      a_i = μ_i + σ_i n_i, with n_i new at every step (slot `noise`)      ∂ log s_i/∂ log σ_i = 1

struct MwDeviation { log_std: array<Lane, MW_ACTION_WORDS> }

fn mw_deviation(v: u32) -> MwDeviation {
    var deviation: MwDeviation;
    @unroll for i in 0..MW_ACTION_WORDS { deviation.log_std[i] = mw_output[(MW_ACTION_WORDS + i) * MW_VECTORS + v]; }
    return deviation;
}

/// Number i of an action.
fn mw_drawn_number(mean: Lane, deviation: MwDeviation, normal: array<Lane, MW_NOISE>, i: u32) -> Lane {
    return fma(mw_lane_exp(deviation.log_std[i]), normal[i], mean);
}

/// Of a slope by log s, that by output `o` behind the means.
fn mw_d_deviation(deviation: MwDeviation, d_log_std: Lane, o: u32) -> Lane { return d_log_std; }
