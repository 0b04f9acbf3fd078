//! Slot `noise`: an action takes random numbers of its own.

const MW_NOISE_PURPOSE = MW_PURPOSE_ACTION;

/// The step of a world whose random numbers its next action takes.
fn mw_noise_step(world: MwWorld) -> u32 { return world.steps; }
