//! Slot `action`: one of ACTION_COUNT actions.

/// 0 … ACTION_COUNT − 1.
alias Action = u32;
/// Which actions are allowed.
alias ActionMask = array<bool, ACTION_COUNT>;

fn mw_action(words: array<u32, MW_ACTION_WORDS>) -> Action { return min(words[0], ACTION_COUNT - 1u); }

/// The words of an action; the inverse of `mw_action`.
fn mw_action_words(action: Action) -> array<u32, MW_ACTION_WORDS> { return array<u32, MW_ACTION_WORDS>(action); }

/// Bits of a random word that an action takes: 1, 2 or 4 where that is exact, else all.
const MW_ACTION_BITS = select(select(select(select(32u, 4u, ACTION_COUNT <= 16u), 2u, ACTION_COUNT <= 4u), 1u, ACTION_COUNT <= 2u),
    32u, (ACTION_COUNT & (ACTION_COUNT - 1u)) != 0u);
const MW_WORD_STEPS = 32u / MW_ACTION_BITS;
/// Steps that one call of the generator serves.
const MW_CALL_STEPS = 4u * MW_WORD_STEPS;

/// Uniformly random action of a step from the words of its call.
fn mw_random_action(words: vec4<u32>, step: u32, world: u32, key: vec2<u32>) -> Action {
    let i = step / MW_WORD_STEPS % 4u;
    let word = select(select(words.x, words.y, i == 1u), select(words.z, words.w, i == 3u), i >= 2u);
    if MW_ACTION_BITS == 32u { return min(u32(mw_uniform(word) * f32(ACTION_COUNT)), ACTION_COUNT - 1u); }
    return (word >> (step % MW_WORD_STEPS * MW_ACTION_BITS % 32u)) & (ACTION_COUNT - 1u);
}
