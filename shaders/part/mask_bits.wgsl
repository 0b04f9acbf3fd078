//! Which actions an environment allows, as words of bits.

/// Word `word`, a constant: bit b of it is action 32 word + b.
fn mw_mask_bits(state: State, word: u32) -> u32 {
    mw_spins = 0u;
    let allowed = env_action_mask(state);
    var bits = 0u;
    @unroll for a in 0..MW_CHOICES {
        if a / 32u == word { bits |= select(0u, 1u << (a % 32u), allowed[a]); }
    }
    return bits;
}
