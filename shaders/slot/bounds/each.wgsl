//! Slot `bounds`: apart for each component of an action.

fn mw_action_low() -> Action { return ACTION_LOW; }
fn mw_action_high() -> Action { return ACTION_HIGH; }
