//! What an objective leaves of an invocation's samples for the metrics.

@bind var<storage, read_write> mw_terms: array<f32>;           // [agent][term][invocation of the minibatch]

var<private> mw_term: array<f32, MW_TERMS>;

/// Adds Lane v to a term; the last Lane writes the sum.
fn mw_add_term(thread: MwThread, v: u32, mine: bool, term: u32, value: Lane) {
    let sum = select(mw_term[term], 0.0, v == 0u) + mw_lane_sum(value);
    mw_term[term] = sum;
    if v + 1u == MW_VECTORS && mine {
        let threads = mw_run.minibatch_threads;
        mw_terms[(thread.agent * MW_TERMS + term) * threads + mw_sample_range.first / MW_SAMPLES + thread.index] = sum;
    }
}
