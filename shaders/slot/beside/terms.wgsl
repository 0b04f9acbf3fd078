//! Slot `beside`: what is done beside the sums of slices. Terms: workgroups behind those sum the terms of the minibatch, one block each,
//! and the first one copies where the agent stands, for the step (part/step.wgsl), which moves on what everybody else reads.

@bind var<storage, read_write> mw_progress_before: array<MwProgress>;

fn mw_beside(agent: u32, block: u32, local: u32, count: u32) {
    if block >= mw_run.norm_blocks { mw_put_terms(agent, block - mw_run.norm_blocks, local, count); }
    if block == 0u && local == 0u { mw_progress_before[agent] = mw_progress[agent]; }
}
