//! One step of every world with actions that the caller chose, or a look at worlds as they are. One thread = one world.
//!
//!   (s', r) = step(s, a)     same_step: a world that ends starts its next episode at once
//!                            next_step: a world that had ended starts it now, r = 0, and a is ignored
//!
//! `mw_pool.steps` is 1 or 0. With no step, worlds that ended at their last one begin their next episode if `same_step`
//! is set. The observation is that of the state the world is left in; the final observation is that before a reset. Where
//! `by_world` is set actions are [world][word] and observations [world][feature].

@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_actions: array<u32>;                   // [word][world]
@bind var<storage, read_write> mw_observations: array<f32>;        // [feature][world]
@bind var<storage, read_write> mw_final_observations: array<f32>;  // [feature][world]
@bind var<storage, read_write> mw_rewards: array<f32>;             // [world]
@bind var<storage, read_write> mw_masks: array<u32>;               // [word][world] which actions are allowed next, if any are not
@bind var<storage, read_write> mw_endings: array<u32>;             // [world] MW_TERMINATED, MW_TRUNCATED, MW_SPUN_OUT

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_pool.count;
    let index = thread.index;
    if index >= n { return; }
    let key = vec2<u32>(mw_progress[0].seed, MW_STREAM_TRAINING);
    var world = mw_world_load(0u, index, n);
    var ending = mw_endings[index] & (MW_TERMINATED | MW_TRUNCATED);
    let late = mw_pool.next_step != 0u && ending != 0u; // a reset takes the place of this step
    if late { mw_rewards[index] = 0.0; }
    if mw_pool.steps > 0u && !late {
        var action: array<u32, MW_ACTION_WORDS>;
        @unroll for k in 0..MW_ACTION_WORDS { action[k] = mw_actions[mw_pool_at(index, k, MW_ACTION_WORDS)]; }
        let step = mw_world_step(&world, mw_action(action), key, index);
        mw_keep(mw_look(world.state), MW_TO_FINAL, index);
        mw_rewards[index] = step.reward;
        ending = step.ending;
    }
    if late || (mw_pool.same_step != 0u && (ending & (MW_TERMINATED | MW_TRUNCATED)) != 0u) {
        world = mw_world_next(world, ending, mw_first_state(key, index, world.begun));
        if late || mw_pool.steps == 0u { ending = 0u; }
    }
    @unroll for word in 0..MW_MASK_WORDS { mw_masks[word * n + index] = mw_mask_bits(world.state, word); }
    mw_keep(mw_look(world.state), MW_TO_POOL, index);
    mw_world_store(0u, index, n, world);
    let cut = (world.fault.x >> 16u) | mw_cut;   // what a reset cut short stays
    mw_endings[index] = ending | select(0u, MW_SPUN_OUT, cut != 0u);
}

const MW_TO_POOL = 0u;
const MW_TO_FINAL = 1u;

/// Stores number f of an observation.
fn mw_store(target_: u32, at: u32, f: u32, value: f32) {
    if target_ == MW_TO_POOL { mw_observations[mw_pool_at(at, f, MW_OBSERVATIONS)] = value; }
    if target_ == MW_TO_FINAL { mw_final_observations[mw_pool_at(at, f, MW_OBSERVATIONS)] = value; }
}
