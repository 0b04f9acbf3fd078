//! Slot `objective`: the clipped surrogate with an entropy bonus (Schulman et al. 2017).
//!
//!   ρ = exp(log π(a|o) − log π_old(a|o))
//!   loss = −min(ρ Â, clamp(ρ, 1−ε, 1+ε) Â) − c_H · H        Â = (A − mean)/(std + 1e-8) when norm_adv is set
//!   ∂loss/∂log π = −ρ Â where min takes the unclipped term, else 0
//!
//! Reference: src/reference/ppo.rs.

@bind var<storage, read> mw_moments: array<vec4<f32>>;         // [agent] (count, mean, squared deviations, 0)

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    var action: LaneAction;
    @unroll for k in 0..MW_ACTION_WORDS { action[k] = mw_sample_words(samples, MW_ROW_ACTION + k); }
    let old_log_prob = mw_sample(samples, MW_ROW_LOG_PROB);
    var advantage = mw_sample(samples, MW_ROW_ADVANTAGE);
    if mw_run.norm_adv != 0u {
        let moments = mw_moments[thread.agent];
        let deviation = sqrt(moments.z / max(moments.x - 1.0, 1.0));
        advantage = (advantage - Lane(moments.y)) / Lane(deviation + 1e-8);
    }
    let v = samples.v;
    @unroll for k in 0..MW_MASK_WORDS {
        mw_mask[k * MW_VECTORS + v] = mw_sample_words(samples, MW_ROW_ACTION + MW_ACTION_WORDS + k);
    }
    let dist = mw_dist(v);
    let log_ratio = mw_dist_log_prob(dist, action) - old_log_prob;
    let ratio = mw_lane_exp(log_ratio);
    let entropy = mw_dist_entropy(dist);
    let clip = mw_run.clip_coef;
    let plain = ratio * advantage;
    let clipped = clamp(ratio, Lane(1.0 - clip), Lane(1.0 + clip)) * advantage;

    let share = samples.weight / Lane(samples.count);
    let d_log_prob = select(Lane(0.0), -plain * share, plain <= clipped);
    let d_entropy = -mw_run.ent_coef * share;
    @unroll for a in 0..MW_CHOICES {
        mw_d_output[a * MW_VECTORS + v] = mw_dist_backward(dist, action, d_log_prob, d_entropy, a);
    }
    mw_add_term(thread, v, mine, MW_TERM_POLICY_LOSS, -min(plain, clipped) * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_ENTROPY, entropy * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_APPROX_KL, ((ratio - Lane(1.0)) - log_ratio) * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_OLD_APPROX_KL, -log_ratio * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_CLIP_FRACTION,
        select(Lane(0.0), samples.weight, abs(ratio - Lane(1.0)) > Lane(clip)));
    mw_add_term(thread, v, mine, MW_TERM_RATIO_DEVIATION, abs(ratio - Lane(1.0)) * samples.weight);
}
