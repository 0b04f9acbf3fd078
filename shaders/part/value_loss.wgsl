//! The objective of values: squared error of the value, plain or clipped around the value of the rollout.
//!
//!   loss = c_V · ½ (V − target)²      or, with clip_vloss, c_V · ½ max((V − target)², (V_clip − target)²),
//!   V_clip = V_old + clamp(V − V_old, −ε, ε)
//!
//! Reference: src/reference/ppo.rs.

fn mw_value_loss(thread: MwThread, samples: MwSamples, mine: bool) {
    let v = samples.v;
    let value = mw_output[v];
    let goal = mw_sample(samples, MW_ROW_TARGET);
    let error = value - goal;
    var loss = 0.5 * error * error;
    var d_value = error;
    if mw_run.clip_vloss != 0u {
        let old = mw_sample(samples, MW_ROW_VALUE);
        let clip = Lane(mw_progress[thread.agent].clip_coef);
        let moved = value - old;
        let clipped_error = old + clamp(moved, -clip, clip) - goal;
        let outside = abs(moved) > clip;
        let clipped_wins = clipped_error * clipped_error > error * error;
        loss = select(loss, 0.5 * clipped_error * clipped_error, clipped_wins);
        d_value = select(error, select(clipped_error, Lane(0.0), outside), clipped_wins);
    }
    let share = samples.weight / Lane(samples.count);
    mw_d_output[v] = mw_each[mw_own(samples.agent)].vf_coef * share * d_value;
    mw_add_term(thread, v, mine, MW_TERM_VALUE_LOSS, loss * samples.weight);
}
