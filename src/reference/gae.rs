//! Generalised advantage estimation, newest step first. Schulman et al. (2016).
//!
//! ```text
//!   δ_t = r_t + γ v'_t − v_t
//!   v'_t = 0                                  where terminated (also when truncated as well)
//!        = V(final observation)               else where truncated
//!        = v_{t+1}                            else; last_value after the final step
//!   A_t = δ_t + γλ (1 − done_t) A_{t+1}       done = terminated or truncated
//!   target_t = A_t + v_t
//! ```

/// Advantages and value targets, both `[steps][worlds]`.
///
/// - `reward`, `value`, `terminated`, `truncated`: `[steps][worlds]`;
/// - `final_value`: `[steps][worlds]`, the value of the final observation before the reset, read only
///   where truncated and not terminated (anything may stand elsewhere, NaN too);
/// - `last_value`: `[worlds]`, the value of the observation after the final step;
/// - `gamma`, the discount γ, and `lambda`, the trace decay λ: in [0, 1].
///
/// The number of worlds is `last_value.len()`; no worlds or no steps give empty vectors.
#[allow(clippy::too_many_arguments)]
pub fn gae(
    reward: &[f64],
    value: &[f64],
    terminated: &[bool],
    truncated: &[bool],
    final_value: &[f64],
    last_value: &[f64],
    gamma: f64,
    lambda: f64,
) -> (Vec<f64>, Vec<f64>) {
    let (samples, worlds) = (reward.len(), last_value.len());
    assert_eq!(value.len(), samples, "length of value");
    assert_eq!(terminated.len(), samples, "length of terminated");
    assert_eq!(truncated.len(), samples, "length of truncated");
    assert_eq!(final_value.len(), samples, "length of final_value");
    assert!(
        samples == 0 || worlds > 0 && samples.is_multiple_of(worlds),
        "{samples} samples are not whole steps of {worlds} worlds"
    );

    let mut advantage = vec![0.0; samples];
    for at in (0..samples).rev() {
        let last_step = at + worlds >= samples;
        let next_value = if terminated[at] {
            0.0
        } else if truncated[at] {
            final_value[at]
        } else if last_step {
            last_value[at % worlds]
        } else {
            value[at + worlds]
        };
        let delta = reward[at] + gamma * next_value - value[at];
        let done = terminated[at] || truncated[at];
        let carry = if done || last_step { 0.0 } else { advantage[at + worlds] };
        advantage[at] = delta + gamma * lambda * carry;
    }
    let target = advantage.iter().zip(value).map(|(a, v)| a + v).collect();
    (advantage, target)
}
