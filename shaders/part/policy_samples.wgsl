//! What objectives of a policy have in common: the action, the advantage and the old distribution of a sample.

@bind var<storage, read> mw_moments: array<vec4<f32>>;         // (count, mean, squared deviations, 0) of the advantages

/// The action of Lane v; what was allowed then goes to the slot `mask`.
fn mw_sampled_action(samples: MwSamples) -> LaneAction {
    var action: LaneAction;
    @unroll for k in 0..MW_ACTION_WORDS { action[k] = mw_sample_words(samples, MW_ROW_ACTION + k); }
    mw_show_sampled_mask(samples);
    return action;
}

fn mw_show_sampled_mask(samples: MwSamples) {
    @unroll for k in 0..MW_MASK_WORDS {
        mw_mask[k * MW_VECTORS + samples.v] = mw_sample_words(samples, MW_ROW_ACTION + MW_ACTION_WORDS + k);
    }
}

/// The advantage, less the minibatch's mean and by its deviation, as norm_adv says.
fn mw_normal_advantage(thread: MwThread, samples: MwSamples) -> Lane {
    let advantage = mw_sample(samples, MW_ROW_ADVANTAGE);
    if mw_run.norm_adv == 0u { return advantage; }
    let moments = mw_moments[mw_moments_at(thread.agent)];
    if mw_run.norm_adv == 2u { return advantage - Lane(moments.y); }
    let deviation = sqrt(moments.z / max(moments.x - 1.0, 1.0));
    return (advantage - Lane(moments.y)) / Lane(deviation + 1e-8);
}

/// What the rollout kept of its distribution.
fn mw_kept_distribution(samples: MwSamples) -> array<Lane, MW_KEPT> {
    var old: array<Lane, MW_KEPT>;
    @unroll for k in 0..MW_KEPT { old[k] = mw_sample(samples, MW_ROW_OLD + k); }
    return old;
}
