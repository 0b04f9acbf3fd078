//! Policies of the textbook with what is known of them exactly: U(θ), ∇U(θ), and the value of every state.

use crate::env::Environment;
use crate::error::{Error, Result};
use crate::kernels::TextbookPolicy;

/// A textbook policy in the environment that it is made for.
///
/// ```text
///   linear-gaussian, SimpleRegulator        a ~ N(θ₁ s, θ₂²),  s' = s + a + N(0, ν²),  r = −s²
///     m₀ = μ₀² + σ₀²      m_{k+1} = (1 + θ₁)² m_k + θ₂² + ν²      U = −Σ γ^k m_k
///     V_k(s) = −(p_k s² + q_k)      p_k = 1 + γ (1 + θ₁)² p_{k+1}      q_k = γ (p_{k+1} (θ₂² + ν²) + q_{k+1})
///   clamp, TwoAction                        π(L) = clamp(θ, 0, 1)
///     U = V = π(L) Q(L) + π(R) Q(R)      dU/dθ = Q(L) − Q(R) inside (0, 1), else 0
/// ```
///
/// The regulator's closed forms know nothing of the bounds of its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Textbook {
    /// The linear Gaussian policy.
    LinearGaussian {
        /// Mean μ₀ of the first state.
        mean: f64,
        /// Standard deviation σ₀ of the first state.
        deviation: f64,
        /// Standard deviation ν of a step's noise.
        noise: f64,
        /// Bound of |s|.
        limit: f64,
    },
    /// The clamp policy.
    Clamp {
        /// Q(L).
        left: f64,
        /// Q(R).
        right: f64,
    },
}

/// The least θ₂ of the linear Gaussian policy: scores grow like its inverse, and their squares must fit f32.
const LEAST_DEVIATION: f64 = 1e-6;

/// Root mean squares of the state that the bound must be away for the closed forms to hold.
const FAR: f64 = 6.0;

impl Textbook {
    /// The policy for an environment.
    ///
    /// # Errors
    /// [`Error::Environment`] where the textbook has none for it.
    pub fn of(env: &Environment) -> Result<Self> {
        let number = |name: &str| {
            let found = env.overrides().iter().find(|known| known.name == name);
            found.map_or(f64::NAN, |known| known.value)
        };
        match env.name() {
            "SimpleRegulator" if env.is_built_in() => Ok(Self::LinearGaussian {
                mean: number("initial_mean"),
                deviation: number("initial_deviation"),
                noise: number("noise"),
                limit: number("limit"),
            }),
            "TwoAction" if env.is_built_in() => {
                Ok(Self::Clamp { left: number("reward_left"), right: number("reward_right") })
            }
            name => Err(Error::Environment {
                name: name.to_owned(),
                reason: "it has no textbook policy; SimpleRegulator and TwoAction have one".to_owned(),
            }),
        }
    }

    /// Whether an environment has one.
    pub fn knows(env: &Environment) -> bool {
        Self::of(env).is_ok()
    }

    /// The kernels' choice for slot `policy`.
    pub fn kind(&self) -> TextbookPolicy {
        match self {
            Self::LinearGaussian { .. } => TextbookPolicy::LinearGaussian,
            Self::Clamp { .. } => TextbookPolicy::Clamp,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LinearGaussian { .. } => "linear-gaussian",
            Self::Clamp { .. } => "clamp",
        }
    }

    /// What its parameters are called.
    pub fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::LinearGaussian { .. } => &["θ₁", "θ₂"],
            Self::Clamp { .. } => &["θ"],
        }
    }

    /// Parameters to begin with: those of the textbook's examples.
    pub fn default_theta(&self) -> Vec<f64> {
        match self {
            Self::LinearGaussian { .. } => vec![-0.5, 0.3],
            Self::Clamp { .. } => vec![0.2],
        }
    }

    /// Refuses parameters that are no policy.
    ///
    /// # Errors
    /// [`Error::Setting`] with what is wrong.
    pub fn check(&self, theta: &[f64]) -> Result<()> {
        let wrong = |reason: String| Err(Error::setting("theta", reason));
        let names = self.parameters();
        if theta.len() != names.len() {
            let (count, name) = (names.len(), self.name());
            return wrong(format!("the {name} policy has {count} ({}), not {}", names.join(", "), theta.len()));
        }
        if let Some(bad) = theta.iter().find(|x| !(**x as f32).is_finite()) {
            return wrong(format!("{bad} is not allowed; parameters are finite numbers that f32 can hold"));
        }
        match self {
            Self::LinearGaussian { .. } if theta[1] < LEAST_DEVIATION => {
                wrong(format!("θ₂ = {} is not allowed; a standard deviation is at least {LEAST_DEVIATION}", theta[1]))
            }
            _ => Ok(()),
        }
    }

    /// U(θ) = E Σ γ^k r_k and ∇U(θ), where a closed form holds: not where the state would reach its bounds.
    pub fn utility(&self, theta: &[f64], gamma: f64, depth: u32) -> Option<(f64, Vec<f64>)> {
        let (utility, gradient, spread) = self.unbounded(theta, gamma, depth);
        let near = match *self {
            Self::LinearGaussian { limit, .. } => FAR * spread > limit,
            Self::Clamp { .. } => false,
        };
        (!near && utility.is_finite()).then_some((utility, gradient))
    }

    /// U(θ), ∇U(θ) and the largest root mean square of the state, as if it had no bounds.
    pub fn unbounded(&self, theta: &[f64], gamma: f64, depth: u32) -> (f64, Vec<f64>, f64) {
        match *self {
            Self::Clamp { left, right } => {
                let p = theta[0].clamp(0.0, 1.0);
                let inside = theta[0] > 0.0 && theta[0] < 1.0;
                (p * left + (1.0 - p) * right, vec![if inside { left - right } else { 0.0 }], 1.0)
            }
            Self::LinearGaussian { mean, deviation, noise, .. } => {
                let closed = 1.0 + theta[0];
                let (mut utility, mut gradient) = (0.0, vec![0.0; 2]);
                let (mut m, mut d_m) = (mean * mean + deviation * deviation, [0.0, 0.0]);
                let (mut discount, mut most) = (1.0, 0.0f64);
                for _ in 0..depth {
                    most = most.max(m);
                    utility -= discount * m;
                    gradient.iter_mut().zip(d_m).for_each(|(g, d)| *g -= discount * d);
                    d_m = [2.0 * closed * m + closed * closed * d_m[0], closed * closed * d_m[1] + 2.0 * theta[1]];
                    m = closed * closed * m + theta[1] * theta[1] + noise * noise;
                    discount *= gamma;
                }
                (utility, gradient, most.sqrt())
            }
        }
    }

    /// V_k(s) = c₀ + c₁ s + c₂ s² of every step, under the same condition as [`Textbook::utility`].
    pub fn values(&self, theta: &[f64], gamma: f64, depth: u32) -> Option<Vec<[f64; 3]>> {
        let (utility, _) = self.utility(theta, gamma, depth)?;
        match *self {
            // the rollout is over after its first step
            Self::Clamp { .. } => Some((0..depth).map(|k| [if k == 0 { utility } else { 0.0 }, 0.0, 0.0]).collect()),
            Self::LinearGaussian { noise, .. } => {
                let closed = (1.0 + theta[0]).powi(2);
                let spread = theta[1] * theta[1] + noise * noise;
                let (mut p, mut q) = (0.0, 0.0);
                let mut values = vec![[0.0; 3]; depth as usize];
                for value in values.iter_mut().rev() {
                    (p, q) = (1.0 + gamma * closed * p, gamma * (p * spread + q));
                    *value = [-q, 0.0, -p];
                }
                Some(values)
            }
        }
    }
}
