//! Deep deterministic policy gradient (Lillicrap et al. 2016), its twin delayed form (Fujimoto, van Hoof & Meger 2018) and
//! soft actor-critic (Haarnoja et al. 2018), with the details of CleanRL's files of those names. They are one loop:
//!
//! | | acts with | y | actor's loss | what follows |
//! |---|---|---|---|---|
//! | `ddpg` | μ(s) + noise | r + γ Q'(s', μ'(s')) | −Q(s, μ(s)) | Q', μ' |
//! | `td3` | μ(s) + noise | r + γ min_j Q'_j(s', μ'(s') + clipped noise) | −Q_1(s, μ(s)), every second time | Q'_1, Q'_2, μ' |
//! | `sac` | a ~ π(s) | r + γ (min_j Q'_j(s', a') − α log π(a'∣s')), a' ~ π(s') | α log π(a∣s) − min_j Q_j(s, a) | Q'_1, Q'_2 |
//!
//! Choices go through the straight-through Gumbel-softmax (Jang, Gu & Poole 2017): critics see a one-hot vector, the actor's
//! gradient is that of the soft one; in `ddpg` and `sac`. With `ent_coef` α above 0 `ddpg` has the terms of `sac` there.

use super::OffPolicy;
use crate::config::Config;
use crate::gpu::Recording;

/// One update: steps of all worlds and gradient steps, by turns.
pub(super) fn record(agents: &OffPolicy, config: &Config) -> Recording {
    let mut update = Recording::default();
    let mut steps = 0;
    for round in 0..config.num_steps / config.train_freq {
        for step in 0..config.train_freq {
            let first = (round, step) == (0, 0);
            agents.interact(&mut update, first); // every world acts; (s, a, r, s') into the ring
        }
        for _ in 0..config.gradient_steps {
            steps += 1;
            gradient_step(agents, &mut update, steps % config.policy_frequency == 0);
        }
    }
    agents.finish(&mut update); // metrics
    update
}

/// One gradient step; the actor takes one too if it `acts`.
pub(super) fn gradient_step(agents: &OffPolicy, update: &mut Recording, acts: bool) {
    agents.draw(update); // a minibatch of transitions
    agents.learn_critics(update, acts); // y; ∇ of (Q_j(s, a) − y)², Adam
    if acts {
        agents.learn_actor(update); // ∇ of its loss through ∂Q/∂a, Adam; targets follow
    }
    agents.end_step(update, acts); // sac: log α steers the entropy
}
