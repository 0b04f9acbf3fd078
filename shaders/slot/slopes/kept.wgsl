//! Slot `slopes`: Q, and how it changes with the action.
//!
//!   slopes = (Q(s, a), ∂Q/∂a₀, ∂Q/∂a₁, …)

@bind var<storage, read_write> mw_slopes: array<f32>;          // [critic][1 + MW_ACTS][sample]

/// Lane v of the samples, the first of which has this place in the minibatch.
fn mw_put_slopes(samples: MwSamples, place: u32, mine: bool) {
    let count = mw_run.minibatch_size;
    let at = samples.agent * (1u + MW_ACTS) * count + place;
    @unroll for i in 0..MW_LANES {
        if mine && place + i < count {
            mw_slopes[at + i] = mw_lane_get(mw_output[samples.v], i);
            @unroll for k in 0..MW_ACTS {
                mw_slopes[at + (1u + k) * count + i] = mw_lane_get(mw_input_slope(MW_FEATURES + k, samples.v), i);
            }
        }
    }
}
