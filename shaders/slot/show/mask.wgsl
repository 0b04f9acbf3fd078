//! Slot `show`: the policy is shown which actions the environment allows.

fn mw_show_mask(world: array<MwWorld, MW_SAMPLES>) {
    var allowed: array<ActionMask, MW_SAMPLES>;
    @unroll for i in 0..MW_SAMPLES { allowed[i] = env_action_mask(world[i].state); }
    @unroll for word in 0..MW_MASK_WORDS {
        @unroll for v in 0..MW_VECTORS {
            var bits: array<u32, MW_LANES>;
            @unroll for i in 0..MW_LANES {
                @unroll for bit in 0..32 {
                    const a = word * 32u + bit;
                    if a < MW_CHOICES { bits[i] |= select(0u, 1u << bit, allowed[v * MW_LANES + i][min(a, MW_CHOICES - 1u)]); }
                }
            }
            mw_mask[word * MW_VECTORS + v] = mw_lane_from_words(bits);
        }
    }
}
