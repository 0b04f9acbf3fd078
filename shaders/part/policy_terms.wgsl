//! The terms of every loss of a policy.

fn mw_policy_terms(thread: MwThread, samples: MwSamples, mine: bool, loss: Lane, entropy: Lane, log_ratio: Lane, ratio: Lane) {
    let v = samples.v;
    mw_add_term(thread, v, mine, MW_TERM_POLICY_LOSS, loss * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_ENTROPY, entropy * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_APPROX_KL, ((ratio - Lane(1.0)) - log_ratio) * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_OLD_APPROX_KL, -log_ratio * samples.weight);
    mw_add_term(thread, v, mine, MW_TERM_CLIP_FRACTION,
        select(Lane(0.0), samples.weight, abs(ratio - Lane(1.0)) > Lane(mw_run.clip_coef)));
    mw_add_term(thread, v, mine, MW_TERM_RATIO_DEVIATION, abs(ratio - Lane(1.0)) * samples.weight);
}
