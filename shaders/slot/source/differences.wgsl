//! Slot `source`: the first row of every second agent's rollouts minus that of the next one's: two θ, the same random
//! numbers. What is called an agent here is a pair of them; `stride` is the distance between agents.

@bind var<storage, read> mw_rollout_rows: array<f32>;                  // [agent][row][rollout]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    let at = 2u * agent * mw_blocks.stride + i;
    return mw_single(mw_rollout_rows[at] - mw_rollout_rows[at + mw_blocks.stride]);
}
