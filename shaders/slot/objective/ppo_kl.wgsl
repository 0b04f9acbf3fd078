//! Slot `objective`: the surrogate with a penalty on the divergence from the rollout's policy (Schulman et al. 2017,
//! section 4).
//!
//!   ρ = exp(log π(a|o) − log π_old(a|o))
//!   loss = −ρ Â + β KL(π_old ‖ π) − c_H · H        Â = (A − mean)/(std + 1e-8) when norm_adv is set
//!   ∂loss/∂log π = −ρ Â
//!
//! β is the agent's own (`MwProgress.beta`); finish_update.wgsl moves it.
//! Reference: src/reference/ppo.rs.

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let action = mw_sampled_action(samples);
    let advantage = mw_normal_advantage(thread, samples);
    let dist = mw_dist(samples.v);
    let log_ratio = mw_dist_log_prob(dist, action) - mw_sample(samples, MW_ROW_LOG_PROB);
    let ratio = mw_lane_exp(log_ratio);
    let old = mw_kept_distribution(samples);
    let beta = mw_progress[thread.agent].beta;

    let share = samples.weight / Lane(samples.count);
    let slope = mw_dist_backward(dist, action, -ratio * advantage * share, -mw_each[mw_own(samples.agent)].ent_coef * share);
    let kl_slope = mw_dist_kl_backward(old, dist);
    @unroll for a in 0..MW_OUTPUTS { mw_d_output[a * MW_VECTORS + samples.v] = fma(beta * share, kl_slope[a], slope[a]); }
    mw_policy_terms(thread, samples, mine, -ratio * advantage, mw_dist_entropy(dist, action), log_ratio, ratio);
    mw_add_term(thread, samples.v, mine, MW_TERM_KL, mw_dist_kl(old, dist) * samples.weight);
}
