//! Steps of worlds with uniformly random actions: step, end, reset, count; nothing else is kept. One thread = MW_LANES
//! worlds, whose chains of operations do not wait for each other.
//!
//!   a_t ~ U(actions)     (s_{t+1}, r_t) = step(s_t, a_t)     an ended world starts its next episode at once
//!
//! A call of the generator serves MW_CALL_STEPS steps, up to 128 (slot `action`). The first state of the next episode is made ahead.
//! Worlds are stepped in runs of up to eight; between runs each gets what it lacks, words or a first state, from one
//! call of the generator. (Adapters that mask branches pay for a call in every step otherwise, for all lanes.) A world
//! that ends twice in a run waits for the next, and its thread with it. All worlds have made the same number of steps.

@bind var<uniform> mw_worlds: MwWorlds;
@bind var<storage, read> mw_progress: array<MwProgress>;

/// Steps of a run.
const MW_RUN_STEPS = min(8u, MW_CALL_STEPS);

struct MwStepped {
    world: MwWorld,
    words: vec4<u32>,   // of call `call` − 1
    call: u32,
    next: State,        // first of the next episode, if it is ready
    ready: bool,
    ending: u32,        // of an episode whose successor is not ready yet
}

/// One call of the generator for what the world lacks.
fn mw_refill(old: MwStepped, key: vec2<u32>, index: u32) -> MwStepped {
    var it = old;
    let call = it.world.steps / MW_CALL_STEPS + 1u;
    let lacks_words = it.call != call;
    let begun = it.world.begun;
    let wanted = select(vec2<u32>(begun, MW_PURPOSE_RESET), vec2<u32>(call - 1u, MW_PURPOSE_ACTION), lacks_words);
    let out = mw_world_words(key, index, wanted.x, wanted.y, 0u);
    if lacks_words {
        it.words = out;
        it.call = call;
    } else if !it.ready {
        var rng = mw_rng_filled(key, index, begun, MW_PURPOSE_RESET, out);
        mw_spins = 0u;
        it.next = env_reset(&rng);
        it.ready = true;
    }
    if it.ending != 0u && it.ready {
        it.world = mw_world_next(it.world, it.ending, it.next);
        it.ready = false;
        it.ending = 0u;
    }
    return it;
}

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_worlds.count;
    if thread.index * MW_LANES >= n { return; }
    let key = vec2<u32>(mw_progress[thread.agent].seed, mw_worlds.stream);
    var it: array<MwStepped, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        it[i].world = mw_world_load(thread.agent, min(thread.index * MW_LANES + i, n - 1u), n);
    }
    var done = 0u;
    while done < mw_worlds.steps {
        var waits = false;
        @unroll for i in 0..MW_LANES {
            let old = it[i];
            it[i] = mw_refill(old, key, min(thread.index * MW_LANES + i, n - 1u));
            waits |= it[i].ending != 0u;
        }
        let end = min(done + MW_RUN_STEPS - it[0].world.steps % MW_RUN_STEPS, mw_worlds.steps);
        for (; done < end && !waits; done++) {
            @unroll for i in 0..MW_LANES {
                var world = it[i].world;
                let index = min(thread.index * MW_LANES + i, n - 1u);
                let action = mw_random_action(it[i].words, world.steps, index, key);
                let step = mw_world_step(&world, action, key, index);
                if step.ending != 0u && it[i].ready {
                    world = mw_world_next(world, step.ending, it[i].next);
                    it[i].ready = false;
                } else if step.ending != 0u {
                    it[i].ending = step.ending;
                    waits = true;
                }
                it[i].world = world;
            }
        }
    }
    @unroll for i in 0..MW_LANES {
        // a world that waits at the end gets its next episode now
        @rare if it[i].ending != 0u {
            let old = it[i].world;
            it[i].world = mw_world_next(old, it[i].ending, mw_first_state(key, thread.index * MW_LANES + i, old.begun));
        }
        if thread.index * MW_LANES + i < n { mw_world_store(thread.agent, thread.index * MW_LANES + i, n, it[i].world); }
    }
}
