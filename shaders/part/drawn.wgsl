//! What is known of the transitions of a minibatch beside their observations, a row each: the return over the steps of the
//! window, what the value behind it counts, the entropy bonus there, log π of the action that is being judged; then three
//! actions as critics see them (taken, next, chosen), and the noise of the last two.
//!
//! Random numbers are data: `replay_minibatch.wgsl` makes them, whatever follows is a plain function of what lies here.

@bind var<storage, read_write> mw_drawn: array<f32>;           // [agent][row][sample]

fn mw_drawn_at(agent: u32, row: u32, sample: u32, count: u32) -> u32 {
    return (agent * MW_DRAWN_ROWS + row) * count + sample;
}
