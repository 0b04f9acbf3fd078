//! Slot `source`: a row of what rollouts left. What is called an agent here is (agent, row).

@bind var<storage, read> mw_rollout_rows: array<f32>;                  // [agent][row][rollout]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element { return mw_single(mw_rollout_rows[agent * mw_blocks.count + i]); }
