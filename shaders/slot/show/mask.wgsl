//! Slot `show`: the policy is shown which actions the environment allows.

fn mw_show_mask(world: array<MwWorld, MW_SAMPLES>) {
    @unroll for word in 0..MW_MASK_WORDS {
        @unroll for v in 0..MW_VECTORS {
            var bits: array<u32, MW_LANES>;
            @unroll for i in 0..MW_LANES { bits[i] = mw_mask_bits(world[v * MW_LANES + i].state, word); }
            mw_mask[word * MW_VECTORS + v] = mw_lane_from_words(bits);
        }
    }
}
