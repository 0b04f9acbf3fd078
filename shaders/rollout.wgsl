//! T steps of every world under the policy: observe, act, step, end, reset, record. One thread = `turns` times
//! MW_SAMPLES worlds; neighbouring threads take neighbours.
//!
//!   a_t ~ π(· | o_t)     (s_{t+1}, r_t) = step(s_t, a_t)     an ended world starts its next episode at once
//!
//! Writes [feature][step][world] observations and [row][step][world] samples. The final observation of an episode
//! that was truncated (and not terminated) goes to the world's next slot of `mw_final_observations`
//! [feature][slot][world]; the last slot takes the observation after the last step. Values are not needed to act:
//! `forward.wgsl` fills them in afterwards, for the batch and for the slots.

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_step_range: MwStepRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_observations: array<f32>;        // [agent][feature][step][world]
@bind var<storage, read_write> mw_final_observations: array<f32>;  // [agent][feature][slot][world]
@bind var<storage, read_write> mw_samples: array<u32>;             // [agent][row][step][world]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_run.num_envs;
    let batch = mw_run.batch_size;
    // a batch may hold the last rollouts side by side; the oldest makes room
    let wide = n * (mw_run.reuse + 1u);
    let beside = mw_progress[thread.agent].update % (mw_run.reuse + 1u) * n;
    mw_use_workspace(thread, mw_step_range.threads);
    let key = vec2<u32>(mw_progress[thread.agent].seed, MW_STREAM_TRAINING);
    for (var turn = 0u; turn < mw_step_range.turns; turn++) {
        let place = turn * mw_step_range.threads + thread.index;
        var world: array<MwWorld, MW_SAMPLES>;
        var index: array<u32, MW_SAMPLES>;
        var mine: array<bool, MW_SAMPLES>;
        @unroll for i in 0..MW_SAMPLES {
            index[i] = min(place * MW_SAMPLES + i, n - 1u);
            mine[i] = (thread.index < mw_step_range.threads) & (place * MW_SAMPLES + i < n);
            world[i] = mw_world_load(thread.agent, index[i], n);
            if mw_step_range.first == 0u {
                world[i].episodes = MwEpisodes();
            }
        }
        for (var t = mw_step_range.first; t < mw_step_range.first + mw_step_range.count; t++) {
            let column = t * wide + beside;
            // observe
            let seen = mw_observe(thread.agent, world);
            var steps: array<u32, MW_SAMPLES>;
            @unroll for i in 0..MW_SAMPLES {
                steps[i] = mw_noise_step(world[i]);
                if mine[i] { mw_keep(seen[i], MW_TO_BATCH, mw_batch_at(thread.agent) + column + index[i]); }
                let found = mw_unsound_in[i] + mw_take_unsound();   // one of them is 0 (slot `look`)
                world[i].fault = mw_fault_of_observation(world[i].fault, found, world[i].steps);
            }
            // act
            let acted = mw_act(thread, key, index, steps, true);
            // step, end, reset, record
            @unroll for i in 0..MW_SAMPLES {
                var after = world[i];
                let step = mw_world_step(&after, mw_action(acted.bounded[i]), key, index[i]);
                world[i] = after;
                world[i].fault = mw_fault_of_reward(after.fault, step.reward, after.steps - 1u);
                if mine[i] {
                    let at = thread.agent * MW_ROWS * batch + column + index[i];
                    @unroll for k in 0..MW_ACTION_WORDS { mw_samples[at + (MW_ROW_ACTION + k) * batch] = acted.action[i][k]; }
                    @unroll for k in 0..MW_MASK_WORDS {
                        const row = MW_ROW_ACTION + MW_ACTION_WORDS + k;
                        mw_samples[at + row * batch] = mw_lane_word(mw_mask[k * MW_VECTORS + i / MW_LANES], i % MW_LANES);
                    }
                    @unroll for k in 0..MW_OLD_ROWS { mw_samples[at + (MW_ROW_OLD + k) * batch] = bitcast<u32>(acted.kept[i][k]); }
                    mw_samples[at + MW_ROW_LOG_PROB * batch] = bitcast<u32>(acted.log_prob[i]);
                    mw_samples[at + MW_ROW_REWARD * batch] = bitcast<u32>(step.reward);
                    mw_samples[at + MW_ROW_ENDING * batch] = step.ending;
                }
                @rare if mine[i] & (step.ending == MW_TRUNCATED) {
                    let slot = mw_world_truncations(world[i]);
                    mw_keep(mw_look(world[i].state), MW_TO_FINAL, mw_final_at(thread.agent, slot) + beside + index[i]);
                    world[i].fault = mw_fault_of_observation(world[i].fault, mw_take_unsound(), world[i].steps);
                }
                @rare if step.ending != 0u {
                    let old = world[i];
                    world[i] = mw_world_next(old, step.ending, mw_first_state(key, index[i], old.begun));
                }
            }
        }
        @unroll for i in 0..MW_SAMPLES {
            if mine[i] {
                let last = mw_run.bootstrap_slots - 1u;
                mw_keep(mw_look(world[i].state), MW_TO_FINAL, mw_final_at(thread.agent, last) + beside + index[i]);
                world[i].fault = mw_fault_of_observation(world[i].fault, mw_take_unsound(), world[i].steps);
                mw_world_store(thread.agent, index[i], n, world[i]);
            }
        }
    }
}

const MW_TO_BATCH = 0u;
const MW_TO_FINAL = 1u;

fn mw_batch_at(agent: u32) -> u32 { return agent * MW_OBSERVATIONS * mw_run.batch_size; }

fn mw_final_at(agent: u32, slot: u32) -> u32 {
    return (agent * MW_OBSERVATIONS * mw_run.bootstrap_slots + slot) * mw_run.num_envs * (mw_run.reuse + 1u);
}

/// Stores number f of an observation.
fn mw_store(target_: u32, at: u32, f: u32, value: f32) {
    if target_ == MW_TO_BATCH { mw_observations[at + f * mw_run.batch_size] = value; }
    if target_ == MW_TO_FINAL { mw_final_observations[at + f * mw_run.bootstrap_slots * mw_run.num_envs * (mw_run.reuse + 1u)] = value; }
}
