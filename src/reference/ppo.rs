//! Proximal policy optimisation with a clipped ratio. Schulman et al. (2017).
//!
//! ```text
//!   ratio = π(a|s) / π_old(a|s) = exp(log_prob − old_log_prob)
//!   L     = min(ratio A, clamp(ratio, 1 − ε, 1 + ε) A)          maximised
//!   actor loss  = −mean L − entropy_coef · mean H
//!   critic loss = mean ½ (V − target)²
//!     clipped   = mean ½ max((V − target)², (V_old + clamp(V − V_old, −ε, ε) − target)²)
//!   k1 = mean(−log ratio)     k3 = mean(ratio − 1 − log ratio)   estimates of KL(old ‖ new)
//! ```
//!
//! Advantages, targets, old values and old log-probabilities are constants: no gradient flows through
//! them. Advantages are used as given; [`super::moments::normalise`] comes before.

use super::categorical;
use super::mlp::Mlp;

/// One sample's objective term, and its derivative by the ratio: `A` where the min takes `ratio A`, 0
/// where it takes the clamped side.
///
/// Where both sides are equal (ratio within the clip, or A = 0) the derivative is `A`.
pub fn surrogate(ratio: f64, advantage: f64, clip: f64) -> (f64, f64) {
    let free = ratio * advantage;
    let clamped = ratio.clamp(1.0 - clip, 1.0 + clip) * advantage;
    if free <= clamped { (free, advantage) } else { (clamped, 0.0) }
}

/// One sample's value loss ½ (V − target)², and its derivative by V.
pub fn value_loss(value: f64, target: f64) -> (f64, f64) {
    let error = value - target;
    (0.5 * error * error, error)
}

/// One sample's clipped value loss, the larger of the plain one and that of the value held within
/// `clip` of the old value, and its derivative by V.
///
/// Where both are equal the plain one counts.
pub fn value_loss_clipped(value: f64, old_value: f64, target: f64, clip: f64) -> (f64, f64) {
    let plain = value_loss(value, target);
    let step = value - old_value;
    let clipped = value_loss(old_value + step.clamp(-clip, clip), target);
    if step.abs() <= clip || clipped.0 <= plain.0 { plain } else { (clipped.0, 0.0) }
}

/// The actor's loss over a batch, its diagnostics and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorLoss {
    /// −mean L, the entropy bonus not included.
    pub policy_loss: f64,
    /// Mean entropy, nats.
    pub entropy: f64,
    /// k3 = mean(ratio − 1 − log ratio), nats; never negative.
    pub approx_kl: f64,
    /// k1 = mean(−log ratio), nats.
    pub old_approx_kl: f64,
    /// Share of samples with |ratio − 1| > ε, whether or not the min takes the clamped side.
    pub clip_fraction: f64,
    /// Of `policy_loss − entropy_coef · entropy` by the actor's parameters, flat.
    pub gradient: Vec<f64>,
    /// New log-probability of each sample's action, `[sample]`.
    pub log_probs: Vec<f64>,
}

/// The actor's loss, averaged over samples, for a categorical policy.
///
/// - `mlp`: observation to logits;
/// - `observations`: `[sample][feature]`, flat, with `mlp.widths[0]` features;
/// - `actions`, `old_log_probs`, `advantages`: `[sample]`, at least one.
#[allow(clippy::too_many_arguments)]
pub fn actor_loss(
    mlp: &Mlp,
    observations: &[f64],
    actions: &[u32],
    old_log_probs: &[f64],
    advantages: &[f64],
    clip: f64,
    entropy_coef: f64,
) -> ActorLoss {
    let samples = sample_count(mlp, observations);
    assert_eq!(actions.len(), samples, "length of actions");
    assert_eq!(old_log_probs.len(), samples, "length of old_log_probs");
    assert_eq!(advantages.len(), samples, "length of advantages");

    let weight = 1.0 / samples as f64;
    let mut loss = ActorLoss {
        policy_loss: 0.0,
        entropy: 0.0,
        approx_kl: 0.0,
        old_approx_kl: 0.0,
        clip_fraction: 0.0,
        gradient: vec![0.0; mlp.parameters.len()],
        log_probs: Vec::with_capacity(samples),
    };
    for (s, observation) in observations.chunks_exact(mlp.widths[0]).enumerate() {
        let action = actions[s] as usize;
        let activations = mlp.forward(observation);
        let logits = &activations[activations.len() - 1];

        let log_prob = categorical::log_prob(logits, action);
        let log_ratio = log_prob - old_log_probs[s];
        let ratio = log_ratio.exp();
        let (term, d_term_d_ratio) = surrogate(ratio, advantages[s], clip);

        loss.policy_loss -= weight * term;
        loss.entropy += weight * categorical::entropy(logits);
        loss.approx_kl += weight * (ratio - 1.0 - log_ratio);
        loss.old_approx_kl -= weight * log_ratio;
        if (ratio - 1.0).abs() > clip {
            loss.clip_fraction += weight;
        }
        loss.log_probs.push(log_prob);

        // d ratio / d log_prob = ratio
        let d_loss_d_log_prob = -weight * d_term_d_ratio * ratio;
        let d_loss_d_entropy = -weight * entropy_coef;
        let d_log_prob = categorical::d_log_prob_d_logits(logits, action);
        let d_entropy = categorical::d_entropy_d_logits(logits);
        let d_loss_d_logits: Vec<f64> =
            d_log_prob.iter().zip(&d_entropy).map(|(l, h)| d_loss_d_log_prob * l + d_loss_d_entropy * h).collect();
        let (gradient, _) = mlp.backward(&activations, &d_loss_d_logits);
        add(&mut loss.gradient, &gradient);
    }
    loss
}

/// The critic's loss over a batch, its values and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticLoss {
    /// Mean of ½ (V − target)², or of its clipped form.
    pub value_loss: f64,
    /// Of `value_loss` by the critic's parameters, flat; no value coefficient applied.
    pub gradient: Vec<f64>,
    /// V of each sample, `[sample]`.
    pub values: Vec<f64>,
}

/// The critic's loss, averaged over samples.
///
/// - `mlp`: observation to one value;
/// - `observations`: `[sample][feature]`, flat, with `mlp.widths[0]` features;
/// - `targets`, `old_values`: `[sample]`, at least one;
/// - `clip`: the clipped form with this ε, or the plain one, which reads no `old_values`.
pub fn critic_loss(
    mlp: &Mlp,
    observations: &[f64],
    targets: &[f64],
    old_values: &[f64],
    clip: Option<f64>,
) -> CriticLoss {
    let samples = sample_count(mlp, observations);
    assert_eq!(mlp.widths.last(), Some(&1), "a critic has one output");
    assert_eq!(targets.len(), samples, "length of targets");
    assert!(clip.is_none() || old_values.len() == samples, "length of old_values");

    let weight = 1.0 / samples as f64;
    let mut loss =
        CriticLoss { value_loss: 0.0, gradient: vec![0.0; mlp.parameters.len()], values: Vec::with_capacity(samples) };
    for (s, observation) in observations.chunks_exact(mlp.widths[0]).enumerate() {
        let activations = mlp.forward(observation);
        let value = activations[activations.len() - 1][0];
        let (term, d_term_d_value) = match clip {
            None => value_loss(value, targets[s]),
            Some(clip) => value_loss_clipped(value, old_values[s], targets[s], clip),
        };
        loss.value_loss += weight * term;
        loss.values.push(value);
        let (gradient, _) = mlp.backward(&activations, &[weight * d_term_d_value]);
        add(&mut loss.gradient, &gradient);
    }
    loss
}

fn sample_count(mlp: &Mlp, observations: &[f64]) -> usize {
    let features = mlp.widths[0];
    assert!(
        !observations.is_empty() && observations.len().is_multiple_of(features),
        "{} numbers are not whole observations of {features} features",
        observations.len()
    );
    observations.len() / features
}

fn add(sum: &mut [f64], term: &[f64]) {
    for (s, t) in sum.iter_mut().zip(term) {
        *s += t;
    }
}
