//! Slot `objective`: the clipped surrogate with an entropy bonus (Schulman et al. 2017).
//!
//!   ρ = exp(log π(a|o) − log π_old(a|o))
//!   loss = −min(ρ Â, clamp(ρ, 1−ε, 1+ε) Â) − c_H · H        Â = (A − mean)/(std + 1e-8) when norm_adv is set
//!   ∂loss/∂log π = −ρ Â where min takes the unclipped term, else 0
//!
//! Reference: src/reference/ppo.rs.

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let action = mw_sampled_action(samples);
    let advantage = mw_normal_advantage(thread, samples);
    let dist = mw_dist(samples.v);
    let log_ratio = mw_dist_log_prob(dist, action) - mw_sample(samples, MW_ROW_LOG_PROB);
    let ratio = mw_lane_exp(log_ratio);
    let clip = mw_progress[thread.agent].clip_coef;
    let plain = ratio * advantage;
    let clipped = clamp(ratio, Lane(1.0 - clip), Lane(1.0 + clip)) * advantage;

    let share = samples.weight / Lane(samples.count);
    let d_log_prob = select(Lane(0.0), -plain * share, plain <= clipped);
    let slope = mw_dist_backward(dist, action, d_log_prob, -mw_each[mw_own(samples.agent)].ent_coef * share);
    @unroll for a in 0..MW_OUTPUTS { mw_d_output[a * MW_VECTORS + samples.v] = slope[a]; }
    mw_policy_terms(thread, samples, mine, -min(plain, clipped), mw_dist_entropy(dist, action), log_ratio, ratio);
}
