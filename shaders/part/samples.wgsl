//! The samples of an invocation of a gradient kernel: what the rollout kept of them, and the objective's terms.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]
@bind var<storage, read_write> mw_terms: array<f32>;           // [agent][term][invocation of the minibatch]

/// Lane v of this invocation's samples: their columns, and 1 or 0 for those past the end of the minibatch.
struct MwSamples { agent: u32, column: array<u32, MW_LANES>, weight: Lane, count: f32, v: u32 }

var<private> mw_term: array<f32, MW_TERMS>;

fn mw_sample_words(samples: MwSamples, row: u32) -> LaneWord {
    var word: array<u32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        word[i] = mw_samples[(samples.agent * MW_ROWS + row) * mw_run.batch_size + samples.column[i]];
    }
    return mw_lane_from_words(word);
}

fn mw_sample(samples: MwSamples, row: u32) -> Lane { return bitcast<Lane>(mw_sample_words(samples, row)); }

/// Adds Lane v to a term; the last Lane writes the sum.
fn mw_add_term(thread: MwThread, v: u32, mine: bool, term: u32, value: Lane) {
    let sum = select(mw_term[term], 0.0, v == 0u) + mw_lane_sum(value);
    mw_term[term] = sum;
    if v + 1u == MW_VECTORS && mine {
        let threads = mw_run.minibatch_threads;
        mw_terms[(thread.agent * MW_TERMS + term) * threads + mw_window.first / MW_SAMPLES + thread.index] = sum;
    }
}
