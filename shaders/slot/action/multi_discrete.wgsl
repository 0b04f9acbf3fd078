//! Slot `action`: several choices at once, ACTION_COUNTS[i] actions each.

/// Component i is 0 … ACTION_COUNTS[i] − 1.
alias Action = array<u32, MW_ACTION_WORDS>;
/// Which actions are allowed: those of the first choice, then those of the second, …
alias ActionMask = array<bool, MW_CHOICES>;

fn mw_action(words: array<u32, MW_ACTION_WORDS>) -> Action {
    var action: Action;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = min(words[i], ACTION_COUNTS[i] - 1u); }
    return action;
}

/// The words of an action; the inverse of `mw_action`.
fn mw_action_words(action: Action) -> array<u32, MW_ACTION_WORDS> { return action; }

/// Steps that one call of the generator serves.
const MW_CALL_STEPS = 1u;

/// Uniformly random action of a step; component i takes word `i & 3` of call `i >> 2`, the first of which is `words`.
fn mw_random_action(words: vec4<u32>, step: u32, world: u32, key: vec2<u32>) -> Action {
    var action: Action;
    var drawn = words;
    @unroll for i in 0..MW_ACTION_WORDS {
        if i > 0u && i % 4u == 0u { drawn = mw_world_words(key, world, step, MW_PURPOSE_ACTION, i / 4u); }
        action[i] = min(u32(mw_uniform(drawn[i % 4u]) * f32(ACTION_COUNTS[i])), ACTION_COUNTS[i] - 1u);
    }
    return action;
}
