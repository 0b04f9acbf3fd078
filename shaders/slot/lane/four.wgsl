//! Slot `lane`: four neighbouring worlds or samples in each invocation. The form for processors that emulate
//! a GPU: one weight, once fetched, serves four of them.

alias Lane = vec4<f32>;
alias LaneWord = vec4<u32>;

fn mw_lane_get(lane: Lane, i: u32) -> f32 { return lane[i]; }
fn mw_lane_word(lane: LaneWord, i: u32) -> u32 { return lane[i]; }
fn mw_lane_sum(lane: Lane) -> f32 { return (lane.x + lane.y) + (lane.z + lane.w); }
fn mw_lane_exp(x: Lane) -> Lane { return mw_exp4(x); }
fn mw_lane_log(x: Lane) -> Lane { return mw_log4(x); }
fn mw_lane_sin(x: Lane) -> Lane { return mw_sin4(x); }
fn mw_lane_cos(x: Lane) -> Lane { return mw_cos4(x); }
fn mw_lane_tanh(x: Lane) -> Lane { return mw_tanh4(x); }
fn mw_lane_from(values: array<f32, 4>) -> Lane { return Lane(values[0], values[1], values[2], values[3]); }
fn mw_lane_from_words(values: array<u32, 4>) -> LaneWord { return LaneWord(values[0], values[1], values[2], values[3]); }
fn mw_lane_dot(a: Lane, b: Lane) -> f32 { return dot(a, b); }
