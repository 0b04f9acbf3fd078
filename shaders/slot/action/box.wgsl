//! Slot `action`: ACTION_DIM real numbers. The engine holds what a policy draws to the bounds (slot `bounded`); callers with
//! actions of their own may go past them, and the environment says what that means.

alias Action = array<f32, ACTION_DIM>;

fn mw_action(words: array<u32, MW_ACTION_WORDS>) -> Action {
    var action: Action;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = bitcast<f32>(words[i]); }
    return action;
}

/// The words of an action; the inverse of `mw_action`.
fn mw_action_words(action: Action) -> array<u32, MW_ACTION_WORDS> {
    var words: array<u32, MW_ACTION_WORDS>;
    @unroll for i in 0..MW_ACTION_WORDS { words[i] = bitcast<u32>(action[i]); }
    return words;
}

/// Steps that one call of the generator serves.
const MW_CALL_STEPS = 1u;

/// Uniformly random action between the bounds; component i takes word `i & 3` of call `i >> 2`, the first of which is
/// `words`.
fn mw_random_action(words: vec4<u32>, step: u32, world: u32, key: vec2<u32>) -> Action {
    let low = mw_action_low();
    let high = mw_action_high();
    var action: Action;
    var drawn = words;
    @unroll for i in 0..MW_ACTION_WORDS {
        if i > 0u && i % 4u == 0u { drawn = mw_world_words(key, world, step, MW_PURPOSE_ACTION, i / 4u); }
        action[i] = mix(low[i], high[i], mw_uniform(drawn[i % 4u]));
    }
    return action;
}
