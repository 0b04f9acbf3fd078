//! Returns, and what steps have from the beginning of their segment.
//!
//! ```text
//!   G_t = r_t + γ G_{t+1}                     cut behind an ending and behind the last step, where the tail is
//!       0                                     without values, and where terminated
//!       γ V(final observation)                else where truncated
//!       γ last_value                          else, after the last step
//!   R_t = G at the first step of t's segment  f_t = γᵏ, k steps after it
//! ```
//!
//! A segment begins with an episode or with the first step.

/// Returns `[steps][worlds]`; `tail` holds `final_value` `[steps][worlds]` and `last_value` `[worlds]`, as in
/// [`super::gae::gae`].
pub fn returns(
    reward: &[f64],
    terminated: &[bool],
    truncated: &[bool],
    worlds: usize,
    tail: Option<(&[f64], &[f64])>,
    gamma: f64,
) -> Vec<f64> {
    let mut returns = vec![0.0; reward.len()];
    for at in (0..reward.len()).rev() {
        let last_step = at + worlds >= reward.len();
        let next = match tail {
            _ if terminated[at] => 0.0,
            Some((final_value, _)) if truncated[at] => final_value[at],
            None if truncated[at] => 0.0,
            Some((_, last_value)) if last_step => last_value[at % worlds],
            None if last_step => 0.0,
            _ => returns[at + worlds],
        };
        returns[at] = reward[at] + gamma * next;
    }
    returns
}

/// (R, f), both `[steps][worlds]`, of returns `[steps][worlds]`.
pub fn segments(
    returns: &[f64],
    terminated: &[bool],
    truncated: &[bool],
    worlds: usize,
    gamma: f64,
) -> (Vec<f64>, Vec<f64>) {
    let (mut whole, mut factor) = (returns.to_vec(), vec![1.0; returns.len()]);
    for at in worlds..returns.len() {
        let before = at - worlds;
        if !terminated[before] && !truncated[before] {
            whole[at] = whole[before];
            factor[at] = gamma * factor[before];
        }
    }
    (whole, factor)
}
