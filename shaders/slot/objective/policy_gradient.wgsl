//! Slot `objective`: the policy gradient with an entropy bonus (Williams 1992; Mnih et al. 2016).
//!
//!   loss = −log π(a|o) Φ − c_H · H        Φ = (A − mean)/(std + 1e-8) when norm_adv is set, else A
//!   ∂loss/∂log π = −Φ
//!
//! Reference: src/reference/ppo.rs (policy_gradient_loss).

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let action = mw_sampled_action(samples);
    let advantage = mw_normal_advantage(thread, samples);
    let dist = mw_dist(samples.v);
    let log_prob = mw_dist_log_prob(dist, action);
    let share = samples.weight / Lane(samples.count);
    let slope = mw_dist_backward(dist, action, -advantage * share, -mw_each[mw_own(samples.agent)].ent_coef * share);
    @unroll for a in 0..MW_OUTPUTS { mw_d_output[a * MW_VECTORS + samples.v] = slope[a]; }
    let log_ratio = log_prob - mw_sample(samples, MW_ROW_LOG_PROB);
    mw_policy_terms(thread, samples, mine, -log_prob * advantage, mw_dist_entropy(dist, action), log_ratio, mw_lane_exp(log_ratio));
}
