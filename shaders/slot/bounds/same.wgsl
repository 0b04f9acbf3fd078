//! Slot `bounds`: the same for all components of an action.

fn mw_action_low() -> Action {
    var low: Action;
    @unroll for i in 0..MW_ACTION_WORDS { low[i] = ACTION_LOW; }
    return low;
}

fn mw_action_high() -> Action {
    var high: Action;
    @unroll for i in 0..MW_ACTION_WORDS { high[i] = ACTION_HIGH; }
    return high;
}
