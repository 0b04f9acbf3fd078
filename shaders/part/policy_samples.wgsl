//! What objectives of a policy have in common: the action and the advantage of a sample, and the terms of the metrics.

/// The action of Lane v; what was allowed then goes to the slot `mask`.
fn mw_sampled_action(samples: MwSamples) -> LaneAction {
    var action: LaneAction;
    @unroll for k in 0..MW_ACTION_WORDS { action[k] = mw_sample_words(samples, MW_ROW_ACTION + k); }
    @unroll for k in 0..MW_MASK_WORDS {
        mw_mask[k * MW_VECTORS + samples.v] = mw_sample_words(samples, MW_ROW_ACTION + MW_ACTION_WORDS + k);
    }
    return action;
}

/// The advantage, by the moments of the minibatch where norm_adv is set.
fn mw_normal_advantage(thread: MwThread, samples: MwSamples) -> Lane {
    let advantage = mw_sample(samples, MW_ROW_ADVANTAGE);
    if mw_run.norm_adv == 0u { return advantage; }
    let moments = mw_moments[thread.agent];
    let deviation = sqrt(moments.z / max(moments.x - 1.0, 1.0));
    return (advantage - Lane(moments.y)) / Lane(deviation + 1e-8);
}

fn mw_policy_terms(thread: MwThread, samples: MwSamples, mine: bool, loss: Lane, entropy: Lane, log_ratio: Lane, ratio: Lane) {
    let v = samples.v;
    mw_add_term(thread, v, mine, MW_TERM_POLICY_LOSS, loss * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_ENTROPY, entropy * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_APPROX_KL, ((ratio - Lane(1.0)) - log_ratio) * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_OLD_APPROX_KL, -log_ratio * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_CLIP_FRACTION,
        select(Lane(0.0), samples.weight, abs(ratio - Lane(1.0)) > Lane(mw_progress[thread.agent].clip_coef)));
    mw_add_term(thread, v, mine, MW_TERM_RATIO_DEVIATION, abs(ratio - Lane(1.0)) * samples.weight);
}
