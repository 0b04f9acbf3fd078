//! Slot `mask`: the environment says which actions are allowed. Logits of the others become a large finite negative
//! number, which makes their probability 0, their logarithm finite and their gradient 0.

var<private> mw_mask: array<LaneWord, MW_MASK_WORDS * MW_VECTORS>;   // [word][vector], a bit for each action

fn mw_masked(logit: Lane, choice: u32, v: u32) -> Lane {
    let word = mw_mask[choice / 32u * MW_VECTORS + v];
    return select(Lane(MW_MASKED_LOGIT), logit, ((word >> LaneWord(choice % 32u)) & LaneWord(1u)) == LaneWord(1u));
}
