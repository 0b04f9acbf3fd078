//! Estimates of a policy gradient from one rollout, as the textbook writes them, and the policies that they are made for.
//! Kochenderfer, Wheeler & Wray, Algorithms for Decision Making (2022), chapter 11; generalised advantages: Schulman et
//! al. (2016).
//!
//! ```text
//!   ℓ_k = c^k ∇ log π(a_k | s_k)     c = γ, or 1
//!   R_k = Σ_{j≥k} γ^{j−k} r_j        δ_k = r_k + γ V_{k+1}(s_{k+1}) − V_k(s_k)
//! ```
//!
//! An estimate is `[parameter]`. Sums run in the textbook's order; the kernel's run forwards in time.

/// One step of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// ∇ log π(a_k | s_k), `[parameter]`.
    pub score: Vec<f64>,
    /// r_k
    pub reward: f64,
    /// V_k(s_k)
    pub value: f64,
    /// V_{k+1}(s_{k+1}); 0 after the last step.
    pub next_value: f64,
}

/// What baselines are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineTerms {
    /// Σ_k ℓ_k R_k
    pub gradient: Vec<f64>,
    /// Σ_k ℓ_k
    pub scores: Vec<f64>,
    /// Σ_k ℓ_k² R_k / Σ_k ℓ_k²; 0 where that is 0.
    pub ratio: Vec<f64>,
    /// Σ_k ℓ_k² R_k
    pub weighted: Vec<f64>,
    /// Σ_k ℓ_k²
    pub squares: Vec<f64>,
    /// Σ_k R_k
    pub to_go: f64,
}

/// ∇ log π(a | s) of a ~ N(θ₁ s, θ₂²).
pub fn linear_gaussian_score(theta: &[f64], s: f64, a: f64) -> Vec<f64> {
    let apart = a - theta[0] * s;
    vec![s * apart / theta[1].powi(2), (apart.powi(2) - theta[1].powi(2)) / theta[1].powi(3)]
}

/// d log π(a) / dθ of π(0) = clamp(θ, 0, 1), π(1) = 1 − π(0).
pub fn clamp_score(theta: f64, action: u32) -> f64 {
    match action {
        _ if theta <= 0.0 || theta >= 1.0 => 0.0,
        0 => 1.0 / theta,
        _ => -1.0 / (1.0 - theta),
    }
}

/// base^k
fn power(base: f64, k: usize) -> f64 {
    (0..k).map(|_| base).product()
}

/// R_k = Σ_{j≥k} γ^{j−k} r_j
pub fn reward_to_go_of(steps: &[Step], gamma: f64, k: usize) -> f64 {
    (k..steps.len()).map(|j| power(gamma, j - k) * steps[j].reward).sum()
}

/// Σ_k ℓ_k x_k
fn weighed(steps: &[Step], c: f64, x: impl Fn(usize) -> f64) -> Vec<f64> {
    let sum = |i: usize| (0..steps.len()).map(|k| power(c, k) * steps[k].score[i] * x(k)).sum();
    (0..steps[0].score.len()).map(sum).collect()
}

fn residual(step: &Step, gamma: f64) -> f64 {
    step.reward + gamma * step.next_value - step.value
}

/// (Σ_k ∇ log π_k) Σ_k γ^k r_k
pub fn total_return(steps: &[Step], gamma: f64) -> Vec<f64> {
    let whole = reward_to_go_of(steps, gamma, 0);
    weighed(steps, 1.0, |_| whole)
}

/// Σ_k ℓ_k R_k
pub fn reward_to_go(steps: &[Step], gamma: f64, c: f64) -> Vec<f64> {
    weighed(steps, c, |k| reward_to_go_of(steps, gamma, k))
}

/// Σ_k ℓ_k (R_k − b)
pub fn baseline(steps: &[Step], gamma: f64, c: f64, b: &[f64]) -> Vec<f64> {
    let scores = weighed(steps, c, |_| 1.0);
    let less = |((g, s), b): ((f64, f64), &f64)| g - b * s;
    reward_to_go(steps, gamma, c).into_iter().zip(scores).zip(b).map(less).collect()
}

/// What baselines are made of.
pub fn baseline_terms(steps: &[Step], gamma: f64, c: f64) -> BaselineTerms {
    let squares_of = |x: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let square = |k: usize, i: usize| (power(c, k) * steps[k].score[i]).powi(2);
        let sum = |i: usize| (0..steps.len()).map(|k| square(k, i) * x(k)).sum();
        (0..steps[0].score.len()).map(sum).collect()
    };
    let to_go = |k: usize| reward_to_go_of(steps, gamma, k);
    let (weighted, squares) = (squares_of(&to_go), squares_of(&|_| 1.0));
    let ratio = weighted.iter().zip(&squares).map(|(a, b)| if *b > 0.0 { a / b } else { 0.0 }).collect();
    let gradient = reward_to_go(steps, gamma, c);
    let scores = weighed(steps, c, |_| 1.0);
    BaselineTerms { gradient, scores, ratio, weighted, squares, to_go: (0..steps.len()).map(to_go).sum() }
}

/// Σ_k ℓ_k (R_k − V_k(s_k))
pub fn value_baseline(steps: &[Step], gamma: f64, c: f64) -> Vec<f64> {
    weighed(steps, c, |k| reward_to_go_of(steps, gamma, k) - steps[k].value)
}

/// Σ_k ℓ_k (r_k + γ V_{k+1}(s_{k+1}))
pub fn q(steps: &[Step], gamma: f64, c: f64) -> Vec<f64> {
    weighed(steps, c, |k| steps[k].reward + gamma * steps[k].next_value)
}

/// Σ_k ℓ_k δ_k
pub fn td_residual(steps: &[Step], gamma: f64, c: f64) -> Vec<f64> {
    weighed(steps, c, |k| residual(&steps[k], gamma))
}

/// Σ_k ℓ_k Σ_{j≥k} (γλ)^{j−k} δ_j
pub fn gae(steps: &[Step], gamma: f64, c: f64, lambda: f64) -> Vec<f64> {
    let decayed = |k: usize, j: usize| power(gamma * lambda, j - k) * residual(&steps[j], gamma);
    weighed(steps, c, |k| (k..steps.len()).map(|j| decayed(k, j)).sum())
}
