//! The end of an update that learned from the ring: writes its metrics, of its last gradient step, with what was unsound in
//! it first. Another kernel prepares the next (schedule_block.wgsl). One workgroup = one agent.

@bind var<uniform> mw_run: MwRun;                              // of the actor
@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]
@bind var<storage, read> mw_temperature: array<MwScalar>;              // [agent] α
@bind var<storage, read> mw_terms: array<f32>;                         // [agent][term][invocation], of the actor
@bind var<storage, read> mw_critic_terms: array<f32>;                  // [agent][critic][term][invocation]
@bind var<storage, read> mw_episode_sums: array<vec4<f32>>;            // [agent]
@bind var<storage, read> mw_faults: array<u32>;                        // [agent][2], [agent][critic][2], see part/fault_places.wgsl
@bind var<storage, read_write> mw_metrics: array<MwMetrics>;           // [update % ring][agent]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    var sums = mw_identity();   // critics' loss, Q, actor's loss, entropy
    for (var i = local; i < mw_replay.critic_threads; i += MW_WORKGROUP) {
        @unroll for j in 0..MW_CRITICS {
            let at = (agent * MW_CRITICS + j) * MW_TERMS * mw_replay.critic_threads + i;
            sums.x += mw_critic_terms[at + MW_TERM_VALUE_LOSS * mw_replay.critic_threads];
            sums.y += mw_critic_terms[at + MW_TERM_Q * mw_replay.critic_threads];
        }
    }
    for (var i = local; i < mw_run.minibatch_threads; i += MW_WORKGROUP) {
        let at = agent * MW_TERMS * mw_run.minibatch_threads + i;
        sums.z += mw_terms[at + MW_TERM_POLICY_LOSS * mw_run.minibatch_threads];
        sums.w += mw_terms[at + MW_TERM_ENTROPY * mw_run.minibatch_threads];
    }
    let joined = mw_joined(local, sums);
    var metrics: MwMetrics;
    mw_judge_worlds(local, agent, groups.z, mw_replay.worlds, &metrics);
    if local > 0u { return; }
    let means = joined / f32(mw_replay.batch_size);
    let episodes = mw_episode_sums[agent];
    var progress = mw_progress[agent];
    // a cause before what follows from it: environment, loss, gradient, parameter; the critics before the actor they teach
    mw_test_learning(&progress, MW_FAULT_VALUE_LOSS, means.x);
    mw_test_learning(&progress, MW_FAULT_POLICY_LOSS, means.z);
    mw_test_learning(&progress, MW_FAULT_ENTROPY, means.w);
    mw_judge_learning(&metrics, progress);
    @unroll for of_ in 0..2 {
        const kind = MW_FAULT_GRADIENT + of_;
        @unroll for j in 0..MW_CRITICS { mw_judge_place(&metrics, kind, 1u + j, mw_faults[(groups.z + agent * MW_CRITICS + j) * 2u + of_]); }
        mw_judge_place(&metrics, kind, 0u, mw_faults[agent * 2u + of_]);
    }
    progress.fault = 0u;
    let alpha = mw_temperature[agent].value;
    mw_test_learning(&progress, MW_FAULT_TEMPERATURE, alpha);
    mw_judge_learning(&metrics, progress);
    progress.fault = 0u;
    metrics.update = progress.update;
    metrics.adam_steps = progress.adam_steps;
    metrics.gradient_steps = progress.gradient_steps;
    metrics.episodes = episodes.x;
    metrics.return_sum = episodes.y;
    metrics.length_sum = episodes.z;
    metrics.terminated = episodes.w;
    metrics.learning_rate = progress.learning_rate;
    metrics.policy_loss = means.z;
    metrics.value_loss = means.x / f32(MW_CRITICS);
    metrics.q_value = means.y / f32(MW_CRITICS);
    metrics.entropy = means.w;
    metrics.alpha = alpha;
    metrics.gumbel_temperature = progress.gumbel_temperature;
    mw_metrics[(progress.update % MW_RING) * groups.z + agent] = metrics;
    mw_progress[agent].update = progress.update + 1u;
}
