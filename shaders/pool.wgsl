//! A step of every world with actions that the caller chose, or a look at worlds as they are. One thread = one world.
//!
//!   (s', r) = step(s, a)     same_step: a world that ends starts its next episode at once
//!                            next_step: a world that had ended starts it now, r = 0, and a is ignored
//!
//! `mw_pool.steps` is 1 or 0. With no step, worlds that ended at their last one begin their next episode if `same_step` is set, and
//! those whose first word of an action is an ending if `chosen` is. The observation is that of the state the world is left in; the final
//! observation is that before a reset. Where `by_world` is set actions are [row][world][word] and observations
//! [row][world][feature], final observations are those of ended episodes only, and where `adds` is rewards and endings come on top
//! of those that are there.

@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_actions: array<u32>;                   // [row][word][world]
@bind var<storage, read_write> mw_observations: array<f32>;        // [row][feature][world]
@bind var<storage, read_write> mw_final_observations: array<f32>;  // [row][feature][world]
@bind var<storage, read_write> mw_rewards: array<f32>;             // [row][world]
@bind var<storage, read_write> mw_masks: array<u32>;               // [word][world] which actions are allowed next, if any are not
@bind var<storage, read_write> mw_endings: array<u32>;             // [row][world] MW_TERMINATED, MW_TRUNCATED, MW_SPUN_OUT

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_pool.count;
    let index = thread.index;
    if index >= n { return; }
    let key = vec2<u32>(mw_progress[0].seed, MW_STREAM_TRAINING);
    var world = mw_pool_load(index);
    var action: array<u32, MW_ACTION_WORDS>;
    @unroll for k in 0..MW_ACTION_WORDS {
        action[k] = mw_actions[mw_pool.action_row * n * MW_ACTION_WORDS + mw_pool_at(index, k, MW_ACTION_WORDS)];
    }
    var ending = mw_pool_ending(world);
    let chosen = (mw_pool.chosen != 0u) & (action[0] != 0u);
    let late = (mw_pool.next_step != 0u) & (ending != 0u); // a reset takes the place of this step
    var reward = 0.0;
    if (mw_pool.steps > 0u) & !late {
        let step = mw_world_step(&world, mw_action(action), key, index);
        reward = step.reward;
        ending = step.ending;
    }
    let resets = late | chosen | ((mw_pool.same_step != 0u) & (ending != 0u));
    @rare if (mw_pool.steps > 0u) & !late & ((mw_pool.by_world == 0u) | resets) {
        mw_keep(mw_look(world.state), MW_TO_FINAL, index);
    }
    @rare if resets {
        let old = world;
        world = mw_world_next(old, select(ending, action[0], chosen), mw_first_state(key, index, old.begun));
        ending = select(ending, 0u, late | (mw_pool.steps == 0u));
    }
    @unroll for word in 0..MW_MASK_WORDS { mw_masks[word * n + index] = mw_mask_bits(world.state, word); }
    mw_keep(mw_look(world.state), MW_TO_POOL, index);
    var told = mw_pool_store(index, world, ending);
    @rare if mw_pool.adds != 0u {
        reward += mw_rewards[index];
        told |= mw_endings[index];
    }
    mw_rewards[mw_pool.row * n + index] = reward;
    mw_endings[mw_pool.row * n + index] = told;
}

const MW_TO_POOL = 0u;
const MW_TO_FINAL = 1u;

/// Stores number f of an observation.
fn mw_store(target_: u32, world: u32, f: u32, value: f32) {
    let at = mw_pool.row * mw_pool.count * MW_OBSERVATIONS + mw_pool_at(world, f, MW_OBSERVATIONS);
    if target_ == MW_TO_POOL { mw_observations[at] = value; }
    if target_ == MW_TO_FINAL { mw_final_observations[at] = value; }
}
