//! Where an agent stands after a minibatch, from the sums that its gradient and its terms left.
//!
//!   scale = min(1, max_grad_norm / (‖g‖ + 1e-6))        c_i ← c_i + (1 − c_i)(1 − β_i), so that c_i = 1 − β_i^t
//!
//! After the last minibatch of an epoch, approx_kl > target_kl stops the rest of the update: later passes leave at
//! once and Adam's t stays. Means of the terms are summed for the metrics, and losses and norm tested (part/fault.wgsl).
//!
//! What it stood on is slot `standing`.

@bind var<storage, read_write> mw_progress: array<MwProgress>;      // [agent]
@bind var<storage, read> mw_sums: array<f32>;                       // see part/sums.wgsl

var<workgroup> mw_terms_tree: array<mat2x4<f32>, MW_WORKGROUP>;
var<workgroup> mw_norm_tree: array<f32, MW_WORKGROUP>;

/// ‖g‖² in the first place of the tree; all threads of the workgroup have to come here.
fn mw_join_norm(agent: u32, local: u32) {
    var square = 0.0;
    for (var i = local; i < mw_run.norm_blocks; i += MW_WORKGROUP) { square += mw_sums[mw_norm_at(agent, i)]; }
    mw_norm_tree[local] = square;
    @unroll for level in 0..MW_TREE_LEVELS {
        workgroupBarrier();
        const reach = MW_WORKGROUP >> (level + 1u);
        if local < reach { mw_norm_tree[local] += mw_norm_tree[local + reach]; }
    }
    workgroupBarrier();
}

/// What a gradient is multiplied with, after `mw_join_norm`.
fn mw_scale(agent: u32) -> f32 {
    let most = mw_each[mw_own(agent)].max_grad_norm;
    if most <= 0.0 { return 1.0; }
    return min(1.0, most / (sqrt(mw_norm_tree[0]) + 1e-6));
}

/// 1 − β^t one step later.
fn mw_corrected(correction: f32, decay: f32) -> f32 { return correction + (1.0 - correction) * decay; }

/// Moves the agent's progress on; all threads of one workgroup have to come here, after `mw_join_norm`.
fn mw_move_on(agent: u32, local: u32) {
    var terms = mat2x4<f32>(vec4<f32>(0.0), vec4<f32>(0.0));
    for (var i = local; i < mw_run.term_blocks; i += MW_WORKGROUP) {
        let at = mw_term_at(agent, i);
        terms += mat2x4<f32>(vec4<f32>(mw_sums[at], mw_sums[at + 1u], mw_sums[at + 2u], mw_sums[at + 3u]),
            vec4<f32>(mw_sums[at + 4u], mw_sums[at + 5u], mw_sums[at + 6u], mw_sums[at + 7u]));
    }
    mw_terms_tree[local] = terms;
    @unroll for level in 0..MW_TREE_LEVELS {
        workgroupBarrier();
        const reach = MW_WORKGROUP >> (level + 1u);
        if local < reach { mw_terms_tree[local] += mw_terms_tree[local + reach]; }
    }
    if local == 0u { mw_write_progress(agent); }
}

fn mw_write_progress(agent: u32) {
    var progress = mw_standing(agent);
    progress.active_ = 1u - progress.stopped;
    if progress.active_ == 1u {
        let mean = mw_terms_tree[0] * (1.0 / f32(mw_minibatch_count(progress.minibatch)));
        let norm = sqrt(mw_norm_tree[0]);
        mw_test_learning(&progress, MW_FAULT_POLICY_LOSS, mean[0].x);
        mw_test_learning(&progress, MW_FAULT_VALUE_LOSS, mean[1].z);
        mw_test_learning(&progress, MW_FAULT_ENTROPY, mean[0].y);
        mw_test_learning(&progress, MW_FAULT_GRADIENT_NORM, norm);
        progress.scale = mw_scale(agent);
        progress.adam_steps += 1u;
        progress.correction1 = mw_corrected(progress.correction1, mw_run.decay1);
        progress.correction2 = mw_corrected(progress.correction2, mw_run.decay2);

        progress.minibatches += 1u;
        progress.policy_loss += mean[0].x;
        progress.entropy += mean[0].y;
        progress.approx_kl = mean[0].z;
        progress.old_approx_kl = mean[0].w;
        progress.kl = select(progress.kl, 0.0, progress.minibatch == 0u) + mean[1].w / f32(mw_run.num_minibatches);
        progress.clip_fraction += mean[1].x;
        progress.value_loss += mean[1].z;
        progress.grad_norm += norm;
        if progress.minibatches == 1u {
            progress.first_ratio_deviation = mean[1].y;
            progress.first_clip_fraction = mean[1].x;
        }

        progress.minibatch += 1u;
        if progress.minibatch == mw_run.num_minibatches {
            progress.minibatch = 0u;
            progress.epoch += 1u;
            if mw_each[mw_own(agent)].target_kl > 0.0 && progress.approx_kl > mw_each[mw_own(agent)].target_kl { progress.stopped = 1u; }
        }
    }
    mw_progress[agent] = progress;
}
