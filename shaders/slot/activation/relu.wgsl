//! Slot `activation`: y = max(x, 0).   dy/dx = 1 where y > 0, else 0

fn mw_activation(x: Lane) -> Lane { return max(x, Lane(0.0)); }

/// dy/dx from y.
fn mw_d_activation(y: Lane) -> Lane { return select(Lane(0.0), Lane(1.0), y > Lane(0.0)); }
