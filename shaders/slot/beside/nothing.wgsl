//! Slot `beside`: what is done beside the sums of slices. Nothing: where a processor plays the GPU every workgroup would go through the
//! code of all of them (`sum_terms.wgsl` has a dispatch of its own).

fn mw_beside(agent: u32, block: u32, local: u32, count: u32) {}
