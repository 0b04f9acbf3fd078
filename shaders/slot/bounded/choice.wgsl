//! Slot `bounded`: what worlds get of what the policy drew. Choices: as they are.

fn mw_bounded(action: LaneAction) -> LaneAction { return action; }
