//! Slot `memory`: none; hidden units stay in registers (`part/mlp.wgsl`).

fn mw_use_workspace(thread: MwThread, threads: u32) {}
