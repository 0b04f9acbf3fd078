//! Slot `deviation`: outputs of the network behind the means, held to bounds: logarithms of the deviations.
//!
//!   log s_i = clamp(raw_i)      a_i = μ_i + s_i n_i, with n_i new at every step (slot `noise`)
//!   ∂ log s_i/∂ raw_i = 1 within the bounds, 0 past them

struct MwDeviation { log_std: array<Lane, MW_ACTION_WORDS>, inside: array<Lane, MW_ACTION_WORDS> }

fn mw_deviation(v: u32) -> MwDeviation {
    var deviation: MwDeviation;
    @unroll for i in 0..MW_ACTION_WORDS {
        let raw = mw_output[(MW_ACTION_WORDS + i) * MW_VECTORS + v];
        deviation.log_std[i] = clamp(raw, Lane(MW_LOG_STD_MIN), Lane(MW_LOG_STD_MAX));
        deviation.inside[i] = select(Lane(0.0), Lane(1.0), deviation.log_std[i] == raw);
    }
    return deviation;
}

/// Number i of an action.
fn mw_drawn_number(mean: Lane, deviation: MwDeviation, normal: array<Lane, MW_NOISE>, i: u32) -> Lane {
    return fma(mw_lane_exp(deviation.log_std[i]), normal[i], mean);
}

/// Of a slope by log s, that by output `o` behind the means.
fn mw_d_deviation(deviation: MwDeviation, d_log_std: Lane, o: u32) -> Lane { return d_log_std * deviation.inside[o]; }
