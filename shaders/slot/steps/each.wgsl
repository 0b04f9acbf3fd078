//! Slot `steps`: what every step leaves is kept, and the final observations of steps that end an episode.

@bind var<storage, read_write> mw_observations: array<f32>;        // [step][world][feature], or [step][feature][world]
@bind var<storage, read_write> mw_final_observations: array<f32>;  // the same, where a step ended an episode

const MW_TO_POOL = 0u;
const MW_TO_FINAL = 1u;

/// Where the observations of the step begin that is made.
var<private> mw_first: u32;

fn mw_before_reset(state: State, step: u32, world: u32, ended: bool) {
    mw_first = step * mw_pool.count * MW_OBSERVATIONS;
    @rare if ended { mw_keep(mw_look(state), MW_TO_FINAL, world); }
}

fn mw_after_step(state: State, step: u32, world: u32, reward: f32, ending: u32) {
    mw_keep(mw_look(state), MW_TO_POOL, world);
    mw_rewards[step * mw_pool.count + world] = reward;
    mw_each_ending[step * mw_pool.count + world] = ending;
}

fn mw_after_steps(world: u32, rewards: f32, endings: u32, goes_on: bool) {}

/// Stores number f of an observation.
fn mw_store(target_: u32, world: u32, f: u32, value: f32) {
    let at = mw_first + mw_pool_at(world, f, MW_OBSERVATIONS);
    if target_ == MW_TO_POOL { mw_observations[at] = value; }
    if target_ == MW_TO_FINAL { mw_final_observations[at] = value; }
}
