//! Slot `bounded`: how the environment gets what the policy drew. Choices: as they are.

fn mw_bounded_action(words: array<u32, MW_ACTION_WORDS>) -> Action { return mw_action(words); }
