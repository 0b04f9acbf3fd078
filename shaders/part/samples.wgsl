//! The samples of an invocation: what the rollout kept of them.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

/// Lane v of this invocation's samples: their columns, and 1 or 0 for those past the end of the minibatch.
struct MwSamples { agent: u32, column: array<u32, MW_LANES>, weight: Lane, count: f32, v: u32 }

fn mw_sample_words(samples: MwSamples, row: u32) -> LaneWord {
    var word: array<u32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        word[i] = mw_samples[(samples.agent * MW_ROWS + row) * mw_run.batch_size + samples.column[i]];
    }
    return mw_lane_from_words(word);
}

fn mw_sample(samples: MwSamples, row: u32) -> Lane { return bitcast<Lane>(mw_sample_words(samples, row)); }
