//! Where the partial gradients of slices lie: [agent][block of MW_PARTIAL_BLOCK words][slice of the window][word].
//!
//! Neighbouring slices of a block are neighbours in memory, so that whoever adds them reads straight on.

fn mw_partial_at(agent: u32, slice: u32, word: u32) -> u32 {
    let block = agent * MW_PARTIAL_BLOCKS + word / MW_PARTIAL_BLOCK;
    return (block * mw_sample_range.slices + slice) * MW_PARTIAL_BLOCK + word % MW_PARTIAL_BLOCK;
}
