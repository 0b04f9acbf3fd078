//! Slot `noise`: actions take the same random numbers for MW_SDE_STEPS steps of an episode, then others. A window begins
//! with the episode: what came before a reset does not reach behind it.

const MW_NOISE_PURPOSE = MW_PURPOSE_EXPLORATION;

/// The step of a world whose random numbers its next action takes: that with which its window began.
fn mw_noise_step(world: MwWorld) -> u32 { return world.steps - world.episode_length % MW_SDE_STEPS; }
