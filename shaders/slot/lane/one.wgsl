//! Slot `lane`: one world or sample in each invocation. The form for GPUs.

alias Lane = f32;
alias LaneWord = u32;

fn mw_lane_get(lane: Lane, i: u32) -> f32 { return lane; }
fn mw_lane_word(lane: LaneWord, i: u32) -> u32 { return lane; }
fn mw_lane_sum(lane: Lane) -> f32 { return lane; }
fn mw_lane_exp(x: Lane) -> Lane { return exp_(x); }
fn mw_lane_log(x: Lane) -> Lane { return log_(x); }
fn mw_lane_sin(x: Lane) -> Lane { return sin_(x); }
fn mw_lane_cos(x: Lane) -> Lane { return cos_(x); }
fn mw_lane_tanh(x: Lane) -> Lane { return tanh_(x); }
fn mw_lane_from(values: array<f32, 1>) -> Lane { return values[0]; }
fn mw_lane_from_words(values: array<u32, 1>) -> LaneWord { return values[0]; }
fn mw_lane_dot(a: Lane, b: Lane) -> f32 { return a * b; }
