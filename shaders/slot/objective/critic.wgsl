//! Slot `objective`: what critics say of the actor's own action, less the cost of being sure of it.
//!
//!   loss = α log π(a|s) − min_j Q_j(s, a)      over MW_GUIDES critics, whose slopes by a are known (slot `slopes`)
//!
//! Reference: src/reference/off_policy.rs.

@bind var<storage, read> mw_slopes: array<f32>;                // [critic][1 + MW_ACTS][sample] Q, ∂Q/∂a
@bind var<storage, read> mw_temperature: array<MwScalar>;      // [agent] α

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let agent = samples.agent;
    let v = samples.v;
    let count = mw_run.minibatch_size;
    var q: array<f32, MW_LANES>;
    var slope: array<array<f32, MW_LANES>, MW_ACTS>;
    var noise: array<array<f32, MW_LANES>, MW_NOISE>;
    @unroll for i in 0..MW_LANES {
        let sample = samples.column[i];
        var judge = agent * MW_CRITICS;
        q[i] = mw_slopes[judge * (1u + MW_ACTS) * count + sample];
        @unroll for j in 1..MW_GUIDES {
            let other = mw_slopes[(agent * MW_CRITICS + j) * (1u + MW_ACTS) * count + sample];
            if other < q[i] {
                q[i] = other;
                judge = agent * MW_CRITICS + j;
            }
        }
        @unroll for k in 0..MW_ACTS { slope[k][i] = mw_slopes[(judge * (1u + MW_ACTS) + 1u + k) * count + sample]; }
        @unroll for k in 0..MW_NOISE { noise[k][i] = mw_drawn[mw_drawn_at(agent, MW_ROW_NOISE + k, sample, count)]; }
    }
    let share = samples.weight / Lane(samples.count);
    var drawn: array<Lane, MW_NOISE>;
    var d_action: array<Lane, MW_ACTS>;
    @unroll for k in 0..MW_NOISE { drawn[k] = mw_lane_from(noise[k]); }
    @unroll for k in 0..MW_ACTS { d_action[k] = -share * mw_lane_from(slope[k]); }
    let alpha = Lane(mw_temperature[agent].value);
    let dist = mw_dist(v);
    let d_output = mw_d_pathwise(dist, drawn, d_action, alpha * share, mw_progress[agent].gumbel_temperature);
    @unroll for o in 0..MW_OUTPUTS { mw_d_output[o * MW_VECTORS + v] = d_output[o]; }
    let log_prob = mw_pathwise(dist, drawn).log_prob;
    mw_add_term(thread, v, mine, MW_TERM_POLICY_LOSS, (alpha * log_prob - mw_lane_from(q)) * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_ENTROPY, -log_prob * samples.weight);
}
