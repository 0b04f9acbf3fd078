//! Slot `limit`: a Lane held to ±most, as GPUs do in one instruction.

fn mw_limited(x: Lane, most: Lane) -> Lane { return clamp(x, -most, most); }
