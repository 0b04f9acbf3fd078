//! The networks of an agent: what they are called, how wide they are, and how their outputs begin.

use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::kernels::seen_actions;
use crate::nn::{Normalise, Parameters};

/// Places of the networks.
pub(crate) const ACTOR: usize = 0;
pub(crate) const CRITIC: usize = 1;
pub(crate) const BEST: usize = 1;
/// Gains of the output layers of actor and critic.
pub(crate) const HEAD_GAINS: [f64; 2] = [0.01, 1.0];

/// The networks of an agent: the actor, and the critic where there are values; or the best member of a search.
pub fn networks(config: &Config, env: &Environment) -> Parameters {
    let widths = |outputs| [&[env.spec().observation_dim], config.hidden.as_slice(), &[outputs]].concat();
    let mut layout = Parameters::default();
    if config.algo.is_off_policy() {
        let [actor, critic] = replay_widths(config, env);
        layout.add("actor", &actor, config.activation);
        for n in 1..=config.algo.critics()[0] {
            layout.add(&format!("critic{n}"), &critic, config.activation);
        }
        return layout;
    }
    let (space, exploration) = (&env.spec().action_space, config.exploration(env));
    if config.algo.is_search() {
        for name in ["actor", "best"] {
            layout.add(name, &widths(space.outputs(exploration)), config.activation);
        }
        let features = env.spec().observation_dim;
        layout.normalise(Normalise { features, observations: config.norm_obs, rewards: false });
        return layout;
    }
    layout.add_policy(
        "actor",
        &widths(space.outputs(exploration)),
        config.activation,
        space.free_outputs(exploration),
        exploration.first(config.log_std_init) as f32,
    );
    if config.estimator.has_critic() {
        layout.add("critic", &widths(1), config.activation);
    }
    let features = env.spec().observation_dim;
    layout.normalise(Normalise { features, observations: config.norm_obs, rewards: config.norm_reward });
    layout
}

/// The first parameters of an agent with this seed: those of its networks; a search has seen no member yet, and its best is
/// its actor.
pub(crate) fn first_words(config: &Config, layout: &Parameters, seed: u32) -> Vec<f32> {
    let mut words = layout.initial(seed, &HEAD_GAINS);
    if config.algo.is_search() {
        let actor = layout.learned() as usize / 2;
        // around which these spread their members widely
        if matches!(config.algo, Algo::Cem | Algo::Ars | Algo::Random) {
            words[..actor].fill(0.0);
        }
        words.copy_within(..actor, actor);
    }
    words
}

/// Widths of the actor and of each critic where transitions are replayed.
pub(super) fn replay_widths(config: &Config, env: &Environment) -> [Vec<u32>; 2] {
    let (space, features) = (&env.spec().action_space, env.spec().observation_dim);
    let widths = |inputs, outputs| [&[inputs], config.hidden.as_slice(), &[outputs]].concat();
    [widths(features, space.outputs(config.exploration(env))), widths(features + seen_actions(space), 1)]
}
