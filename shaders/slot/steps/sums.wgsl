//! Slot `steps`: the sum of the rewards of all steps is kept, and which endings there were.

fn mw_before_reset(state: State, step: u32, world: u32, ended: bool) {}

fn mw_after_step(state: State, step: u32, world: u32, reward: f32, ending: u32) {}

/// Sums of a dispatch that goes on come on top of those before.
fn mw_after_steps(world: u32, rewards: f32, endings: u32, goes_on: bool) {
    mw_rewards[world] = select(0.0, mw_rewards[world], goes_on) + rewards;
    mw_each_ending[world] = select(0u, mw_each_ending[world], goes_on) | endings;
}
