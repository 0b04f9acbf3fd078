//! What a policy makes of one observation: for looking at it, step by step.

use super::{Actor, Policy, layers};
use crate::algo::{ACTOR, CRITIC};
use crate::env::{ActionSpace, Deviation};
use crate::error::{Error, Result};
use crate::reference::philox::{philox4x32_10, uniform};
use crate::reference::{squashed, state_dependent};

/// A policy as it acts on the host, with its distribution and its value; in f64.
#[derive(Clone, Debug)]
pub struct Insight {
    actor: Actor,
    critic: Option<Actor>,
    /// What a value is multiplied with to be a return of the environment.
    value_scale: f64,
    space: ActionSpace,
    deviation: Deviation,
    squash: bool,
    /// Logarithms of deviations that are parameters.
    log_std: Vec<f64>,
    /// Whether its outputs are a distribution over choices.
    draws: bool,
}

/// What a policy makes of an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// Of every choice the probability of each of its actions; none for real numbers, and for policies that draw nothing.
    pub probabilities: Vec<Vec<f64>>,
    /// Mean of every real number: what the environment gets of it.
    pub mean: Vec<f64>,
    /// Deviation of every real number, before it is clipped or squashed; none where the policy is deterministic.
    pub std: Vec<f64>,
    /// V of the observation, as a return of the environment; none where the algorithm has no V.
    pub value: Option<f64>,
    /// The action: what is most likely, or a draw.
    pub action: Vec<f64>,
}

impl Policy {
    /// The policy as it acts on the host, with its distribution and its value.
    ///
    /// # Errors
    /// Those of [`Policy::actor`].
    pub fn insight(&self) -> Result<Insight> {
        let (layout, config) = (self.layout()?, &self.config);
        let exploration = config.exploration(&self.env);
        let space = self.env.spec().action_space.clone();
        let has_critic = config.algo.is_on_policy() && layout.networks().len() > CRITIC;
        // the actor with all outputs: deviations are among them
        let network = |network: usize| {
            let layers = layers::of_network(config, &layout, self.parameters(), network);
            Actor::new(&self.env, config, &layers, layers::head(&self.env, config))
        };
        let critic = has_critic.then(|| network(CRITIC));
        let (mut log_std, mut value_scale, mut at) = (Vec::new(), 1.0, 0);
        for tensor in layout.tensors() {
            let values = &self.parameters()[at..at + tensor.len()];
            match tensor.name.as_str() {
                "actor.log_std" => log_std = values.iter().copied().map(f64::from).collect(),
                // (mean, scale, M2, count); rewards were multiplied with the scale
                "normaliser.reward" if config.norm_reward => value_scale = 1.0 / f64::from(values[1]).max(1e-30),
                _ => {}
            }
            at += tensor.len();
        }
        let (deviation, squash, draws) = (exploration.deviation, exploration.squash, !config.algo.is_search());
        Ok(Insight { actor: network(ACTOR), critic, value_scale, space, deviation, squash, log_std, draws })
    }
}

impl Insight {
    /// What it makes of an observation. `allowed` has a flag for each action, those of one choice after those of the other,
    /// where the environment says which are; `draw` is (seed, step) of a random action.
    ///
    /// # Errors
    /// Those of [`Actor::act_masked`].
    pub fn look(&self, observation: &[f64], allowed: Option<&[bool]>, draw: Option<[u32; 2]>) -> Result<Thought> {
        let outputs = self.actor.outputs(observation)?;
        let value = match &self.critic {
            Some(critic) => critic.outputs(observation)?.first().map(|value| value * self.value_scale),
            None => None,
        };
        let word = |number: usize| {
            let [seed, step] = draw.unwrap_or_default();
            let words = philox4x32_10([0, step, number as u32, 1], [seed, 0x0069_6e73]);
            [uniform(words[0]), uniform(words[1])]
        };
        if let ActionSpace::Box { low, high } = &self.space {
            let numbers = low.len();
            let std = self.deviations(observation, &outputs);
            let mean = self.actor.chosen(outputs[..numbers].to_vec(), None);
            let action = if draw.is_none() || std.is_empty() {
                mean.clone()
            } else {
                let drawn = |i: usize| {
                    let [a, b] = word(i);
                    let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
                    let (x, low, high) = (outputs[i] + std[i] * normal, f64::from(low[i]), f64::from(high[i]));
                    if self.squash { squashed::action(x, low, high) } else { x.clamp(low, high) }
                };
                (0..numbers).map(drawn).collect()
            };
            return Ok(Thought { probabilities: Vec::new(), mean, std, value, action });
        }
        let (mut probabilities, mut first) = (Vec::new(), 0);
        for count in self.space.counts() {
            let end = first + count as usize;
            let allowed = |i: usize| allowed.is_none_or(|allowed| allowed.get(i).copied().unwrap_or(true));
            let most = (first..end).filter(|&i| allowed(i)).map(|i| outputs[i]).fold(f64::NEG_INFINITY, f64::max);
            if most == f64::NEG_INFINITY {
                let reason = format!("none of the {count} actions of a choice is allowed");
                return Err(Error::Mask { env: self.actor.env().to_owned(), reason });
            }
            let weight = |i: usize| if allowed(i) { (outputs[i] - most).exp() } else { 0.0 };
            let sum: f64 = (first..end).map(weight).sum();
            probabilities.push((first..end).map(|i| weight(i) / sum).collect::<Vec<f64>>());
            first = end;
        }
        let action = if draw.is_some() && self.draws {
            let drawn = |(choice, chances): (usize, &Vec<f64>)| {
                let mut left = word(choice)[0];
                let place = chances.iter().position(|chance| {
                    left -= chance;
                    left < 0.0
                });
                // past the end by a rounding: the last that is possible
                place.or_else(|| chances.iter().rposition(|&chance| chance > 0.0)).unwrap_or_default() as f64
            };
            probabilities.iter().enumerate().map(drawn).collect()
        } else {
            self.actor.chosen(outputs, allowed)
        };
        let probabilities = if self.draws { probabilities } else { Vec::new() };
        Ok(Thought { probabilities, mean: Vec::new(), std: Vec::new(), value, action })
    }

    fn deviations(&self, observation: &[f64], outputs: &[f64]) -> Vec<f64> {
        let numbers = self.space.words() as usize;
        if !self.draws {
            return Vec::new();
        }
        match self.deviation {
            Deviation::None => Vec::new(),
            Deviation::Free => self.log_std.iter().map(|log| log.exp()).collect(),
            Deviation::Clamped { log_std: [least, most] } => {
                let held = |log: &f64| log.clamp(f64::from(least), f64::from(most)).exp();
                outputs[numbers..].iter().map(held).collect()
            }
            Deviation::StateDependent(_) => {
                let mut features = self.actor.normalised(observation);
                features.push(1.0);
                state_dependent::log_std(&features, &self.log_std).iter().map(|log| log.exp()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Policy;
    use crate::config::Config;
    use crate::env::Environment;

    fn policy(env: &str, algo: &str, pairs: &[&str]) -> Policy {
        let env = Environment::load(env).expect(env);
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        let config = Config::resolve(env.name(), algo, None, &pairs).expect("a configuration");
        let mut policy = Policy::untrained(&env, config).expect("a policy");
        // something to see: every parameter another one
        let parameters: Vec<f32> = (0..policy.parameters().len()).map(|i| ((i % 17) as f32 - 8.0) / 20.0).collect();
        policy.set_parameters(&parameters).expect("parameters");
        policy
    }

    #[test]
    fn the_most_likely_action_is_the_actors() {
        for (env, algo, pairs) in [
            ("CartPole-v1", "ppo", &["hidden=8,8"][..]),
            ("Pendulum-v1", "ppo", &["hidden=8,8"]),
            ("Pendulum-v1", "ppo", &["hidden=8,8", "use_sde=true"]),
            ("Pendulum-v1", "sac", &["hidden=8,8"]),
            ("Pendulum-v1", "td3", &["hidden=8,8"]),
            ("CartPole-v1", "cem", &["hidden=8,8"]),
        ] {
            let policy = policy(env, algo, pairs);
            let observation = vec![0.3; policy.env.spec().observation_dim as usize];
            let insight = policy.insight().expect("an insight");
            let thought = insight.look(&observation, None, None).expect("a thought");
            assert_eq!(thought.action, policy.act(&observation).expect("an action"), "{env}, {algo}");
            for chances in &thought.probabilities {
                assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{chances:?}");
            }
            assert_eq!(thought.value.is_some(), algo == "ppo", "{env}, {algo}");
            assert_eq!(thought.std.len(), usize::from(env.starts_with("Pen") && algo != "td3"), "{env}, {algo}");
            assert!(thought.std.iter().all(|std| *std > 0.0));
            // draws differ, and are those of their seed
            let drawn = |step| insight.look(&observation, None, Some([1, step])).expect("a thought").action;
            assert_eq!(drawn(3), drawn(3));
            let all: Vec<_> = (0..64).map(drawn).collect();
            assert_eq!(all.iter().any(|action| *action != all[0]), algo == "ppo" || algo == "sac", "{env}, {algo}");
        }
    }

    #[test]
    fn values_are_those_of_the_critic_and_masks_leave_nothing_to_what_is_forbidden() {
        let policy = policy("CartPole-v1", "ppo", &["hidden=4", "norm_obs=false"]);
        let observation = [0.1, -0.2, 0.3, -0.4];
        let insight = policy.insight().expect("an insight");
        let thought = insight.look(&observation, Some(&[true, false]), None).expect("a thought");
        assert_eq!((thought.probabilities, thought.action), (vec![vec![1.0, 0.0]], vec![0.0]));
        assert!(insight.look(&observation, Some(&[false, false]), None).is_err());
        // by hand: the critic lies behind the actor's 4 × 4 + 4 + 4 × 2 + 2 numbers
        let p: Vec<f64> = policy.parameters()[30..].iter().copied().map(f64::from).collect();
        let hidden: Vec<f64> = (0..4)
            .map(|h| (0..4).map(|i| p[4 * h + i] * observation[i]).sum::<f64>() + p[16 + h])
            .map(f64::tanh)
            .collect();
        let value = (0..4).map(|h| p[20 + h] * hidden[h]).sum::<f64>() + p[24];
        assert!((thought.value.expect("a value") - value).abs() < 1e-12);
    }
}
