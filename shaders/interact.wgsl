//! Steps of every world into the ring of transitions: observe, act, step, end, reset, remember. One thread = one world.
//!
//!   a_t ~ slot `explore`, or uniform     (s_{t+1}, r_t) = step(s_t, a_t)     an ended world starts its next episode at once
//!
//! World w's step t has place (t · worlds + w) mod capacity; the next observation of a transition is the true one, from
//! before a reset. An actor's outputs hold for one step; uniformly random actions need none.

@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<uniform> mw_interaction: MwInteraction;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_outputs: array<f32>;                     // [agent][output][world], of the actor
@bind var<storage, read_write> mw_current: array<f32>;               // [agent][feature][world], what the actor sees next
@bind var<storage, read_write> mw_explorers: array<u32>;             // [agent][word][world], see part/explorer.wgsl
@bind var<storage, read_write> mw_replay_before: array<f32>;           // [agent][feature][place]
@bind var<storage, read_write> mw_replay_after: array<f32>;            // [agent][feature][place]
@bind var<storage, read_write> mw_replay_steps: array<u32>;            // [agent][row][place], rows: action, reward, ending

var<private> mw_output: array<Lane, MW_OUTPUTS>;                     // what slot `distribution` is made of

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_replay.worlds;
    let index = thread.index;
    if index >= n { return; }
    let agent = thread.agent;
    let key = vec2<u32>(mw_progress[agent].seed, MW_STREAM_TRAINING);
    var world = mw_world_load(agent, index, n);
    if mw_interaction.first != 0u { world.episodes = MwEpisodes(); }
    var place = mw_next_place(agent, index, n);
    var began_anew = mw_began_anew(agent, index, n);
    let explorer = agent * MW_EXPLORER_WORDS * n + index;
    var noise: array<Lane, MW_ACTS>;
    @unroll for i in 0..MW_PROCESSES { noise[i] = bitcast<f32>(mw_explorers[explorer + (1u + i) * n]); }
    let staged = mw_replay.staged != 0u;
    let stride = select(mw_replay.capacity, n, staged);
    for (var t = 0u; t < mw_interaction.steps; t++) {
        // observe
        let kept = agent * MW_FEATURES * stride + select(place, index, staged);
        mw_keep(mw_look(world.state), MW_TO_BEFORE, kept);
        world.fault = mw_fault_of_observation(world.fault, mw_take_unsound(), world.steps);
        // act
        var words: array<u32, MW_ACTION_WORDS>;
        if mw_interaction.uniform_ != 0u {
            let call = mw_world_words(key, index, world.steps / MW_CALL_STEPS, MW_PURPOSE_ACTION, 0u);
            words = mw_action_words(mw_random_action(call, world.steps, index, key));
        } else {
            @unroll for o in 0..MW_OUTPUTS { mw_output[o] = mw_outputs[(agent * MW_OUTPUTS + o) * n + index]; }
            words = mw_explore(mw_dist(0u), key, index, world.steps, &noise);
        }
        // step, end, remember
        let step = mw_world_step(&world, mw_action(words), key, index);
        world.fault = mw_fault_of_reward(world.fault, step.reward, world.steps - 1u);
        let at = agent * MW_TRANSITION_ROWS * mw_replay.capacity + place;
        @unroll for k in 0..MW_ACTION_WORDS { mw_replay_steps[at + k * mw_replay.capacity] = words[k]; }
        mw_replay_steps[at + MW_TRANSITION_REWARD * mw_replay.capacity] = bitcast<u32>(step.reward);
        mw_replay_steps[at + MW_TRANSITION_ENDING * mw_replay.capacity] = step.ending;
        mw_keep(mw_look(world.state), MW_TO_AFTER, kept);
        world.fault = mw_fault_of_observation(world.fault, mw_take_unsound(), world.steps);
        @rare if step.ending != 0u {
            let old = world;
            world = mw_world_next(old, step.ending, mw_first_state(key, index, old.begun));
            noise = array<Lane, MW_ACTS>();
        }
        place += n;
        if place >= mw_replay.capacity {
            place -= mw_replay.capacity;
            began_anew = true;
        }
    }
    mw_keep(mw_look(world.state), MW_TO_CURRENT, agent * MW_FEATURES * n + index);
    mw_explorers[explorer] = place | select(0u, MW_BEGAN_ANEW, began_anew);
    @unroll for i in 0..MW_PROCESSES { mw_explorers[explorer + (1u + i) * n] = bitcast<u32>(noise[i]); }
    mw_world_store(agent, index, n, world);
}

const MW_TO_BEFORE = 0u;
const MW_TO_AFTER = 1u;
const MW_TO_CURRENT = 2u;

/// Stores number f of an observation.
fn mw_store(target_: u32, at: u32, f: u32, value: f32) {
    let stride = select(mw_replay.capacity, mw_replay.worlds, mw_replay.staged != 0u);
    if target_ == MW_TO_BEFORE { mw_replay_before[at + f * stride] = value; }
    if target_ == MW_TO_AFTER { mw_replay_after[at + f * stride] = value; }
    if target_ == MW_TO_CURRENT { mw_current[at + f * mw_replay.worlds] = value; }
}
