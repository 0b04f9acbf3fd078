//! Many steps of every world with choices that the caller made, and sums of what they leave. One thread = MW_LANES worlds,
//! whose chains of operations do not wait for each other.
//!
//!   (s_{t+1}, r_t) = step(s_t, a_t)     Σ r_t     an ended world starts its next episode at once
//!
//! for the `mw_pool.steps` steps t from `mw_pool.first` on, a multiple of MW_GIVEN_STEPS. Choices come packed: MW_GIVEN_BITS bits
//! each, so that MW_GIVEN_STEPS steps of a world are a word. The first state of the next episode is made ahead, between runs of up to
//! eight steps; a world that ends twice in a run waits for the next, and its thread with it (as in step.wgsl). Sums of a dispatch that
//! goes on come on top of those before.

@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_given: array<u32>;                     // [step / MW_GIVEN_STEPS][world]
@bind var<storage, read_write> mw_rewards: array<f32>;             // [world]
@bind var<storage, read_write> mw_endings: array<u32>;             // [world] all endings

const MW_RUN_STEPS = 8u;
const MW_GIVEN_STEPS = 32u / MW_GIVEN_BITS;

struct MwSummed {
    world: MwWorld,
    given: u32,
    next: State,     // first of the next episode, if it is ready
    ready: bool,
    waits: u32,      // ending of an episode whose successor is not ready yet
    ending: u32,
    rewards: f32,
    endings: u32,
}

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_pool.count;
    if thread.index * MW_LANES >= n { return; }
    let key = vec2<u32>(mw_progress[0].seed, MW_STREAM_TRAINING);
    var it: array<MwSummed, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        it[i].world = mw_pool_load(min(thread.index * MW_LANES + i, n - 1u));
        it[i].ending = mw_pool_ending(it[i].world);
    }
    var done = mw_pool.first;
    let last = mw_pool.first + mw_pool.steps;
    while done < last {
        @unroll for i in 0..MW_LANES {
            let index = min(thread.index * MW_LANES + i, n - 1u);
            if done % MW_GIVEN_STEPS == 0u { it[i].given = mw_given[done / MW_GIVEN_STEPS * n + index]; }
            if !it[i].ready {
                it[i].next = mw_first_state(key, index, it[i].world.begun);
                it[i].ready = true;
            }
            if it[i].waits != 0u {
                let old = it[i].world;
                it[i].world = mw_world_next(old, it[i].waits, it[i].next);
                it[i].ready = false;
                it[i].waits = 0u;
            }
        }
        var waits = false;
        let end = min(min(done + MW_RUN_STEPS, last), (done / MW_GIVEN_STEPS + 1u) * MW_GIVEN_STEPS);
        for (; done < end && !waits; done++) {
            @unroll for i in 0..MW_LANES {
                var world = it[i].world;
                let index = min(thread.index * MW_LANES + i, n - 1u);
                let word = it[i].given >> (done % MW_GIVEN_STEPS * MW_GIVEN_BITS);
                let choice = array<u32, MW_ACTION_WORDS>(word & (0xffffffffu >> (32u - MW_GIVEN_BITS)));
                let step = mw_world_step(&world, mw_action(choice), key, index);
                if step.ending != 0u && it[i].ready {
                    let old = world;
                    world = mw_world_next(old, step.ending, it[i].next);
                    it[i].ready = false;
                } else if step.ending != 0u {
                    it[i].waits = step.ending;
                    waits = true;
                }
                it[i].world = world;
                it[i].ending = step.ending;
                it[i].rewards += step.reward;
                it[i].endings |= step.ending;
            }
        }
    }
    @unroll for i in 0..MW_LANES {
        let index = thread.index * MW_LANES + i;
        // a world that waits at the end gets its next episode now
        @rare if it[i].waits != 0u {
            let old = it[i].world;
            it[i].world = mw_world_next(old, it[i].waits, mw_first_state(key, index, old.begun));
        }
        if index < n {
            let goes_on = mw_pool.first > 0u;
            mw_rewards[index] = select(0.0, mw_rewards[index], goes_on) + it[i].rewards;
            let told = mw_pool_store(index, it[i].world, it[i].ending);
            mw_endings[index] = select(0u, mw_endings[index], goes_on) | it[i].endings | told;
        }
    }
}
