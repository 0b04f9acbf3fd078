//! The trial of an export: an observation, what this program makes of it, and how far arithmetic in f32 may be from that.

use super::Exported;
use crate::error::Result;
use crate::reference::philox::{philox4x32_10, uniform};
use crate::train::{Actor, Bounds, Dense, Layer, MOST_NORMALISED};

/// Half an ulp of 1 in f32: the relative error of one rounding.
const ROUNDING: f64 = 1.0 / (1 << 24) as f64;
/// What a tanh in f32 may be off by: some four ulps of 1.
const OF_TANH: f64 = 5e-7;
/// Observations that are looked at for one whose action is far from being another.
const LOOKED_AT: u32 = 64;

/// An observation and what must come of it.
pub(super) struct Trial {
    /// `[d]`
    pub observation: Vec<f32>,
    /// A flag for each action: all but those that would be taken without a mask; none for real numbers.
    pub allowed: Vec<bool>,
    /// What the network makes, and how far another program may be from that.
    pub outputs: Vec<(f64, f64)>,
    /// The same of the numbers of the action; numbers of choices are exact.
    pub action: Vec<(f64, f64)>,
    /// Whether no rounding can make another action of it.
    pub decided: bool,
}

impl Trial {
    pub fn of(exported: &Exported) -> Result<Self> {
        let actor = exported.policy.actor()?;
        let mut best: Option<(f64, Self)> = None;
        for number in 0..LOOKED_AT {
            let trial = Self::at(exported, &actor, observation(exported, number))?;
            let clearance = trial.clearance(&exported.head);
            if best.as_ref().is_none_or(|(most, _)| clearance > *most) {
                best = Some((clearance, trial));
            }
        }
        match best {
            Some((_, trial)) => Ok(trial),
            None => Self::at(exported, &actor, vec![0.0; exported.features]),
        }
    }

    fn at(exported: &Exported, actor: &Actor, observation: Vec<f32>) -> Result<Self> {
        let outputs = exported.outputs_of(&observation);
        let wide: Vec<f64> = observation.iter().copied().map(f64::from).collect();
        let (mut allowed, action) = match &exported.head {
            Layer::Argmax { counts, masked: true } => {
                let mut allowed = vec![true; exported.outputs];
                let free = actor.act_masked(&wide, &allowed)?;
                let starts = exported.starts();
                for ((best, start), count) in free.iter().zip(&starts).zip(counts) {
                    allowed[*start as usize + *best as usize] = *count == 1;
                }
                let action = actor.act_masked(&wide, &allowed)?;
                (allowed, action)
            }
            Layer::Argmax { .. } => (vec![true; exported.outputs], actor.act(&wide)?),
            _ => (Vec::new(), actor.act(&wide)?),
        };
        if !exported.masked() {
            allowed.clear();
        }
        let bound = |number: usize, action: f64| match &exported.head {
            Layer::Clip(_) => outputs[number].1 + ROUNDING * action.abs(),
            Layer::Squash(Bounds { low, high }) => {
                let (low, high) = (f64::from(low[number]), f64::from(high[number]));
                let half = 0.5 * (high - low);
                half * (outputs[number].1 + OF_TANH) + 4.0 * ROUNDING * (low.abs() + high.abs())
            }
            _ => 0.0,
        };
        let action = action.into_iter().enumerate().map(|(number, action)| (action, bound(number, action))).collect();
        let mut trial = Self { observation, allowed, outputs, action, decided: true };
        if matches!(exported.head, Layer::Argmax { .. }) {
            let off = trial.outputs.iter().map(|(_, off)| *off).fold(0.0, f64::max);
            trial.decided = trial.clearance(&exported.head) > 2.0 * off;
        }
        Ok(trial)
    }

    /// By how much the action of choices is what it is, in the worst of them; of real numbers, how far they are from their bounds.
    fn clearance(&self, head: &Layer) -> f64 {
        match head {
            Layer::Argmax { counts, .. } => {
                let (mut first, mut least) = (0, f64::INFINITY);
                for count in counts {
                    let end = first + *count as usize;
                    let of_choice = (first..end).filter(|&i| self.allowed.is_empty() || self.allowed[i]);
                    let mut logits: Vec<f64> = of_choice.map(|i| self.outputs[i].0).collect();
                    logits.sort_by(|a, b| b.total_cmp(a));
                    if let [best, second, ..] = logits[..] {
                        least = least.min(best - second);
                    }
                    first = end;
                }
                least
            }
            Layer::Clip(Bounds { low, high }) | Layer::Squash(Bounds { low, high }) => {
                let free = |((action, _), (low, high)): (&(f64, f64), (&f32, &f32))| {
                    let (low, high) = (f64::from(*low), f64::from(*high));
                    (action - low).min(high - action) / (high - low)
                };
                self.action.iter().zip(low.iter().zip(high)).map(free).fold(f64::INFINITY, f64::min)
            }
            Layer::Normalise { .. } | Layer::Dense(_) | Layer::Tanh | Layer::Relu => 0.0,
        }
    }
}

/// A random observation, from −1 to 1 as the network sees it.
fn observation(exported: &Exported, number: u32) -> Vec<f32> {
    let unit = |feature: usize| {
        let words = philox4x32_10([number, feature as u32, 0, 0], [0x0074_7279, 0]);
        (2.0 * uniform(words[0]) - 1.0) as f32
    };
    let plain = |feature: usize| match exported.network.first() {
        Some(Layer::Normalise { mean, scale }) => {
            let of = mean[feature] + unit(feature) / scale[feature];
            if of.is_finite() { of } else { 0.0 }
        }
        _ => unit(feature),
    };
    (0..exported.features).map(plain).collect()
}

impl Exported<'_> {
    /// What the network makes of an observation in f64, and how far f32 may be from each: a sum of n products is off by n + 2
    /// roundings of Σ|w||a| + |b|, whatever the order; slopes of tanh and of the positive part are at most 1.
    fn outputs_of(&self, observation: &[f32]) -> Vec<(f64, f64)> {
        let mut x: Vec<(f64, f64)> = observation.iter().map(|x| (f64::from(*x), 0.0)).collect();
        for layer in &self.network {
            x = match layer {
                Layer::Normalise { mean, scale } => {
                    let most = f64::from(MOST_NORMALISED);
                    let of = |((x, _), (mean, scale)): (&(f64, f64), (&f32, &f32))| {
                        let (mean, scale) = (f64::from(*mean), f64::from(*scale));
                        let off = 4.0 * ROUNDING * (x.abs() + mean.abs()) * scale.abs();
                        (((x - mean) * scale).clamp(-most, most), off.min(2.0 * most))
                    };
                    x.iter().zip(mean.iter().zip(scale)).map(of).collect()
                }
                Layer::Dense(Dense { inputs, outputs, weight, bias, .. }) => (0..*outputs)
                    .map(|o| {
                        let row = weight[o * inputs..][..*inputs].iter().map(|w| f64::from(*w)).zip(&x);
                        let b = f64::from(bias[o]);
                        let (mut sum, mut size, mut carried) = (b, b.abs(), 0.0);
                        for (w, (a, off)) in row {
                            sum += w * a;
                            size += (w * a).abs();
                            carried += w.abs() * off;
                        }
                        (sum, carried + (*inputs as f64 + 2.0) * ROUNDING * (size + carried))
                    })
                    .collect(),
                Layer::Tanh => x.iter().map(|(x, off)| (x.tanh(), off + OF_TANH)).collect(),
                Layer::Relu => x.iter().map(|(x, off)| (x.max(0.0), *off)).collect(),
                Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => x,
            };
        }
        x
    }
}
