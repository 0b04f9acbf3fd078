//! Deterministic and soft actor-critic on stored transitions: targets, losses and gradients. Lillicrap et al. (2016),
//! Fujimoto, van Hoof & Meger (2018), Haarnoja et al. (2018).
//!
//! ```text
//!   a'               = clamp(μ'(s') + clamp(noise, ±c) ⊙ unit, low, high)      smoothing of TD3; plain μ'(s') in DDPG
//!   y                = r + discount (min_j Q'_j(s', a') − α log π(a'|s'))      discount: γᵏ (1 − terminated)
//!   critic loss      = mean (Q(s, a) − y)²                                     of each critic
//!   actor loss       = mean (α log π(a|s) − min_j Q_j(s, a))                   a: the actor's own, reparametrised
//!     d / d a        = −d Q_m / d a,   m the critic with the lowest Q of the sample
//!   temperature loss = −mean(log α (log π + target_entropy))
//!   target           ← (1 − τ) target + τ source                              Polyak average
//! ```
//!
//! DDPG has one critic and α = 0; TD3 takes the minimum of two critics in targets and only the first critic in the
//! actor's loss, α = 0; SAC takes the minimum in both. Targets, and log π in the temperature's loss, are constants: no
//! gradient flows through them. A critic reads an observation and behind it the action.

use super::mlp::Mlp;
use super::reparametrised::Head;

/// Q(s, a).
pub fn q(critic: &Mlp, observation: &[f64], action: &[f64]) -> f64 {
    critic.output(&[observation, action].concat())[0]
}

/// (Q(s, a), d Q / d a), the gradient `[number]`.
pub fn d_q_d_action(critic: &Mlp, observation: &[f64], action: &[f64]) -> (f64, Vec<f64>) {
    let activations = critic.forward(&[observation, action].concat());
    let (_, d_q_d_input) = critic.backward(&activations, &[1.0]);
    (activations[activations.len() - 1][0], d_q_d_input[observation.len()..].to_vec())
}

/// (m, Q_m): the critic with the lowest Q(s, a), the first of equals.
pub fn min_q(critics: &[Mlp], observation: &[f64], action: &[f64]) -> (usize, f64) {
    let values = critics.iter().map(|critic| q(critic, observation, action));
    let lower = |best: (usize, f64), this: (usize, f64)| if this.1 < best.1 { this } else { best };
    values.enumerate().reduce(lower).expect("at least one critic")
}

/// The next action of TD3, `[number]`: the noise is clipped first and then turned into the environment's units.
pub fn smoothed(action: &[f64], noise: &[f64], clip: f64, unit: &[f64], low: &[f64], high: &[f64]) -> Vec<f64> {
    let number = |i: usize| (action[i] + noise[i].clamp(-clip, clip) * unit[i]).clamp(low[i], high[i]);
    (0..action.len()).map(number).collect()
}

/// y of one transition; `next_q` is min_j Q'_j.
pub fn target(reward: f64, discount: f64, next_q: f64, alpha: f64, next_log_prob: f64) -> f64 {
    reward + discount * (next_q - alpha * next_log_prob)
}

/// A critic's loss over a batch, its values and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticLoss {
    /// mean (Q − y)²
    pub loss: f64,
    /// Q of each sample, `[sample]`.
    pub q: Vec<f64>,
    /// Of `loss` by the critic's parameters, flat.
    pub gradient: Vec<f64>,
}

/// One critic's loss, averaged over samples.
///
/// - `observations`: `[sample][feature]`; `actions`: `[sample][number]`, in the units that the critic is shown;
/// - `targets`: y, `[sample]`, at least one.
pub fn critic_loss(critic: &Mlp, observations: &[f64], actions: &[f64], targets: &[f64]) -> CriticLoss {
    let samples = targets.len();
    let weight = 1.0 / samples as f64;
    let mut loss = CriticLoss { loss: 0.0, q: vec![], gradient: vec![0.0; critic.parameters.len()] };
    for (s, y) in targets.iter().enumerate() {
        let input = [sample(observations, s, samples), sample(actions, s, samples)].concat();
        let activations = critic.forward(&input);
        let q = activations[activations.len() - 1][0];
        let error = q - y;
        loss.loss += weight * error * error;
        loss.q.push(q);
        let (gradient, _) = critic.backward(&activations, &[2.0 * weight * error]);
        add(&mut loss.gradient, &gradient);
    }
    loss
}

/// An actor's loss over a batch, what its samples had, and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorLoss {
    /// mean (α log π − min_j Q_j)
    pub loss: f64,
    /// The actor's actions as the critics are shown them, `[sample][number]`.
    pub actions: Vec<f64>,
    /// log π of each, `[sample]`.
    pub log_probs: Vec<f64>,
    /// min_j Q_j of each, `[sample]`.
    pub q: Vec<f64>,
    /// Of `loss` by the actor's parameters, flat; the critics are held.
    pub gradient: Vec<f64>,
}

/// The actor's loss, averaged over samples.
///
/// - `observations`: `[sample][feature]`, at least one;
/// - `noise`: what `head` reads for each sample, `[sample][noise]`; empty for a deterministic head.
pub fn actor_loss(
    actor: &Mlp,
    head: &Head,
    critics: &[Mlp],
    observations: &[f64],
    noise: &[f64],
    alpha: f64,
) -> ActorLoss {
    let samples = observations.len() / actor.widths[0];
    let weight = 1.0 / samples as f64;
    let gradient = vec![0.0; actor.parameters.len()];
    let mut loss = ActorLoss { loss: 0.0, actions: vec![], log_probs: vec![], q: vec![], gradient };
    for s in 0..samples {
        let (observation, noise) = (sample(observations, s, samples), sample(noise, s, samples));
        let activations = actor.forward(observation);
        let outputs = &activations[activations.len() - 1];
        let action = head.action(outputs, noise);
        let (lowest, _) = min_q(critics, observation, &action.numbers);
        let (q, d_q_d_action) = d_q_d_action(&critics[lowest], observation, &action.numbers);

        loss.loss += weight * (alpha * action.log_prob - q);
        let d_loss_d_numbers: Vec<f64> = d_q_d_action.iter().map(|d| -weight * d).collect();
        let d_loss_d_outputs = head.d_loss_d_outputs(outputs, noise, &d_loss_d_numbers, weight * alpha);
        let (gradient, _) = actor.backward(&activations, &d_loss_d_outputs);
        add(&mut loss.gradient, &gradient);
        loss.actions.extend(action.numbers);
        loss.log_probs.push(action.log_prob);
        loss.q.push(q);
    }
    loss
}

/// (−mean(log α (log π + target_entropy)), its derivative by log α), over `log_probs[sample]`.
pub fn temperature_loss(log_alpha: f64, log_probs: &[f64], target_entropy: f64) -> (f64, f64) {
    let excess = log_probs.iter().map(|l| l + target_entropy).sum::<f64>() / log_probs.len() as f64;
    (-log_alpha * excess, -excess)
}

/// target ← (1 − τ) target + τ source, `[parameter]` both.
pub fn polyak(target: &mut [f64], source: &[f64], tau: f64) {
    assert_eq!(target.len(), source.len(), "number of parameters");
    for (target, source) in target.iter_mut().zip(source) {
        *target = (1.0 - tau) * *target + tau * source;
    }
}

/// The part of sample `s` in rows of so many samples.
fn sample(rows: &[f64], s: usize, samples: usize) -> &[f64] {
    assert!(rows.len().is_multiple_of(samples), "{} numbers are not rows of {samples} samples", rows.len());
    let width = rows.len() / samples;
    &rows[s * width..][..width]
}

fn add(sum: &mut [f64], term: &[f64]) {
    for (s, t) in sum.iter_mut().zip(term) {
        *s += t;
    }
}
