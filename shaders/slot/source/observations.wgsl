//! Slot `source`: one feature of the batch's observations. What is called an agent here is (agent, feature).

@bind var<storage, read> mw_observations: array<f32>;          // [agent][feature][step][world]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element { return mw_single(mw_observations[agent * mw_blocks.count + i]); }
