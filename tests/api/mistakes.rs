//! Mistakes of authors that break no promise: `check-env` warns of each, and of nothing that is as it should be.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support::gpu;
use manyworlds::check::{CHECK_STEPS, check_environment};
use manyworlds::{Config, Environment};

/// Steps that show these mistakes.
const STEPS: u32 = 1 << 15;

/// An environment in which nothing is wrong: a point on a line that is pushed, and ends far from 0.
const RIGHT: &str = "\
//! Observation: place, speed
const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 50u;
const REWARD_THRESHOLD: f32 = -5.0;
struct State { place: f32, speed: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_range(rng, -1.0, 1.0), 0.0); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    var n = *s;
    n.speed += 0.1 * (f32(action) - 1.0);
    n.place += 0.1 * n.speed;
    *s = n;
    return Outcome(-abs(n.place), abs(n.place) > 2.0);
}
fn env_observe(s: State) -> Observation { return Observation(s.place, s.speed); }
";

/// The same with numbers or choices for actions, of which the first two are used.
fn with_actions(declared: &str, push: &str) -> String {
    changed(&[("const ACTION_COUNT: u32 = 3u;", declared), ("(f32(action) - 1.0)", push)])
}

fn changed(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(RIGHT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "'{from}' is not in the environment");
        text.replace(from, to)
    })
}

fn warnings(name: &str, text: &str, steps: u32) -> Vec<String> {
    let env = Environment::from_source(name, name, text).unwrap();
    let config = Config::preset(name, "ppo").unwrap();
    let checked = check_environment(gpu(), &env, &config, 1, steps).unwrap();
    assert!(checked.ok(), "{name}: {:?}", checked.findings);
    let line = |line: Option<u32>| line.map_or_else(String::new, |line| format!("{line}: "));
    checked
        .warnings
        .into_iter()
        .map(|warning| format!("{}: {}{}", warning.about, line(warning.line), warning.text))
        .collect()
}

#[test]
fn every_planted_mistake_is_warned_of_and_nothing_else() {
    let observe = "Observation(s.place, s.speed)";
    let step = "    *s = n;\n";
    let outcome = "Outcome(-abs(n.place), abs(n.place) > 2.0)";
    let box_of_two = "const ACTION_DIM: u32 = 2u; const ACTION_LOW: f32 = -1.0; const ACTION_HIGH: f32 = 1.0;";
    let choices = "const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 2u);";
    let mask = "fn env_action_masc(s: State) -> ActionMask { return ActionMask(true, true, s.place > 0.0); }\n";
    // some mistakes at once, and the beginnings of their warnings
    let cases: Vec<(String, &[&str])> = vec![
        (RIGHT.to_owned(), &[]),
        (changed(&[(step, "")]), &["state: no step ever changes the State"]),
        (changed(&[("(f32(action) - 1.0)", "0.5")]), &["actions: no action ever changes anything: in"]),
        (
            changed(&[
                ("f32(action) - 1.0", "f32(action % 2u) - 0.5"),
                (observe, "Observation(1000.0 * s.place, s.speed)"),
                ("abs(n.place) > 2.0", "abs(n.place) > sin(2.0)"),
                ("-abs(n.place),", "-1e4 * abs(n.place),"),
                ("const REWARD_THRESHOLD", "const REWARD_TRESHOLD"),
                ("speed: f32 }", "speed: f32, fuel: f32 }"),
                ("1.0), 0.0)", "1.0), 0.0, 7.0)"),
            ]) + "fn env_draw(s: State) -> f32 { return s.place; }\n",
            &[
                "names: 5: nothing uses 'REWARD_TRESHOLD'; did you mean 'REWARD_THRESHOLD'?",
                "exactness: 13: `sin(` gives other bits",
                "names: 16: nothing calls 'env_draw'",
                "actions: actions 0 and 2 do the same in all of",
                "state: fuel (always 7) of State never changes, neither in steps nor in resets",
                "observations: number 0 place (about ",
                "reward: it is of size ",
            ],
        ),
        // the reward has its sign turned: random actions are better than what counts as solved
        (
            changed(&[(observe, "Observation(s.place, 0.5)"), ("-abs(n.place),", "abs(n.place),")]) + mask,
            &[
                "names: 16: nothing uses 'env_action_masc'; did you mean 'env_action_mask'?",
                "observations: number 1 speed (always 0.5) never changes",
                "reward: random actions have a return of ",
            ],
        ),
        (with_actions(box_of_two, "(action[0] + action[1])"), &[]),
        (
            with_actions(box_of_two, "action[0]").replace(observe, "Observation(1.0, 0.5)"),
            &["actions: number 1 of the action changes nothing in", "observations: the observation never changes"],
        ),
        (
            with_actions(choices, "(f32(action[0]) - 1.0)").replace(observe, "Observation(s.place, s.place)"),
            &[
                "actions: choice 1 of the action changes nothing in",
                "observations: of the observation, number 1 (speed) is always 0 (place)",
            ],
        ),
        (
            with_actions(choices, "(f32(action[0] % 2u) - f32(action[1]))")
                .replace("n.place += 0.1 * n.speed;", "n.place += n.speed + 0.0 * sin_(n.place);")
                .replace(outcome, "Outcome(-abs(wrap_(n.place)), false)"),
            &[
                "actions: actions 0 and 2 of choice 0 do the same",
                "observations: number 0 (place) is an angle and goes from -",
            ],
        ),
        (
            changed(&[(outcome, "Outcome(0.0, true)"), ("-5.0", "5.0")]),
            &["reward: it was 0 in all", "endings: every episode is over after its first step"],
        ),
        (
            changed(&[(outcome, "Outcome(1.0, false)"), ("-5.0", "100.0")]),
            &["reward: it is always 1 and nothing ends an episode but the limit"],
        ),
        (changed(&[("= 50u", "= 0u"), ("abs(n.place) > 2.0", "false")]), &["endings: no episode ended in"]),
        (
            changed(&[
                ("= 50u", "= 1000u"),
                ("speed: f32 }", "speed: f32, left: f32 }"),
                ("1.0), 0.0)", "1.0), 0.0, 600.0)"),
                (
                    step,
                    "    n.left -= 1.0;\n    n.place = clamp(n.place, -1.0, 1.0);\n    n.speed = clamp(n.speed, -1.0, 1.0);\n    *s = n;\n",
                ),
                (outcome, "Outcome(select(0.0, n.place, n.left < 1.0), n.left < 1.0)"),
                ("-5.0", "5.0"),
            ]),
            &["discount: rewards come with the end alone, after 600 steps"],
        ),
    ];
    for (text, expected) in &cases {
        let found = warnings("mistake.wgsl", text, STEPS);
        let as_expected =
            found.len() == expected.len() && found.iter().zip(*expected).all(|(one, words)| one.starts_with(words));
        assert!(as_expected, "{expected:?} expected, {found:#?} found in\n{text}");
    }
}

#[test]
fn examples_and_small_environments_are_without_warnings() {
    for name in ["MountainCar-v0", "Bandit", "DeepSea"] {
        let env = Environment::load(name).unwrap();
        assert_eq!(warnings(name, env.text(), STEPS), Vec::<String>::new(), "{name}");
    }
    for entry in std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "wgsl") {
            let (name, text) = (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
            assert_eq!(warnings(&name, &text, STEPS), Vec::<String>::new(), "{name}");
        }
    }
}

/// With as many steps as `check-env` makes.
#[test]
fn learning_environments_that_are_built_in_are_without_warnings() {
    for name in Environment::names() {
        let env = Environment::load(name).unwrap();
        assert_eq!(warnings(name, env.text(), CHECK_STEPS), Vec::<String>::new(), "{name}");
    }
}
