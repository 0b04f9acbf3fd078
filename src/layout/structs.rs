//! Structs that host and kernels share.

use crate::shared_structs;

shared_structs! {
    /// Every struct that kernels know.
    STRUCTS;

    /// What holds for a whole run. Shapes are those of every agent; numbers, from γ on, may be an agent's own where several
    /// learn with different ones. A multiple of 16 bytes, so that uniforms can hold a list of them. Rates as in
    /// [`crate::config::Config`].
    pub struct Run {
        /// Worlds of an agent.
        num_envs: u32,
        /// Steps of a rollout.
        num_steps: u32,
        /// `num_envs · num_steps`.
        batch_size: u32,
        /// Samples of a full minibatch.
        minibatch_size: u32,
        /// Minibatches of an epoch, a last short one included.
        num_minibatches: u32,
        /// Invocations of the gradient of a minibatch, slices filled up: the stride of `mw_terms`.
        minibatch_threads: u32,
        /// Observations that are kept for bootstrapping in each world; the last is the one after the rollout.
        bootstrap_slots: u32,
        /// Neighbouring columns that are shuffled together.
        tile: u32,
        /// 0 = minibatches are shuffled, s = there is one, of every s-th column.
        stride: u32,
        /// Samples of a slice of the weight gradient; a multiple of 4.
        slice: u32,
        /// Epochs of an update.
        epochs: u32,
        /// Workgroups of `sum_slices.wgsl` that sum gradients.
        norm_blocks: u32,
        /// Workgroups of it that sum terms.
        term_blocks: u32,
        /// Updates of the run.
        num_updates: u32,
        /// Older rollouts that the batch holds beside the newest: num_envs worlds each, in the kernel that makes them; to all
        /// other kernels they are worlds like any.
        reuse: u32,
        /// Largest importance weight; 0 = none.
        importance_clip: f32,
        /// What falls linearly to 0: 1 = the learning rate, 2 = the clip range, 3 = both.
        anneal: u32,
        /// 1 = advantages are normalised in each minibatch, 2 = their mean is subtracted, 0 = neither.
        norm_adv: u32,
        /// 1 = the value loss is clipped.
        clip_vloss: u32,
        /// 1 = a truncated step is worth V(final observation) more; 0 = it counts as terminated.
        bootstrap: u32,
        /// Discount γ.
        gamma: f32,
        /// Trace decay λ.
        gae_lambda: f32,
        /// Clip range ε of the first update.
        clip_coef: f32,
        /// Weight of the entropy bonus.
        ent_coef: f32,
        /// Weight of the value loss.
        vf_coef: f32,
        /// Mean KL divergence of an update that β steers for; 0 = β stays.
        kl_target: f32,
        /// Limit of the global gradient norm; 0 = none.
        max_grad_norm: f32,
        /// KL divergence that stops an update; 0 = none.
        target_kl: f32,
        /// Learning rate α of the first update.
        learning_rate: f32,
        /// 1 − β₁ of Adam, rounded once.
        decay1: f32,
        /// 1 − β₂ of Adam, 1 − α of RMSprop, rounded once.
        decay2: f32,
        /// ε of either.
        optimizer_eps: f32,
    }

    /// Where an agent stands; moved on by kernels only.
    pub struct Progress {
        /// The agent's seed.
        seed: u32,
        /// Updates that are finished.
        update: u32,
        /// Epoch of the update.
        epoch: u32,
        /// Minibatch of the epoch.
        minibatch: u32,
        /// 1 = the rest of the update is skipped.
        stopped: u32,
        /// 1 = the optimiser takes this step.
        active_: u32,
        /// Steps that the optimiser has really taken: Adam's t.
        adam_steps: u32,
        /// Minibatches of this update so far.
        minibatches: u32,
        /// Learning rate of this update.
        learning_rate: f32,
        /// Clip range ε of this update.
        clip_coef: f32,
        /// Factor that limits the gradient's norm.
        scale: f32,
        /// 1 − β₁^t.
        correction1: f32,
        /// 1 − β₂^t.
        correction2: f32,
        /// Sum over minibatches.
        policy_loss: f32,
        /// Sum over minibatches.
        value_loss: f32,
        /// Sum over minibatches.
        entropy: f32,
        /// Last minibatch.
        approx_kl: f32,
        /// Last minibatch.
        old_approx_kl: f32,
        /// Sum over minibatches.
        clip_fraction: f32,
        /// Sum over minibatches.
        grad_norm: f32,
        /// First minibatch of the first epoch.
        first_ratio_deviation: f32,
        /// First minibatch of the first epoch.
        first_clip_fraction: f32,
        /// Mean KL divergence of the minibatches of this epoch so far.
        kl: f32,
        /// Weight β of the KL penalty.
        beta: f32,
        /// What the accepted step should have gained by the surrogate's gradient.
        expected_improvement: f32,
        /// What it gained.
        improvement: f32,
        /// ‖r‖ of conjugate gradients relative to that of the gradient.
        cg_residual: f32,
        /// Candidates of the line search that were measured.
        line_search_steps: u32,
        /// Gradient steps on replayed transitions so far.
        gradient_steps: u32,
        /// Temperature T of the Gumbel-softmax in this update.
        gumbel_temperature: f32,
        /// What was not finite first in this update's learning, a [`super::Fault`]; 0 = nothing.
        fault: u32,
        /// Minibatch of the update in which it was.
        fault_step: u32,
        /// Its bits.
        fault_value: u32,
    }

    /// A positive number that an agent may learn, by its logarithm, beside its networks.
    pub struct Scalar {
        /// The number.
        value: f32,
        /// Its logarithm.
        log: f32,
        /// Adam's m of that.
        m: f32,
        /// Adam's v of it.
        v: f32,
        /// 1 − β₁^t of the step that comes next.
        correction1: f32,
        /// 1 − β₂^t of it.
        correction2: f32,
    }

    /// What an update leaves in the ring, for one agent.
    pub struct Metrics {
        /// Number of the update, from 0.
        update: u32,
        /// Steps that the optimiser has taken since the start.
        adam_steps: u32,
        /// Epochs that were begun and not stopped before.
        epochs: u32,
        /// Episodes that ended in the rollout.
        episodes: f32,
        /// Sum of their returns.
        return_sum: f32,
        /// Sum of their lengths in steps.
        length_sum: f32,
        /// How many of them terminated; the others were truncated.
        terminated: f32,
        /// Learning rate of the update.
        learning_rate: f32,
        /// Mean over minibatches of mean(−min(ρÂ, clamp(ρ)Â)).
        policy_loss: f32,
        /// Mean over minibatches of mean(½ (V − target)²), or of its clipped form.
        value_loss: f32,
        /// Mean over minibatches of the policy's mean entropy, in nats.
        entropy: f32,
        /// mean((ρ − 1) − log ρ) of the last minibatch, in nats.
        approx_kl: f32,
        /// mean(−log ρ) of the last minibatch, in nats.
        old_approx_kl: f32,
        /// Mean over minibatches of the share of samples with |ρ − 1| > ε.
        clip_fraction: f32,
        /// Mean over minibatches of the global gradient norm before clipping.
        grad_norm: f32,
        /// 1 − var(target − value) / var(target) with the rollout's values.
        explained_variance: f32,
        /// mean(|ρ − 1|) of the first minibatch of the first epoch: 0 up to rounding.
        first_ratio_deviation: f32,
        /// Share of samples with |ρ − 1| > ε there: 0.
        first_clip_fraction: f32,
        /// mean KL(π_old ‖ π) over the last epoch, or after the natural gradient's step, in nats; else 0.
        kl: f32,
        /// Weight β of the KL penalty in this update.
        kl_coef: f32,
        /// Natural gradients: step · gᵀx, what the accepted step should have gained.
        expected_improvement: f32,
        /// Natural gradients: mean(ρÂ) after the step less that before it.
        improvement: f32,
        /// Natural gradients: ‖g − (F + damping)x‖/‖g‖.
        cg_residual: f32,
        /// TrustRegion region: candidates of the line search that were measured.
        line_search_steps: u32,
        /// Importance weights: (Σw)²/Σw² over the samples of the batch; else 0.
        effective_samples: f32,
        /// Replay: gradient steps since the start.
        gradient_steps: u32,
        /// Replay: mean Q(s, a) of the critics over the last minibatch.
        q_value: f32,
        /// Replay: temperature α of a soft actor-critic.
        alpha: f32,
        /// Replay: temperature T of the Gumbel-softmax.
        gumbel_temperature: f32,
        /// Search: steps of all episodes of the generation.
        steps: u32,
        /// Search: mean fitness of the generation, the mean return of a member's episodes.
        fitness_mean: f32,
        /// Search: deviation of the fitness in the generation.
        fitness_std: f32,
        /// Search: fitness of the generation's best member.
        fitness_best: f32,
        /// Search: the highest fitness that any member ever had.
        fitness_record: f32,
        /// Pattern search: its step.
        step_size: f32,
        /// What was unsound first in the update: a [`super::Fault`], and 16 times the number of the observation; 0 = nothing.
        fault: u32,
        /// The world in which it was; of gradients and parameters the network with buffers of its own.
        fault_world: u32,
        /// Step of that world, from 0; of losses the minibatch of the update; of gradients and parameters the word.
        fault_step: u32,
        /// Bits of what was unsound.
        fault_value: u32,
        /// The first loop of the environment that was cut short since the start, counted from 1; 0 = none.
        fault_loop: u32,
        /// The largest |reward| of a step since the start.
        largest_reward: f32,
    }

    /// What holds for learning from a ring of transitions, for every agent of a run.
    pub struct ReplaySettings {
        /// Transitions that an agent's ring holds.
        capacity: u32,
        /// Worlds of an agent.
        worlds: u32,
        /// Transitions of a minibatch.
        batch_size: u32,
        /// Most steps of a window.
        n_steps: u32,
        /// 1 = a window that ends by truncation is worth Q behind it more; 0 = it counts as terminated.
        bootstrap: u32,
        /// 1 = α adapts.
        autotune: u32,
        /// FeatureRange of terms that a critic's gradient leaves.
        critic_threads: u32,
        /// 1 = observations go to `[feature][world]` first and from there to the parts of the ring.
        staged: u32,
        /// Discount γ.
        gamma: f32,
        /// Deviation of the noise of a target's action.
        policy_noise: f32,
        /// Limit of that noise.
        noise_clip: f32,
        /// Deviation of the noise of actions in worlds, in halves of their range; or the share of random choices.
        exploration_noise: f32,
        /// Rate θ of an Ornstein-Uhlenbeck process.
        ou_theta: f32,
        /// Its time step Δt.
        ou_dt: f32,
        /// Entropy that α steers for, nats.
        target_entropy: f32,
        /// Step size for log α.
        alpha_rate: f32,
        /// Step size of the critics at the start.
        critic_rate: f32,
        /// Temperature of the Gumbel-softmax in the first update.
        first_temperature: f32,
        /// Temperature of the Gumbel-softmax in the last update.
        last_temperature: f32,
    }

    /// Steps of worlds that one dispatch makes.
    pub struct Interaction {
        /// Number of steps; 1 where an actor acts.
        steps: u32,
        /// 1 = actions are uniformly random.
        uniform_: u32,
        /// 1 = what worlds count of their episodes begins at 0.
        first: u32,
    }

    /// Neighbouring features.
    pub struct FeatureRange {
        /// The first.
        first: u32,
        /// How many.
        count: u32,
    }

    /// What a gradient step does beside the parameters that it learns.
    pub struct TargetUpdate {
        /// Share τ of the way that targets go; 0 = none.
        tau: f32,
        /// 1 = the actor took a step.
        actor: u32,
    }

    /// What holds for every natural gradient of a run.
    pub struct TrustRegion {
        /// KL divergence that a full step has to second order.
        delta: f32,
        /// KL divergence up to which a step is taken; the same, but in tests.
        limit: f32,
        /// Multiple of the identity that is added to the Fisher matrix.
        damping: f32,
        /// ‖r‖² relative to that of the gradient at which conjugate gradients end.
        tolerance: f32,
        /// Factor from one candidate of the line search to the next.
        backtrack: f32,
        /// Candidates of the line search; 0 = the full step is taken as it is.
        candidates: u32,
        /// Iterations of conjugate gradients.
        iterations: u32,
        /// Samples whose surrogate and divergence are measured.
        samples: u32,
    }

    /// Where the natural gradient of an agent stands.
    pub struct LineSearch {
        /// ‖r‖² of the gradient.
        first_square: f32,
        /// ‖r‖² now.
        square: f32,
        /// Iterations of conjugate gradients that were made.
        iterations: u32,
        /// √(2δ/xᵀFx).
        scale: f32,
        /// xᵀ(F + damping)x.
        curvature: f32,
        /// Share of the full step that is being tried.
        fraction: f32,
        /// gᵀx, g that of the surrogate.
        slope: f32,
        /// Parameters that were measured, the old ones first.
        measured: u32,
        /// 1 = the parameters are those to go on with.
        accepted: u32,
        /// Surrogate at the old parameters.
        old_surrogate: f32,
    }

    /// Steps of the rollout that one dispatch makes.
    pub struct StepRange {
        /// First step.
        first: u32,
        /// Number of steps.
        count: u32,
        /// Threads of this dispatch, for which the workspace has room.
        threads: u32,
        /// Times that each thread takes worlds, the threads one after the other.
        turns: u32,
    }

    /// Worlds that are not those of the batch: first states, evaluation, random steps.
    pub struct Worlds {
        /// Worlds of an agent.
        count: u32,
        /// Random stream.
        stream: u32,
        /// First step of this dispatch; 0 = begin with a reset.
        first: u32,
        /// Steps of this dispatch.
        steps: u32,
        /// 1 = the policy samples, 0 = it takes its most likely action.
        sampled: u32,
    }

    /// Worlds that the caller steps.
    pub struct Pool {
        /// Worlds.
        count: u32,
        /// Steps of this dispatch; 0 = look only.
        steps: u32,
        /// The first of them, counted from the first whose actions are there.
        first: u32,
        /// 1 = worlds that end begin their next episode at once.
        same_step: u32,
        /// 1 = worlds that had ended begin it now, instead of a step.
        next_step: u32,
        /// 1 = what is a world's lies together, actions too; 0 = what is of one kind does.
        by_world: u32,
    }

    /// A picture of worlds in square tiles, and the camera of those that are in space: where it stands, its axes, and how long
    /// a metre is that lies one metre before it, in halves of a tile.
    pub struct Picture {
        /// Worlds.
        worlds: u32,
        /// Tiles of a row.
        columns: u32,
        /// Rows of tiles.
        rows: u32,
        /// Pixels of a side of a tile, the gap included.
        tile: u32,
        /// Pixels between tiles.
        gap: u32,
        /// Side of a pixel, in halves of a tile.
        pixel: f32,
        /// The camera.
        eye_x: f32,
        /// Its y.
        eye_y: f32,
        /// Its z.
        eye_z: f32,
        /// Where right is, x.
        right_x: f32,
        /// y.
        right_y: f32,
        /// z.
        right_z: f32,
        /// Where up is, x.
        up_x: f32,
        /// y.
        up_y: f32,
        /// z.
        up_z: f32,
        /// Where it looks, x.
        ahead_x: f32,
        /// y.
        ahead_y: f32,
        /// z.
        ahead_z: f32,
        /// 1 / tan of half of the angle of view.
        zoom: f32,
    }

    /// A matrix of observations and where its values go.
    pub struct Columns {
        /// Columns of an agent; those up to here are wanted.
        count: u32,
        /// First column of this dispatch.
        first: u32,
        /// Threads of this dispatch, for which the workspace has room.
        threads: u32,
        /// Times that each thread takes columns, the threads one after the other.
        turns: u32,
        /// Words of an agent in the output.
        stride: u32,
        /// First word of the row of values.
        offset: u32,
    }

    /// Samples of a minibatch that are in the trace at the same time.
    pub struct SampleRange {
        /// First sample; a multiple of the slice.
        first: u32,
        /// Samples; a multiple of the slice.
        count: u32,
        /// Rows of an agent in the trace, one Lane to spare.
        rows: u32,
        /// Slices of an agent in the partial gradients, one to spare.
        slices: u32,
    }

    /// One layer of a network that is run layer by layer; places and sizes in vec4s.
    pub struct Layer {
        /// What is summed over.
        depth: u32,
        /// Results.
        results: u32,
        /// Where its weights begin among an agent's parameters.
        weights: u32,
        /// Where its biases begin.
        biases: u32,
        /// Place in a row of the trace of what is multiplied.
        from_: u32,
        /// Place of the results.
        to: u32,
        /// Place of the units of which the activation's slope is a factor.
        units: u32,
        /// Place of the tangents of what is multiplied; 0 = there are none.
        tangents: u32,
        /// 1 = with the activation, or its slope.
        activated: u32,
        /// An agent's parameters.
        parameters: u32,
        /// Those of them that are learned.
        learned: u32,
        /// A row of the trace.
        width: u32,
        /// Every n-th agent has work.
        agent_step: u32,
    }

    /// Rollouts that each leave an estimate of a policy gradient.
    pub struct Estimate {
        /// Seed of all of them.
        seed: u32,
        /// Random stream.
        stream: u32,
        /// Rollouts of an agent.
        rollouts: u32,
        /// Steps D of a rollout.
        depth: u32,
        /// Rows that a rollout leaves.
        rows: u32,
        /// Worlds from the first one of an agent to the first one of the next; 0 = all see the same random numbers.
        apart: u32,
        /// Neighbouring agents that count as one there, and see the same random numbers; 0 as 1.
        together: u32,
        /// Discount γ.
        gamma: f32,
        /// What a score is weighed with for each step before it: γ, or 1.
        weight_gamma: f32,
        /// Trace decay λ.
        lambda: f32,
    }

    /// A step uphill of every repetition.
    pub struct Ascent {
        /// Repetitions.
        agents: u32,
        /// Rollouts of a repetition.
        rollouts: u32,
        /// Rows that a rollout leaves.
        rows: u32,
        /// Number of the step, from 0.
        step: u32,
        /// Step size α.
        rate: f32,
        /// Limit of the gradient's norm.
        limit: f32,
        /// Least deviation of a policy that has one.
        least: f32,
    }

    /// What holds for every generation of a search without gradients.
    pub struct Search {
        /// Members of a generation.
        population: u32,
        /// Episodes that each of them plays.
        episodes: u32,
        /// How many of the best count: elites, parents, directions.
        elites: u32,
        /// Parents that live on as they are.
        unchanged: u32,
        /// 1 = children have two parents.
        crossed: u32,
        /// Rows of parameters that a method keeps.
        rows: u32,
        /// Deviation of perturbations.
        sigma: f32,
        /// Step size.
        rate: f32,
        /// What is added to the variance of the first generation.
        extra: f32,
        /// Generations after which nothing is added any more.
        until: f32,
        /// Factor of the step of a pattern search where nothing was better; 0 = no such step.
        shrink: f32,
    }

    /// Members that play at the same time.
    pub struct Members {
        /// The first.
        first: u32,
        /// How many.
        count: u32,
        /// Episodes that each of them plays, in a world each.
        episodes: u32,
        /// 1 = all members see the same random numbers.
        common_: u32,
        /// Episodes of all members together.
        all: u32,
    }

    /// Where a search stands.
    pub struct Standing {
        /// The highest fitness that any member ever had.
        best: f32,
        /// Step of a pattern search.
        step: f32,
        /// 1 = its last generation was better than its base, which it then explores ahead of.
        moved: u32,
        /// 1 − β₁^t of Adam's next step.
        correction1: f32,
        /// 1 − β₂^t of it.
        correction2: f32,
    }

    /// A reduction.
    pub struct Blocks {
        /// Rows of an agent.
        rows: u32,
        /// Elements of a row, where the source does not know better.
        count: u32,
        /// Elements of a block; a multiple of the workgroup.
        span: u32,
        /// Blocks of a row.
        blocks: u32,
        /// Words of an agent in the source, where it has to know.
        stride: u32,
    }
}
