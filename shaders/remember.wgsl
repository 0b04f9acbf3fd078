//! The observations of the step that worlds have just made, into a part of the ring that holds some of the features. One
//! thread = one world.
//!
//! A ring whose observations do not fit one binding lies in several parts; `interact.wgsl` then leaves those of one step as
//! [feature][world], and every part is filled from there.

@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<uniform> mw_feature_range: MwFeatureRange;
@bind var<storage, read> mw_explorers: array<u32>;                   // [agent][word][world], see part/explorer.wgsl
@bind var<storage, read> mw_staged_before: array<f32>;               // [agent][feature][world]
@bind var<storage, read> mw_staged_after: array<f32>;                // [agent][feature][world]
@bind var<storage, read_write> mw_replay_before: array<f32>;           // [agent][feature of the part][place]
@bind var<storage, read_write> mw_replay_after: array<f32>;            // [agent][feature of the part][place]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_replay.worlds;
    let capacity = mw_replay.capacity;
    if thread.index >= n { return; }
    // the world has moved on to its next place
    let place = (mw_next_place(thread.agent, thread.index, n) + capacity - n) % capacity;
    for (var f = 0u; f < mw_feature_range.count; f++) {
        let from_ = (thread.agent * MW_FEATURES + mw_feature_range.first + f) * n + thread.index;
        let to = (thread.agent * mw_feature_range.count + f) * capacity + place;
        mw_replay_before[to] = mw_staged_before[from_];
        mw_replay_after[to] = mw_staged_after[from_];
    }
}
