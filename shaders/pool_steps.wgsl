//! Many steps of every world with actions that the caller chose, in one dispatch. One thread = one world.
//!
//!   (s_{t+1}, r_t) = step(s_t, a_t)    worlds that end begin their next episode as in pool.wgsl
//!
//! for the `mw_pool.steps` steps t from `mw_pool.first` on.
//!
//! Slot `steps` says what is kept: what every step leaves, and final observations; or the sum of the rewards, and which endings
//! there were.
//!
//! The first state of the next episode is made ahead, between runs of up to eight steps (as in step.wgsl); a world that ends twice
//! in a run makes it when it is there. What the worlds look like afterwards is for a look to see (pool.wgsl).

@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_actions: array<u32>;                   // [step][world][word], or [step][word][world]
@bind var<storage, read_write> mw_endings: array<u32>;             // [world] how the step before, and then the last, has ended
@bind var<storage, read_write> mw_rewards: array<f32>;             // [step][world], or [world]
@bind var<storage, read_write> mw_each_ending: array<u32>;         // [step][world], or [world]

const MW_RUN_STEPS = 8u;

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
    var next = world.state;   // first of the next episode, if it is ready
    var ready = false;
    var sum = 0.0;
    var endings = 0u;
    var done = mw_pool.first;
    let last = mw_pool.first + mw_pool.steps;
    while done < last {
        if !ready {
            next = mw_first_state(key, index, world.begun);
            ready = true;
        }
        let end = min(done + MW_RUN_STEPS, last);
        for (; done < end; done++) {
            let late = mw_pool.next_step != 0u && ending != 0u; // a reset takes the place of this step
            var reward = 0.0;
            if !late {
                var action: array<u32, MW_ACTION_WORDS>;
                @unroll for k in 0..MW_ACTION_WORDS {
                    action[k] = mw_actions[done * MW_ACTION_WORDS * n + mw_pool_at(index, k, MW_ACTION_WORDS)];
                }
                let step = mw_world_step(&world, mw_action(action), key, index);
                reward = step.reward;
                ending = step.ending;
            }
            let ended = !late && ending != 0u;
            mw_before_reset(world.state, done, index, ended);
            let resets = late || (mw_pool.same_step != 0u && ended);
            @rare if resets && !ready {
                next = mw_first_state(key, index, world.begun);
                ready = true;
            }
            if resets {
                let old = world;
                world = mw_world_next(old, ending, next);
                ready = false;
            }
            if late { ending = 0u; }
            mw_after_step(world.state, done, index, reward, ending);
            sum += reward;
            endings |= ending;
        }
    }
    mw_after_steps(index, sum, endings, mw_pool.first > 0u);
    mw_world_store(0u, index, n, world);
    let cut = (world.fault.x >> 16u) | mw_cut;
    mw_endings[index] = ending | select(0u, MW_SPUN_OUT, cut != 0u);
}
