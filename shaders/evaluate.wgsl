//! One episode in each world under the policy, from a reset to its first ending. One thread = MW_SAMPLES worlds.
//! Evaluation worlds have their own random stream; the policy takes its most likely action, or samples.
//! A world that has ended waits; dispatches go on until every world has had time to end, or for 10,000 steps where there is
//! no step limit. An episode that still runs then is cut off: its ending stays 0, and it is counted as unfinished.
//!
//! Fault: the first word of part/sound.wgsl's, or −(the loop that was cut short); 0 = none.

@bind var<uniform> mw_worlds: MwWorlds;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_outcomes: array<vec4<f32>>;   // [agent][world] (return, length, ending, fault); ending 0 = still running

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_worlds.count;
    mw_use_workspace(thread, (n + MW_SAMPLES - 1u) / MW_SAMPLES);
    let key = vec2<u32>(mw_progress[thread.agent].seed, mw_worlds.stream + mw_progress[thread.agent].update);
    var world: array<MwWorld, MW_SAMPLES>;
    var index: array<u32, MW_SAMPLES>;
    var stream: array<u32, MW_SAMPLES>;
    var mine: array<bool, MW_SAMPLES>;
    var ending: array<u32, MW_SAMPLES>;
    @unroll for i in 0..MW_SAMPLES {
        index[i] = min(thread.index * MW_SAMPLES + i, n - 1u);
        stream[i] = mw_stream_of(index[i]);
        mine[i] = thread.index * MW_SAMPLES + i < n;
        if mw_worlds.first == 0u {
            world[i] = mw_world_first(key, stream[i]);
            ending[i] = 0u;
        } else {
            world[i] = mw_world_load(thread.agent, index[i], n);
            ending[i] = u32(mw_outcomes[thread.agent * n + index[i]].z);
        }
    }
    let steps_of_all = mw_worlds.steps;
    for (var t = 0u; t < steps_of_all; t++) {
        var running = false;
        @unroll for i in 0..MW_SAMPLES { running |= ending[i] == 0u; }
        if mw_may_leave(running) { break; }
        let cut = mw_cut;
        mw_observe(thread.agent, world);
        mw_cut = select(cut, mw_cut, running);   // what worlds do that have ended is nobody's
        var steps: array<u32, MW_SAMPLES>;
        @unroll for i in 0..MW_SAMPLES { steps[i] = mw_noise_step(world[i]); }
        let acted = mw_act(thread, key, stream, steps, mw_worlds.sampled != 0u);
        @unroll for i in 0..MW_SAMPLES {
            let before = mw_cut;
            var after = world[i];
            let step = mw_world_step(&after, mw_action(acted.bounded[i]), key, stream[i]);
            mw_cut = select(before, mw_cut, ending[i] == 0u);
            if ending[i] == 0u {
                let found = select(mw_unsound_in[i], mw_unsound_shown, mw_unsound_in[i].x == 0u);
                let seen = mw_fault_of_observation(world[i].fault, found, world[i].steps);
                world[i] = after;
                world[i].fault = mw_fault_of_reward(seen, step.reward, after.steps - 1u);
                ending[i] = step.ending;
            }
        }
    }
    @unroll for i in 0..MW_SAMPLES {
        if mine[i] {
            mw_world_store(thread.agent, index[i], n, world[i]);
            mw_watch_store(thread.agent, index[i], mw_worlds.first == 0u);
            let fault = mw_fault_of_loops(world[i].fault).x;
            let told = select(f32(fault), -f32(fault >> 16u), fault >= 0x10000u);
            mw_outcomes[thread.agent * n + index[i]] =
                vec4<f32>(mw_sum_of(world[i].episode_return), f32(world[i].episode_length), f32(ending[i]), told);
        }
    }
}
