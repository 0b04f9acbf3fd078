//! Slot `squash`: none; the density is that of what was drawn.

fn mw_log_slopes(u: LaneAction) -> Lane { return Lane(0.0); }
fn mw_squashed_log_prob(log_prob: Lane, u: LaneAction) -> Lane { return log_prob; }
fn mw_squashed_entropy(entropy: Lane, u: LaneAction) -> Lane { return entropy; }
fn mw_d_squashed_mean(d_mean: Lane, d_entropy: Lane, u: Lane) -> Lane { return d_mean; }
fn mw_d_squashed_log_std(d_entropy: Lane, u: Lane, mean: Lane) -> Lane { return d_entropy; }
