//! What an author may not have meant: what a file says, rightly by WGSL, that does not do what it looks like.

use super::contract::{CONSTANTS, OPTIONAL};
use super::scan::{Declaration, File, Kind, tokens};
use super::{ActionSpace, Environment};
use crate::error::nearest;
use std::collections::{HashMap, HashSet};

/// Functions whose last bits are each driver's own, and what takes their place.
const UNSTEADY: [&str; 5] = ["sin", "cos", "exp", "log", "tanh"];
/// Letters that a misspelt name may have wrong.
const SLIPS: usize = 4;

/// Something that the author of an environment may not have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where, from 1.
    pub line: u32,
    /// What is there, and what to do.
    pub text: String,
    /// Whether the environment is another one than its author thinks: an optional part of it is misspelt, so nobody sees it.
    pub misspelt: bool,
}

impl Environment {
    /// What its author may not have meant, as far as its text tells; in the order of the file.
    pub fn remarks(&self) -> Vec<Remark> {
        let Ok(file) = File::new(self.path(), self.text()) else { return Vec::new() };
        let mut remarks = file.names_nearly_right(&self.spec().action_space);
        remarks.extend(file.unsteady());
        remarks.sort_by_key(|remark| remark.line);
        remarks
    }
}

impl Environment {
    /// Names that stand alone, but for a path to them, in a call of sine or cosine: angles.
    pub(crate) fn angles(&self) -> HashSet<String> {
        let words: Vec<&str> = tokens(self.text()).map(|(_, word)| word).collect();
        let mut found = HashSet::new();
        for (at, _) in words
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| matches!(pair[0], "sin_" | "cos_" | "sin" | "cos") && pair[1] == "(")
        {
            let mut depth = 1;
            let inner = words[at + 2..].iter().take_while(|word| {
                depth += i32::from(**word == "(") - i32::from(**word == ")");
                depth > 0
            });
            let inner: Vec<&&str> = inner.collect();
            let is_name = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
            let names: Vec<&&&str> = inner.iter().filter(|word| is_name(word)).collect();
            if inner.iter().all(|word| is_name(word) || matches!(**word, "." | "(" | "*" | ")"))
                && inner.windows(2).all(|pair| *pair[1] != "*" || !is_name(pair[0]))
            {
                found.extend(names.last().map(|name| (***name).to_owned()));
            }
        }
        found
    }

    /// Whether `env_step` can end an episode, as far as its text tells: not where every `Outcome(…)` ends in `false`.
    pub(crate) fn can_terminate(&self) -> bool {
        let words: Vec<&str> = tokens(self.text()).map(|(_, word)| word).collect();
        let made = |at: usize| {
            let mut depth = 0;
            let end = words[at + 1..].iter().position(|word| {
                depth += i32::from(*word == "(") - i32::from(*word == ")");
                depth == 0
            });
            end.map_or(&[][..], |end| &words[at + 1..at + 1 + end])
        };
        let all: Vec<&[&str]> = words
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0] == "Outcome" && pair[1] == "(")
            .map(|(at, _)| made(at))
            .collect();
        all.is_empty() || words.contains(&"terminated") || all.iter().any(|made| !made.ends_with(&[",", "false"]))
    }
}

impl File {
    fn line(&self, at: usize) -> u32 {
        self.part.text[..at].matches('\n').count() as u32 + 1
    }

    /// How often each word stands in the file.
    fn counts(&self) -> HashMap<&str, usize> {
        let mut counts = HashMap::new();
        tokens(&self.part.text).for_each(|(_, word)| *counts.entry(word).or_default() += 1);
        counts
    }

    /// Declarations that nothing uses and whose names nearly are the contract's.
    fn names_nearly_right(&self, space: &ActionSpace) -> Vec<Remark> {
        let counts = self.counts();
        let remark = |found: &Declaration| {
            let name = &found.name;
            let function = found.kind == Kind::Function;
            let known = OPTIONAL.contains(&name.as_str())
                || CONSTANTS.contains(&name.as_str())
                || super::contract::FUNCTIONS.iter().any(|(known, _)| known == name);
            if known
                || !matches!(found.kind, Kind::Function | Kind::Constant | Kind::Override)
                || counts.get(name.as_str()).is_some_and(|count| *count > 1)
            {
                return None;
            }
            let line = self.line(found.offset);
            let wanted = |other: &&str| {
                self.find(other).is_none()
                    && function == other.starts_with("env_")
                    && !(space.is_box() && *other == "env_action_mask")
            };
            let near = nearest(name, OPTIONAL.into_iter().filter(wanted));
            let near = near.filter(|near| strsim::osa_distance(&near.to_lowercase(), &name.to_lowercase()) <= SLIPS);
            if let Some(near) = near {
                let text =
                    format!("nothing uses '{name}'; did you mean '{near}'? If not, choose another name, or remove it");
                return Some(Remark { line, text, misspelt: near != "env_pixel" });
            }
            let all: Vec<&str> = super::contract::FUNCTIONS
                .iter()
                .map(|(name, _)| *name)
                .chain(OPTIONAL.into_iter().filter(|name| name.starts_with("env_")))
                .collect();
            (function && name.starts_with("env_")).then(|| {
                let text = format!("nothing calls '{name}': the engine knows {}; remove it or call it", all.join(", "));
                Remark { line, text, misspelt: false }
            })
        };
        self.declarations.iter().filter_map(remark).collect()
    }

    /// Calls of WGSL's own functions where the results of worlds depend on them.
    fn unsteady(&self) -> Vec<Remark> {
        let text = &self.part.text;
        let mut remarks = Vec::new();
        let reached = self.reached();
        let functions: Vec<&Declaration> =
            self.declarations.iter().filter(|found| reached.contains(found.name.as_str())).collect();
        for name in UNSTEADY {
            let mut lines: Vec<u32> = Vec::new();
            for found in &functions {
                let words: Vec<(usize, &str)> = tokens(&text[found.range.clone()]).collect();
                let called = words.windows(2).enumerate().filter(|(i, pair)| {
                    pair[0].1 == name && pair[1].1 == "(" && !(*i > 0 && matches!(words[i - 1].1, "." | "fn"))
                });
                lines.extend(called.map(|(_, pair)| self.line(found.range.start + pair[0].0)));
            }
            lines.sort_unstable();
            lines.dedup();
            let Some(&line) = lines.first() else { continue };
            let also = match &lines[1..] {
                [] => String::new(),
                others => {
                    let others: Vec<String> = others.iter().map(u32::to_string).collect();
                    format!(" (also line{} {})", if others.len() > 1 { "s" } else { "" }, others.join(", "))
                }
            };
            let text = format!(
                "`{name}(` gives other bits on other drivers{also}; take `{name}_(`, which is equally exact everywhere"
            );
            remarks.push(Remark { line, text, misspelt: false });
        }
        remarks
    }

    /// Functions that worlds run: the contract's but for pictures, and what they call.
    fn reached(&self) -> HashSet<&str> {
        let is_function = |name: &&str| self.find(name).is_some_and(|found| found.kind == Kind::Function);
        let contract = super::contract::FUNCTIONS.iter().map(|(name, _)| *name).chain(["env_action_mask"]);
        let mut wanted: Vec<&str> =
            contract.filter_map(|name| self.find(name).map(|found| found.name.as_str())).collect();
        let mut reached: HashSet<&str> = wanted.iter().copied().collect();
        while let Some(name) = wanted.pop() {
            let Some(found) = self.find(name) else { continue };
            for (_, word) in tokens(&self.part.text[found.range.clone()]) {
                if is_function(&word) && reached.insert(word) {
                    wanted.push(word);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use crate::env::Environment;
    use crate::env::tests::SMALL;

    fn remarks(text: &str) -> Vec<String> {
        let env = Environment::from_source("small", "small.wgsl", text).expect("an environment");
        env.remarks()
            .into_iter()
            .map(|remark| format!("{}{}: {}", if remark.misspelt { "!" } else { "" }, remark.line, remark.text))
            .collect()
    }

    #[test]
    fn names_that_nobody_sees_are_named() {
        let mask = "fn NAME(s: State) -> ActionMask { return ActionMask(true, s.x > 0.0); }\n";
        for (more, words) in [
            (
                mask.replace("NAME", "env_action_masc"),
                "!11: nothing uses 'env_action_masc'; did you mean 'env_action_mask'?",
            ),
            (mask.replace("NAME", "action_mask"), "!11: nothing uses 'action_mask'; did you mean 'env_action_mask'?"),
            (
                "const REWARD_TRESHOLD: f32 = 1.0;".to_owned(),
                "!11: nothing uses 'REWARD_TRESHOLD'; did you mean 'REWARD_THRESHOLD'?",
            ),
            (
                "override reward_threshold: f32 = 1.0;".to_owned(),
                "!11: nothing uses 'reward_threshold'; did you mean 'REWARD_THRESHOLD'?",
            ),
            (
                "fn env_render(s: State) -> f32 { return s.x; }".to_owned(),
                "11: nothing calls 'env_render': the engine knows env_reset,",
            ),
        ] {
            let found = remarks(&format!("{SMALL}{more}"));
            assert!(found.len() == 1 && found[0].starts_with(words), "{words}: {found:?}");
        }
        // what is used, or like nothing that is missing, or what the contract has
        for more in [
            "const REWARD_TRESHOLD: f32 = 1.0; fn f() -> f32 { return REWARD_TRESHOLD; }",
            "const REWARD_SCALE: f32 = 1.0;",
            "const ACTION_COST: f32 = 1.0;",
            "const REWARD_THRESHOLD: f32 = 1.0; const REWARD_THRESHOLDS: f32 = 1.0;",
            "fn action_of(s: State) -> f32 { return s.x; }",
            "fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> { return vec3<f32>(sin(s.x), p); }",
        ] {
            let found = remarks(&format!("{SMALL}{more}"));
            assert!(found.is_empty(), "{more}: {found:?}");
        }
    }

    #[test]
    fn functions_that_differ_between_drivers_are_named_where_worlds_use_them() {
        let text = SMALL
            .replace("(*s).x += 1.0;", "(*s).x += sin(1.0 + (*s).x);\n    (*s).x += force((*s).x) + cos_((*s).x);");
        let text = format!(
            "{text}fn force(x: f32) -> f32 {{ return exp(x) + sin(x); /* cos(x) */ }}\nconst K: f32 = log(2.0);\nfn unused(x: f32) -> f32 {{ return tanh(x); }}"
        );
        let found = remarks(&text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("7: `sin(` gives other bits on other drivers (also line 12); take `sin_(`"),
            "{found:?}"
        );
        assert!(found[1].starts_with("12: `exp(`"), "{found:?}");
    }
}
