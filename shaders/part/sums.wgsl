//! Where the sums that a step stands on lie, [agent][norm_blocks squares of the gradient, then term_blocks × MW_TERMS terms].

fn mw_norm_at(agent: u32, block: u32) -> u32 {
    return agent * (mw_run.norm_blocks + MW_TERMS * mw_run.term_blocks) + block;
}

fn mw_term_at(agent: u32, block: u32) -> u32 {
    return mw_norm_at(agent, mw_run.norm_blocks) + MW_TERMS * block;
}
