//! What an algorithm is called, what its defaults are, and what is true of it.

use serde::{Deserialize, Serialize};

/// An algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algo {
    /// Proximal policy optimisation.
    #[default]
    Ppo,
    /// Advantage actor-critic.
    A2c,
    /// The policy gradient.
    Reinforce,
    /// Natural policy gradient.
    Npg,
    /// Trust-region policy optimisation.
    Trpo,
    /// Deep deterministic policy gradient.
    Ddpg,
    /// Twin delayed deep deterministic policy gradient.
    Td3,
    /// Soft actor-critic.
    Sac,
    /// Cross-entropy method.
    Cem,
    /// Genetic algorithm.
    Ga,
    /// Pattern search.
    Pattern,
    /// Evolution strategies.
    Es,
    /// Augmented random search.
    Ars,
    /// Random search.
    Random,
}

impl Algo {
    /// Every algorithm.
    pub const ALL: [Self; 14] = [
        Self::Ppo,
        Self::A2c,
        Self::Reinforce,
        Self::Npg,
        Self::Trpo,
        Self::Ddpg,
        Self::Td3,
        Self::Sac,
        Self::Cem,
        Self::Ga,
        Self::Pattern,
        Self::Es,
        Self::Ars,
        Self::Random,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ppo => "ppo",
            Self::A2c => "a2c",
            Self::Reinforce => "reinforce",
            Self::Npg => "npg",
            Self::Trpo => "trpo",
            Self::Ddpg => "ddpg",
            Self::Td3 => "td3",
            Self::Sac => "sac",
            Self::Cem => "cem",
            Self::Ga => "ga",
            Self::Pattern => "pattern",
            Self::Es => "es",
            Self::Ars => "ars",
            Self::Random => "random",
        }
    }

    /// Their names in a sentence.
    pub fn names() -> String {
        let names = Self::ALL.map(Self::name);
        let (last, first) = (names[names.len() - 1], &names[..names.len() - 1]);
        format!("{} or {last}", first.join(", "))
    }

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algo| algo.name() == name)
    }

    /// What an environment without a preset gets, where it is something else than [`super::Config::default`], as TOML.
    pub(super) fn defaults(self) -> &'static str {
        match self {
            Self::Ppo => include_str!("../../presets/ppo.toml"),
            Self::A2c => include_str!("../../presets/a2c.toml"),
            Self::Reinforce => include_str!("../../presets/reinforce.toml"),
            Self::Npg | Self::Trpo => include_str!("../../presets/trpo.toml"),
            Self::Ddpg => include_str!("../../presets/ddpg.toml"),
            Self::Td3 => include_str!("../../presets/td3.toml"),
            Self::Sac => include_str!("../../presets/sac.toml"),
            Self::Cem => include_str!("../../presets/cem.toml"),
            Self::Ga => include_str!("../../presets/ga.toml"),
            Self::Pattern => include_str!("../../presets/pattern.toml"),
            Self::Es => include_str!("../../presets/es.toml"),
            Self::Ars => include_str!("../../presets/ars.toml"),
            Self::Random => include_str!("../../presets/random.toml"),
        }
    }

    /// Whether it learns from a ring of transitions.
    pub fn is_off_policy(self) -> bool {
        matches!(self, Self::Ddpg | Self::Td3 | Self::Sac)
    }

    /// Whether it learns from rollouts of its current policy.
    pub fn is_on_policy(self) -> bool {
        !self.is_off_policy() && !self.is_search()
    }

    /// Whether it searches without gradients: generations of members that play whole episodes.
    pub fn is_search(self) -> bool {
        matches!(self, Self::Cem | Self::Ga | Self::Pattern | Self::Es | Self::Ars | Self::Random)
    }

    /// Whether the value network is fitted apart from the policy.
    pub(crate) fn fits_apart(self) -> bool {
        matches!(self, Self::Reinforce | Self::Npg | Self::Trpo)
    }

    /// Whether its step is a natural gradient's.
    pub(crate) fn is_natural(self) -> bool {
        matches!(self, Self::Npg | Self::Trpo)
    }

    /// Whether one pass over the whole batch is all that the policy takes.
    pub(crate) fn takes_one_step(self) -> bool {
        self != Self::Ppo
    }

    /// Critics of an agent that learns from replay, and how many of them its action is judged by.
    pub(crate) fn critics(self) -> [u32; 2] {
        match self {
            Self::Sac => [2, 2],
            Self::Td3 => [2, 1],
            _ => [1, 1],
        }
    }

    /// What it measures of an update, by the names of [`crate::Metrics`]. Of what a configuration leaves out,
    /// [`crate::Config::measures`] tells.
    pub(super) fn measures(self) -> &'static [&'static str] {
        match self {
            Self::Ppo => &[
                "policy_loss",
                "value_loss",
                "entropy",
                "approx_kl",
                "old_approx_kl",
                "clip_fraction",
                "kl",
                "kl_coef",
                "explained_variance",
                "grad_norm",
                "learning_rate",
                "epochs",
            ],
            Self::A2c => &[
                "policy_loss",
                "value_loss",
                "entropy",
                "approx_kl",
                "old_approx_kl",
                "explained_variance",
                "grad_norm",
                "learning_rate",
            ],
            Self::Reinforce => &[
                "policy_loss",
                "value_loss",
                "entropy",
                "approx_kl",
                "old_approx_kl",
                "effective_samples",
                "explained_variance",
                "grad_norm",
                "learning_rate",
            ],
            Self::Npg => &[
                "policy_loss",
                "value_loss",
                "entropy",
                "kl",
                "expected_improvement",
                "improvement",
                "cg_residual",
                "explained_variance",
                "grad_norm",
            ],
            Self::Trpo => &[
                "policy_loss",
                "value_loss",
                "entropy",
                "kl",
                "expected_improvement",
                "improvement",
                "cg_residual",
                "line_search_steps",
                "explained_variance",
                "grad_norm",
            ],
            Self::Ddpg => &[
                "policy_loss",
                "value_loss",
                "q_value",
                "entropy",
                "gumbel_temperature",
                "learning_rate",
                "gradient_steps",
            ],
            Self::Td3 => &["policy_loss", "value_loss", "q_value", "learning_rate", "gradient_steps"],
            Self::Sac => &[
                "policy_loss",
                "value_loss",
                "q_value",
                "entropy",
                "alpha",
                "gumbel_temperature",
                "learning_rate",
                "gradient_steps",
            ],
            Self::Cem | Self::Ga | Self::Es | Self::Ars | Self::Random => {
                &["fitness_mean", "fitness_std", "fitness_best", "fitness_record"]
            }
            Self::Pattern => &["fitness_mean", "fitness_std", "fitness_best", "fitness_record", "step_size"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Algo;
    use crate::layout::{Measured, Metrics};

    #[test]
    fn what_an_algorithm_measures_is_a_field_of_the_metrics() {
        for (algo, name) in Algo::ALL.into_iter().flat_map(|algo| algo.measures().iter().map(move |name| (algo, *name)))
        {
            let counts = matches!(name, "epochs" | "gradient_steps" | "line_search_steps");
            let expected = if counts { Measured::Count(0) } else { Measured::Real(0.0) };
            assert_eq!(Metrics::default().measured(name), expected, "{name} of {}", algo.name());
        }
        let metrics = Metrics { epochs: 3, kl_coef: 0.25, ..Metrics::default() };
        let read = ["epochs", "kl_coef"].map(|name| metrics.measured(name));
        assert_eq!(read, [Measured::Count(3), Measured::Real(0.25)]);
    }
}
