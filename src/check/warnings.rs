//! What an author may not have meant, from what was seen: nothing that breaks the contract, much that nobody can learn from.

use super::effects::Effects;
use super::seen::{Moments, Seen};
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use serde::Serialize;
use std::f64::consts::TAU;

/// Size from which on a number of an observation is far from 1. Of the built-in environments none comes above 8.
const LARGE_OBSERVATION: f64 = 20.0;
/// Size from which on rewards are.
const LARGE_REWARD: f64 = 100.0;
/// Numbers that an observation or a list names at most.
const NAMED: usize = 6;
/// How many times the horizon an episode lasts whose end is not seen.
const BEYOND: f64 = 5.0;

/// Something that was seen, and what helps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// What it is about.
    pub about: &'static str,
    /// Line of the environment's file, from 1, where there is one.
    pub line: Option<u32>,
    /// What was seen, and the remedy.
    pub text: String,
}

fn warning(about: &'static str, text: String) -> Warning {
    Warning { about, line: None, text }
}

/// All that may be wrong. `config` is what the environment would be trained with.
pub(super) fn warnings(env: &Environment, seen: &Seen, effects: Option<&Effects>, config: &Config) -> Vec<Warning> {
    let mut found: Vec<Warning> = env
        .remarks()
        .into_iter()
        .map(|remark| Warning {
            about: if remark.misspelt || remark.text.starts_with("nothing") { "names" } else { "exactness" },
            line: Some(remark.line),
            text: remark.text,
        })
        .collect();
    // where there is nothing to choose nobody learns a policy, and a probe may be as plain as it likes
    let Some(effects) = effects else { return found };
    let episodes = &seen.episodes;
    let inert = about_state(env, seen);
    found.extend(about_actions(env, effects));
    found.extend(inert);
    found.extend(about_observations(env, seen));
    found.extend(about_rewards(env, seen, effects));
    let limit = env.spec().max_episode_steps;
    if episodes.count == 0 && limit == 0 {
        let steps = seen.steps;
        let text = format!(
            "no episode ended in {steps} steps, and MAX_EPISODE_STEPS is 0: set a limit, or let env_step return Outcome(reward, true) at the end"
        );
        found.push(warning("endings", text));
    }
    if episodes.max_length == 1 && episodes.truncated == 0 && limit > 10 {
        let text = format!(
            "every episode is over after its first step, though MAX_EPISODE_STEPS is {limit}: look at what Outcome says of the end, or at where env_reset begins"
        );
        found.push(warning("endings", text));
    }
    if let Some(threshold) = env.spec().reward_threshold.map(f64::from) {
        let (mean, least) = (episodes.mean_return, episodes.mean_return - episodes.interval);
        if episodes.count > 1 && (least > threshold || threshold > 0.0 && least > 0.5 * threshold) {
            let what = if least > threshold { "above" } else { "more than half of" };
            let text = format!(
                "random actions have a return of {}, {what} REWARD_THRESHOLD {}, before anything is learned: has the reward the wrong sign, or is the threshold too low?",
                short(mean),
                short(threshold)
            );
            found.push(warning("reward", text));
        }
    }
    let horizon = 1.0 / (1.0 - config.gamma).max(1e-9);
    let sparse = !seen.traits.rewarded_on_the_way && seen.traits.goes_on && !seen.reward.constant;
    if sparse && episodes.mean_length > BEYOND * horizon {
        let (gamma, steps) = (config.gamma, episodes.mean_length.round());
        let text = format!(
            "rewards come with the end alone, after {steps} steps in the mean, and gamma={gamma} sees about {}: what is earned there counts {} at the start; take a larger gamma (such as gamma={}), or reward what leads there",
            short(horizon.round()),
            short(gamma.powf(steps)),
            short(1.0 - 1.0 / steps)
        );
        found.push(warning("discount", text));
    }
    found
}

/// A number in four digits or fewer.
fn short(number: f64) -> String {
    if number == 0.0 || (1e-3..1e6).contains(&number.abs()) {
        let digits = (3 - number.abs().max(1e-3).log10().floor() as i32).clamp(0, 6) as usize;
        let text = format!("{number:.digits$}");
        return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    format!("{number:.3e}")
}

/// Names in a sentence, some of many.
fn listed(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
    }
}

/// The name of a word of the state without its place in an array or a vector: a vector may be a list of flags.
fn place_of(name: &str) -> Option<&str> {
    match name.rsplit_once('.') {
        Some((vector, "x" | "y" | "z" | "w")) => Some(vector),
        _ => stem(name),
    }
}

/// The name of an array's number without its place: cells of one array are alike.
pub fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map(|(stem, _)| stem)
}

fn about_state(env: &Environment, seen: &Seen) -> Vec<Warning> {
    let traits = &seen.traits;
    let fields = env.state_fields();
    if traits.goes_on && !traits.state_moves {
        let text = "no step ever changes the State: env_step has to write it, as in `(*s).x = …;` or `*s = next;`";
        return vec![warning("state", text.to_owned())];
    }
    // an episode of one step needs no state
    if !traits.goes_on {
        return Vec::new();
    }
    // of an array some places may be out of reach
    let moves = |name: &str| {
        place_of(name).is_some_and(|array| {
            fields
                .iter()
                .zip(&traits.fixed_words)
                .any(|(other, fixed)| fixed.is_none() && place_of(&other.name) == Some(array))
        })
    };
    let still = |(field, fixed): (&crate::env::Field, &Option<f64>)| {
        let value = (*fixed)?;
        (!moves(&field.name)).then(|| format!("{} (always {})", field.name, short(value)))
    };
    let still: Vec<String> = fields.iter().zip(&traits.fixed_words).filter_map(still).collect();
    if still.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "{} of State never {}, neither in steps nor in resets: let env_step change {}, or make a const or an override of {}",
        listed(&still),
        if still.len() == 1 { "changes" } else { "change" },
        if still.len() == 1 { "it" } else { "them" },
        if still.len() == 1 { "it" } else { "each" }
    );
    vec![warning("state", text)]
}

fn about_actions(env: &Environment, effects: &Effects) -> Vec<Warning> {
    let (space, names, states) = (&env.spec().action_space, env.action_names(), effects.states);
    let named = |i: usize| match names.get(i) {
        Some(name) if *name != i.to_string() => format!("{i} ({name})"),
        _ => i.to_string(),
    };
    if effects.none {
        let text = format!(
            "no action ever changes anything: in {states} states every action led to the same state, observation, reward and end; env_step has to use `action`"
        );
        return vec![warning("actions", text)];
    }
    let mut found = Vec::new();
    if !effects.inert.is_empty() {
        let all: Vec<String> = effects.inert.iter().map(|&i| named(i)).collect();
        let one = all.len() == 1;
        let (what, remedy) = if space.is_box() {
            (if one { "number" } else { "numbers" }, "lower ACTION_DIM")
        } else {
            (if one { "choice" } else { "choices" }, "shorten ACTION_COUNTS")
        };
        let text = format!(
            "{what} {} of the action {} nothing in {states} states: use {} in env_step, or {remedy}",
            listed(&all),
            if one { "changes" } else { "change" },
            if one { "it" } else { "them" }
        );
        found.push(warning("actions", text));
    }
    for (component, group) in &effects.same {
        let all: Vec<String> = if matches!(space, ActionSpace::Discrete { .. }) {
            group.iter().map(|&a| named(a as usize)).collect()
        } else {
            group.iter().map(u32::to_string).collect()
        };
        let of = if matches!(space, ActionSpace::Discrete { .. }) {
            String::new()
        } else {
            format!(" of choice {}", named(*component))
        };
        let text = format!(
            "actions {}{of} do the same in all of {states} states: give each an effect of its own, or have fewer actions",
            listed(&all)
        );
        found.push(warning("actions", text));
    }
    found
}

fn about_observations(env: &Environment, seen: &Seen) -> Vec<Warning> {
    let traits = &seen.traits;
    let all = &seen.observations;
    let mut found = Vec::new();
    let named = |i: usize| {
        let name = &all[i].name;
        if *name == i.to_string() { format!("number {i}") } else { format!("{i} ({name})") }
    };
    let bare = |i: usize| if all[i].name == i.to_string() { i.to_string() } else { named(i) };

    // cells of a grid may be out of reach: 0 among numbers that are 0 or 1, or of an array of which others change
    let varying: Vec<&Moments> = all.iter().filter(|one| !one.constant).collect();
    let is_grid = varying.len() > 1 && varying.iter().all(|one| one.min == 0.0 && one.max.to_bits() == 1_f64.to_bits());
    let is_cell = |one: &Moments| {
        let array = stem(&one.name);
        one.min == 0.0 && is_grid || array.is_some() && varying.iter().any(|other| stem(&other.name) == array)
    };
    // what changes from state to state is only not reached, such as a flag of what is rare
    let unreached = |i: usize| traits.reachable.get(i).copied().unwrap_or(false);
    let still: Vec<usize> = (0..all.len()).filter(|&i| all[i].constant && !is_cell(&all[i]) && !unreached(i)).collect();
    // where no State changes, that is said
    if traits.goes_on && traits.state_moves && !still.is_empty() {
        let values: Vec<String> =
            still.iter().map(|&i| format!("{} (always {})", named_short(&all[i], i), short(all[i].min))).collect();
        let (text, remedy) = match (still.len() == all.len(), all.len()) {
            (true, 1) => (
                "the only number of the observation never changes".to_owned(),
                "let env_observe tell what the reward depends on",
            ),
            (true, _) => {
                ("the observation never changes".to_owned(), "let env_observe tell what the reward depends on")
            }
            (false, _) if still.len() == 1 => {
                (format!("number {} never changes", values[0]), "observe something else, or leave it out")
            }
            (false, _) => {
                (format!("numbers {} never change", listed(&values)), "observe something else, or leave them out")
            }
        };
        found.push(warning("observations", format!("{text}: {remedy}")));
    }

    let size = |one: &Moments| (one.mean * one.mean + one.std * one.std).sqrt();
    let large: Vec<usize> = (0..all.len()).filter(|&i| size(&all[i]) > LARGE_OBSERVATION && !all[i].constant).collect();
    if !large.is_empty() {
        let sizes: Vec<String> =
            large.iter().map(|&i| format!("{} (about {})", named_short(&all[i], i), short(size(&all[i])))).collect();
        let text = format!(
            "{} {} {} far from size 1: divide by what is usual, or train with norm_obs=true",
            if large.len() == 1 { "number" } else { "numbers" },
            listed(&sizes),
            if large.len() == 1 { "is" } else { "are" }
        );
        found.push(warning("observations", text));
    }

    // an angle that turns on and on
    let angles = env.angles();
    let words = ["angle", "theta", "θ", "phi", "φ", "heading", "yaw", "pitch", "roll"];
    for (i, one) in all.iter().enumerate() {
        let field = traits.words[i].map(|word| env.state_fields()[word].name.clone());
        let is_angle = field.is_some_and(|field| angles.contains(field.rsplit('.').next().unwrap_or_default()))
            || one
                .name
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| words.contains(&word.trim_end_matches(['₀', '₁', '₂', '₃']).to_lowercase().as_str()))
                && !one.name.contains('\u{307}')
                && !one.name.contains("sin")
                && !one.name.contains("cos");
        if is_angle && (one.min < -TAU - 0.01 || one.max > TAU + 0.01) {
            let text = format!(
                "{} is an angle and goes from {} to {}, which is more than a turn: bring it to [−π, π] by wrap_(…), or observe its sin_ and cos_",
                if one.name == i.to_string() { format!("number {i}") } else { format!("number {}", named(i)) },
                short(one.min),
                short(one.max)
            );
            found.push(warning("observations", text));
        }
    }

    let twins: Vec<String> = (0..all.len())
        .filter(|&i| !all[i].constant)
        .filter_map(|i| Some(format!("{} is always {}", bare(i), bare(traits.twins[i]?))))
        .collect();
    if !twins.is_empty() && !is_grid {
        found.push(warning(
            "observations",
            format!("of the observation, number {}: leave one of them out, or observe what was meant", listed(&twins)),
        ));
    }
    found
}

/// A number of the observation by place and name.
fn named_short(one: &Moments, i: usize) -> String {
    if one.name == i.to_string() { i.to_string() } else { format!("{i} {}", one.name) }
}

fn about_rewards(env: &Environment, seen: &Seen, effects: &Effects) -> Vec<Warning> {
    let reward = &seen.reward;
    let mut found = Vec::new();
    if reward.constant && !effects.none {
        if reward.min == 0.0 {
            let text = format!(
                "it was 0 in all {} steps of random actions, so there is nothing to learn from: reward what leads to the goal too",
                u64::from(seen.worlds) * u64::from(seen.steps)
            );
            found.push(warning("reward", text));
        } else if !env.can_terminate() {
            let text = format!(
                "it is always {} and nothing ends an episode but the limit, so every policy has the same return: let it depend on the state, or end episodes",
                short(reward.min)
            );
            found.push(warning("reward", text));
        }
    }
    let size = (reward.mean * reward.mean + reward.std * reward.std).sqrt();
    if size > LARGE_REWARD {
        let text = format!(
            "it is of size {} (from {} to {}): divide it, or train with norm_reward=true",
            short(size),
            short(reward.min),
            short(reward.max)
        );
        found.push(warning("reward", text));
    }
    found
}
