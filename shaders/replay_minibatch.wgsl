//! A minibatch of transitions from the ring, uniformly and independently, and the noise that actions in it will have. One
//! thread = one sample.
//!
//! From the place that is drawn on, up to n steps of the same world make one transition; its window ends with the episode,
//! and at the newest step that is stored:
//!
//!   R = Σ_{i<k} γⁱ r_i        d = γᵏ, 0 where the last step terminated        s' = the observation after the last step
//!
//! A rank has MW_SHARDS blocks of the run's worlds, and as many samples of each: they have the numbers that they would have in a
//! single process, from MW_FIRST_SAMPLE on. Reference: src/reference/replay.rs.

@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<uniform> mw_feature_range: MwFeatureRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_explorers: array<u32>;                   // [agent][word][world], see part/explorer.wgsl
@bind var<storage, read> mw_replay_before: array<f32>;                 // [agent][feature][place]
@bind var<storage, read> mw_replay_after: array<f32>;                  // [agent][feature][place]
@bind var<storage, read> mw_replay_steps: array<u32>;                  // [agent][row][place], rows: action, reward, ending
@bind var<storage, read_write> mw_states: array<f32>;                // [agent][before, after][feature][sample]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let count = mw_replay.batch_size;
    let sample = thread.index;
    if sample >= count { return; }
    let agent = thread.agent;
    let capacity = mw_replay.capacity;
    let worlds = mw_replay.worlds;
    let key = vec2<u32>(mw_progress[agent].seed, MW_STREAM_TRAINING);
    let draw = mw_progress[agent].gradient_steps;

    let next = mw_next_place(agent, 0u, worlds);   // the head
    let filled = select(next, capacity, mw_began_anew(agent, 0u, worlds));
    let number = MW_FIRST_SAMPLE + sample;
    let word = mw_philox(vec4<u32>(number, draw, MW_PURPOSE_REPLAY, 0u), key).x;
    var first = mw_multiply_wide(word, filled / MW_SHARDS).x;
    if MW_SHARDS > 1u {
        let of_shard = worlds / MW_SHARDS;
        first = first / of_shard * worlds + sample / (count / MW_SHARDS) * of_shard + first % of_shard;
    }

    let steps = agent * MW_TRANSITION_ROWS * capacity;
    var place = first;
    var total = 0.0;
    var discount = 1.0;
    for (var k = 0u; k < mw_replay.n_steps; k++) {
        let ending = mw_replay_steps[steps + MW_TRANSITION_ENDING * capacity + place];
        total = fma(discount, bitcast<f32>(mw_replay_steps[steps + MW_TRANSITION_REWARD * capacity + place]), total);
        discount *= mw_replay.gamma;
        if (ending & MW_TERMINATED) != 0u || (ending != 0u && mw_replay.bootstrap == 0u) { discount = 0.0; }
        let newer = (next + capacity - 1u - place) % capacity;   // places that were written since
        if ending != 0u || newer < worlds || k + 1u == mw_replay.n_steps { break; }
        place = (place + worlds) % capacity;
    }

    for (var f = 0u; f < mw_feature_range.count; f++) {
        let to = ((agent * 2u) * MW_FEATURES + mw_feature_range.first + f) * count + sample;
        let from_ = (agent * mw_feature_range.count + f) * capacity;
        mw_states[to] = mw_replay_before[from_ + first];
        mw_states[to + MW_FEATURES * count] = mw_replay_after[from_ + place];
    }
    if mw_feature_range.first > 0u { return; }
    mw_drawn[mw_drawn_at(agent, MW_ROW_RETURN, sample, count)] = total;
    mw_drawn[mw_drawn_at(agent, MW_ROW_DISCOUNT, sample, count)] = discount;
    var words: array<u32, MW_ACTION_WORDS>;
    @unroll for k in 0..MW_ACTION_WORDS { words[k] = mw_replay_steps[steps + k * capacity + first]; }
    @unroll for i in 0..MW_ACTS { mw_drawn[mw_drawn_at(agent, MW_ROW_TAKEN + i, sample, count)] = mw_seen_action(words, i); }
    @unroll for call in 0..MW_NOISE_CALLS {
        let now = mw_noise_of(mw_philox(vec4<u32>(number, draw, MW_PURPOSE_REPLAY, 1u + 2u * call), key));
        let then = mw_noise_of(mw_philox(vec4<u32>(number, draw, MW_PURPOSE_REPLAY, 2u + 2u * call), key));
        @unroll for q in 0..4 {
            if call * 4u + q < MW_NOISE {
                mw_drawn[mw_drawn_at(agent, MW_ROW_NOISE + call * 4u + q, sample, count)] = now[q];
                mw_drawn[mw_drawn_at(agent, MW_ROW_NEXT_NOISE + call * 4u + q, sample, count)] = then[q];
            }
        }
    }
}
