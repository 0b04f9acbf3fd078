//! What the policy does in every world, for worlds that another kernel steps: observe, act. One thread = MW_SAMPLES worlds.
//!
//!   a ~ π(· | o), or the most likely a; in the form in which environments get it: clipped or squashed

@bind var<uniform> mw_worlds: MwWorlds;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_actions: array<u32>;   // [word][world]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_worlds.count;
    mw_use_workspace(thread, (n + MW_SAMPLES - 1u) / MW_SAMPLES);
    let key = vec2<u32>(mw_progress[thread.agent].seed, mw_worlds.stream);
    var world: array<MwWorld, MW_SAMPLES>;
    var index: array<u32, MW_SAMPLES>;
    var steps: array<u32, MW_SAMPLES>;
    @unroll for i in 0..MW_SAMPLES {
        index[i] = min(thread.index * MW_SAMPLES + i, n - 1u);
        world[i] = mw_world_load(thread.agent, index[i], n);
        steps[i] = mw_noise_step(world[i]);
    }
    mw_observe(thread.agent, world);
    let acted = mw_act(thread, key, index, steps, mw_worlds.sampled != 0u);
    @unroll for i in 0..MW_SAMPLES {
        if thread.index * MW_SAMPLES + i < n {
            @unroll for k in 0..MW_ACTION_WORDS { mw_actions[k * n + index[i]] = acted.bounded[i][k]; }
        }
    }
}
