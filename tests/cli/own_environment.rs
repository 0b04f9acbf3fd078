//! Environments of one's own on the command line: templates, traces, checks, and files that are hostile or broken.

// a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::oracle;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn manyworlds(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_manyworlds")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output of a command that must succeed.
fn output(arguments: &[&str]) -> String {
    let output = manyworlds(arguments);
    let shown = format!("manyworlds {}:\n{}{}", arguments.join(" "), text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}");
    text(&output.stdout)
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    output(arguments).lines().map(parse).collect()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

const TEMPLATE: &str = include_str!("../../examples/template.wgsl");

/// The template with one text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "the template lacks '{from}'");
    TEMPLATE.replacen(from, to, 1)
}

#[test]
fn the_template_checks_traces_and_trains_as_it_is_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "mine.wgsl");
    let name = path(folder.path(), "mine");
    output(&["new-env", &name]);
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("//! mine: "), "{written}");
    let again = manyworlds(&["new-env", &file]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("exists"), "{}", text(&again.stderr));

    let checks = output(&["check-env", &file]);
    assert!(checks.lines().filter(|line| line.starts_with("ok ")).count() >= 10, "{checks}");
    assert!(!checks.contains("FAIL") && !checks.contains("warn"), "{checks}");
    for name in ["position ", "velocity ", "reward ", "return ", "length ", "endings "] {
        assert!(checks.lines().any(|line| line.starts_with(name)), "{name}: {checks}");
    }
    let table = checks.lines().skip_while(|line| !line.is_empty());
    assert!(table.clone().all(|line| line.chars().count() <= 82), "{checks}");
    let traced = lines(&["trace", &file, "--state", "1,0.5", "--actions=-1,1", "--steps", "2", "--json"]);
    assert_eq!(traced.len(), 2);
    let next: Vec<f64> = traced[0]["next_state"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    // 2 N on 1 kg for 0.05 s, then the new velocity
    oracle::assert_close("trace of the template", &next, &[1.0 + 0.05 * 0.4, 0.4], 1e-6, 0.0);
    oracle::assert_close("its reward", &[traced[0]["reward"].as_f64().unwrap()], &[-(1.0 + 0.025 + 0.01)], 1e-6, 0.0);

    let out = path(folder.path(), "run");
    let settings = ["--set", "num_envs=64", "--set", "num_steps=16", "--set", "total_timesteps=4096"];
    let arguments = [&["train", &file, "--json", "--set-env", "mass=2", "--out", &out][..], &settings].concat();
    let summary = &lines(&arguments)[0];
    assert_eq!(summary["env"], Value::from(file.clone()), "{summary}");
    let eval = &lines(&["eval", &out, "--episodes", "10", "--json"])[0];
    assert_eq!(eval["episodes"], 10, "{eval}");

    // its policy, step by step: what is likeliest is its mean, and returns add up
    let steps = lines(&["trace", &out, "--steps", "3", "--json"]);
    let mut so_far = 0.0;
    for step in &steps {
        so_far += step["reward"].as_f64().unwrap();
        oracle::assert_close("return", &[step["return"].as_f64().unwrap()], &[so_far], 1e-9, 0.0);
        oracle::assert_close(
            "action",
            &[step["action"][0].as_f64().unwrap()],
            &[step["mean"][0].as_f64().unwrap()],
            1e-6,
            0.0,
        );
        assert!(step["value"].is_f64() && step["std"][0].as_f64().unwrap() > 0.0, "{step}");
        assert_eq!(step["seen"].as_array().unwrap().len(), 2, "{step}");
    }
    let drawn = lines(&["trace", &out, "--steps", "3", "--json", "--stochastic"]);
    assert!(steps.len() == 3 && drawn[0]["seen"] == steps[0]["seen"] && drawn[0]["action"] != steps[0]["action"]);
    let told = output(&["trace", &out, "--steps", "1"]);
    assert!(["position ", "push ", " σ ", "V ", "reward ", "return "].iter().all(|word| told.contains(word)), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let refused = manyworlds(&["trace", &out, "--actions", "0"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
}

/// From the README: a new environment is solved without a setting.
#[test]
fn learning_an_environment_of_ones_own_is_solved() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/windy.wgsl");
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path(), "run");
    let summary = &lines(&["train", file.to_str().unwrap(), "--until-solved", "--json", "--out", &out])[0];
    assert_eq!(summary["solved"], true, "{summary}");
}

#[test]
fn steps_from_a_file_are_those_of_gymnasium() {
    let file = oracle::classic();
    let folder = tempfile::tempdir().unwrap();
    for name in ["CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "Acrobot-v1"] {
        let transitions = oracle::transitions(&file, name);
        let given: Vec<Value> = oracle::field(&file, &format!("environments.{name}")).as_array().unwrap().clone();
        let list = path(folder.path(), "transitions.json");
        std::fs::write(&list, serde_json::to_string(&given).unwrap()).unwrap();
        let got = lines(&["trace", name, "--transitions", &list, "--json"]);
        assert_eq!(got.len(), transitions.len(), "{name}: lines");
        for (i, (line, expected)) in got.iter().zip(&transitions).enumerate() {
            let numbers = |field: &str| -> Vec<f64> {
                line[field].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
            };
            let slow = name != "Acrobot-v1" || expected.state[2..].iter().all(|speed| speed.abs() <= 4.0);
            let close = if slow { 1e-5 } else { 2e-3 };
            oracle::assert_close(&format!("{name}[{i}]"), &numbers("observation"), &expected.observation, 0.0, close);
            assert_eq!(numbers("next_state").len(), expected.state.len(), "{name}[{i}]");
            let reward = line["reward"].as_f64().unwrap();
            let close = 1e-5 * expected.reward.abs().max(1.0);
            oracle::assert_close(&format!("{name}[{i}], reward"), &[reward], &[expected.reward], 0.0, close);
        }
    }
    let list = path(folder.path(), "bad.json");
    for (content, words) in [
        ("{", "expected [{"),
        ("[]", "no transitions"),
        (r#"[{"state": [1], "action": 0}]"#, "a state has 4 numbers (x, x_dot, theta, theta_dot), not 1"),
        (r#"[{"state": [0, 0, 0, 0], "action": 7}]"#, "transition 0: 7 is none of the actions 0 to 1"),
        (r#"[{"state": [0, 0, 0, "a"], "action": 1}]"#, "its state is not a list of numbers"),
    ] {
        std::fs::write(&list, content).unwrap();
        let output = manyworlds(&["trace", "CartPole-v1", "--transitions", &list]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        assert!(text(&output.stderr).contains(words), "{content}: {}", text(&output.stderr));
    }
}

#[test]
fn every_built_in_environment_is_listed_with_its_source() {
    let all = lines(&["envs", "--json"]);
    assert!(all.len() >= 24, "{} environments", all.len());
    for env in &all {
        assert!(env["source"].as_str().is_some_and(|source| source.len() > 5), "{env}");
        assert!(env["about"].as_str().is_some_and(|about| about.len() > 5), "{env}");
        assert!(
            env["family"].is_string() && env["summary"].as_str().is_some_and(|about| about.ends_with(['.', '?'])),
            "{env}"
        );
        assert_eq!(
            env["observation_names"].as_array().map(Vec::len),
            env["observation_dim"].as_u64().map(|n| n as usize)
        );
        assert!(env["action_space"]["type"].is_string() && env["observation_dim"].is_u64(), "{env}");
    }
    let listed = output(&["envs"]);
    assert!(all.iter().all(|env| listed.contains(env["name"].as_str().unwrap())), "{listed}");
    assert!(["classic control", "textbook", "games", "robots", "probes"].iter().all(|family| listed.contains(family)));
    assert!(listed.lines().all(|line| line.chars().count() <= 100), "{listed}");
}

#[test]
fn masks_are_shown_and_a_forbidden_action_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "masked.wgsl");
    let content = "\
//! Observation: place
//! Actions: left, stay, right
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 30u;
struct State { place: i32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(i32(rng_u32(rng) % 8u)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).place += i32(action) - 1;
    return Outcome(-1.0, (*s).place >= 8);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.place) / 8.0); }
fn env_action_mask(s: State) -> ActionMask { return ActionMask(s.place > 0, true, s.place < 8); }
";
    std::fs::write(&file, content).unwrap();
    let refused = manyworlds(&["trace", &file, "--state", "1", "--actions", "1,0,0", "--steps", "3"]);
    let (out, err) = (text(&refused.stdout), text(&refused.stderr));
    assert_eq!(refused.status.code(), Some(2), "{err}");
    assert!(err.contains("step 2: action 0 (left) is not allowed there; allowed: 1 (stay), 2 (right)"), "{err}");
    assert!(out.contains("allowed   0 left, 1 stay, 2 right") && out.contains("place 0.125"), "{out}");
    let steps = lines(&["trace", &file, "--state", "0", "--steps", "1", "--json"]);
    assert_eq!(steps[0]["allowed"], serde_json::json!([false, true, true]));
    let list = path(folder.path(), "transitions.json");
    std::fs::write(&list, r#"[{"state": [3], "action": 0}, {"state": [0], "action": 0}]"#).unwrap();
    let refused = manyworlds(&["trace", &file, "--transitions", &list]);
    assert!(
        text(&refused.stderr).contains("transition 1: action 0 (left) is not allowed"),
        "{}",
        text(&refused.stderr)
    );

    // a mask that nobody sees is a warning of check-env, and stops all else
    std::fs::write(&file, content.replace("env_action_mask", "env_action_masc")).unwrap();
    let words = "masked.wgsl:13: nothing uses 'env_action_masc'; did you mean 'env_action_mask'?";
    let report: Value = serde_json::from_str(&output(&["check-env", &file, "--json"])).unwrap();
    assert!(report["ok"] == true && report["observations"][0]["name"] == "place", "{report}");
    assert!(report["warnings"][0]["line"] == 13 && report["episodes"]["count"].as_u64().unwrap() > 100, "{report}");
    assert!(output(&["check-env", &file]).contains(&format!("warn names: {}", file.replace("masked.wgsl", words))));
    for command in ["train", "trace"] {
        let refused = manyworlds(&[command, &file]);
        assert_eq!(refused.status.code(), Some(2), "{command}");
        assert!(text(&refused.stderr).contains(words), "{command}: {}", text(&refused.stderr));
    }
}

#[test]
fn wrong_names_are_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "mine");
    output(&["new-env", &file]);
    for (arguments, words) in [
        (
            &["settings", "--env", "Pendulum"][..],
            "there is no such environment; did you mean 'Pendulum-v1'? `manyworlds envs` lists",
        ),
        (&["settings", "--env", "no.wgsl"], "cannot read 'no.wgsl'"),
        (&["envs", "LunarLander-v3"], "there is no such environment; `manyworlds envs` lists"),
        (&["check-env", "HalfCheetah-v5"], "there is no such environment; `manyworlds envs` lists"),
        (&["trace", &file], "there is no such environment; did you mean the file '"),
        (&["trace", "CartPole-v1", "--stochastic"], "it is for the policy of a run"),
        (&["trace", "CartPole-v1", "--set-env", "gravty=1"], "there is no override 'gravty'; did you mean 'gravity'?"),
        (&["trace", "CartPole-v1", "--set-env", "wind=1"], "there is no override 'wind'; there are: gravity,"),
        (&["train", "CartPole-v1", "--algo", "pppo"], "there is no such algorithm 'pppo'; did you mean 'ppo'?"),
        (&["train", "CartPole-v1", "--algo", "impala"], "there is no such algorithm 'impala'; there are: ppo"),
        (&["train", "CartPole-v1", "--set", "wind=1"], "there is no such setting; `manyworlds settings` lists"),
        (&["new-env", &file], "mine.wgsl': it exists already; choose another name"),
    ] {
        let output = manyworlds(arguments);
        let err = text(&output.stderr);
        let lines: Vec<&str> = err.lines().filter(|line| !line.starts_with("note")).collect();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(lines.len() == 1 && lines[0].contains(words), "{arguments:?}: '{words}' expected in {err}");
    }
}

#[test]
fn check_env_finds_what_is_not_finite_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "broken.wgsl");
    for (content, failing) in [
        (changed("return Observation(s.position", "return Observation(sqrt(s.position)"), "observations are finite"),
        (changed("return Outcome(-cost", "return Outcome(1.0 / max(old.position, 0.0)"), "rewards are finite"),
    ] {
        std::fs::write(&file, content).unwrap();
        let output = manyworlds(&["check-env", &file]);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{out}");
        let wrong: Vec<&str> = out.lines().filter(|line| line.starts_with("FAIL")).collect();
        assert!(wrong.len() == 1 && wrong[0].contains(failing), "{failing}: {out}");
        assert!(["world", "step", "seed 1", "position = "].iter().all(|word| wrong[0].contains(word)), "{out}");
    }
}

/// Each is refused in seconds, by name, without a crash, and nothing is left behind.
#[test]
fn hostile_and_broken_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "hostile.wgsl");
    let out = path(folder.path(), "out");
    let before = "let push =";
    let put = |code: &str| changed(before, &format!("{code}\n    {before}"));
    let line = |content: &str, words: &str| {
        let at = content.find(words).unwrap_or_else(|| panic!("'{words}' is not in the file"));
        format!("hostile.wgsl:{}:", content[..at].matches('\n').count() + 1)
    };
    let cases: Vec<(&str, String, &str, Option<&str>)> = vec![
        ("syntax", changed("let old = *s;", "let old = *s"), "`;` is missing", Some("let old")),
        (
            "signature",
            changed("action: Action, rng", "action: Action, more: f32, rng"),
            "expected `fn env_step",
            Some("env_step(s"),
        ),
        ("missing constant", changed("const OBSERVATION_DIM: u32 = 2u;", ""), "lacks `const OBSERVATION_DIM", None),
        ("untyped constant", changed("OBSERVATION_DIM: u32 = 2u", "OBSERVATION_DIM = 2"), "OBSERVATION_DIM", None),
        (
            "two kinds of actions",
            changed("const ACTION_DIM", "const ACTION_COUNT: u32 = 2u;\nconst ACTION_DIM"),
            "one kind of actions",
            Some("ACTION_DIM: u32 = 1u"),
        ),
        ("infinite loop", put("loop { if time_step > 100.0 { break; } }"), "its loops do not end", None),
        ("infinite while", put("var k = 0u; while true { k += 1u; }"), "its loops do not end", None),
        (
            "recursion",
            TEMPLATE.to_owned() + "\nfn f(x: f32) -> f32 { return g(x); }\nfn g(x: f32) -> f32 { return f(x); }\n",
            "cyclic",
            None,
        ),
        (
            "many terms",
            put(&format!("let big = {};", ["1.0"; 50_000].join("+"))),
            "more than 2048 words",
            Some("let big"),
        ),
        (
            "more terms than a file holds",
            put(&format!("let big = {};", ["1.0"; 100_000].join("+"))),
            "bytes; at most 262144 are allowed",
            None,
        ),
        (
            "deep brackets",
            put(&format!("let big = {}1.0{};", "(".repeat(100_000), ")".repeat(100_000))),
            "nests deeper",
            Some("let big"),
        ),
        ("deep blocks", put(&format!("{}{}", "if mass > 0.0 { ".repeat(3000), "}".repeat(3000))), "nesting", None),
        (
            "private array",
            TEMPLATE.to_owned() + "\nvar<private> big: array<f32, 1000000>;\n",
            "keeps nothing but its State",
            Some("var<private>"),
        ),
        (
            "local array",
            put("var big: array<f32, 1000000>; big[u32(old.position)] = 1.0;"),
            "holds 4000000 bytes",
            Some("var big"),
        ),
        ("barrier", put("workgroupBarrier();"), "no barriers", Some("workgroupBarrier")),
        (
            "atomic",
            TEMPLATE.to_owned() + "\nfn f(p: ptr<function, u32>) { atomicAdd(p, 1u); }",
            "no atomics",
            Some("atomicAdd"),
        ),
        (
            "binding",
            TEMPLATE.to_owned() + "\n@group(0) @binding(9) var<storage> x: array<u32>;",
            "no attributes",
            Some("@group"),
        ),
        ("unrolling", put("@unroll for i in 0..60000 { let x = i; }"), "no attributes", Some("@unroll")),
        ("engine's memory", put("mw_world[0] = 1u;"), "'mw_world' is the engine's", Some("mw_world")),
        (
            "the engine's name",
            TEMPLATE.to_owned() + "\nstruct Outcome { x: f32 }",
            "the engine gives you this one",
            Some("Outcome { x"),
        ),
        (
            "bounds the wrong way",
            changed("ACTION_HIGH: f32 = 1.0", "ACTION_HIGH: f32 = -1.0"),
            "not above ACTION_LOW",
            Some("ACTION_HIGH: f32"),
        ),
        ("hidden loop", put("lo/**/op { if time_step > 100.0 { break; } }"), "hostile.wgsl", None),
        ("hidden engine name", put("mw/**/_spins = 0u;"), "hostile.wgsl", None),
        ("hidden variable", TEMPLATE.to_owned() + "\nv/**/ar<private> x: f32;", "hostile.wgsl", None),
        ("giant state", changed("velocity: f32 }", "velocity: f32, x: array<f32, 500000000> }"), "hostile.wgsl", None),
        (
            "giant constant",
            TEMPLATE.to_owned() + "\nconst T = array<f32, 4000000>();\nfn f(i: u32) -> f32 { return T[i]; }",
            "16000000 bytes",
            Some("T = array"),
        ),
        (
            "many variables",
            (0..20).fold(TEMPLATE.to_owned(), |text, i| {
                text + &format!("\nfn g{i}() {{ var x: array<f32, 1000>; x[0] = 1.0; }}")
            }),
            "bytes in variables",
            Some("g16()"),
        ),
        (
            "chain of else",
            put(&format!("if mass > 0.0 {{ }} {}", "else if mass > 1.0 { } ".repeat(5_000))),
            "of a chain",
            Some("else if"),
        ),
        (
            "WGSL's own name",
            TEMPLATE.to_owned() + "\nfn sqrt(x: f32) -> f32 { return x; }",
            "WGSL has this name",
            Some("sqrt(x"),
        ),
        (
            "counts that overflow",
            changed(
                "const ACTION_DIM: u32 = 1u;             // real numbers that it sets; bounds for each follow\nconst ACTION_LOW: f32 = -1.0;           //   (array<f32, N>(…) where they differ)\nconst ACTION_HIGH: f32 = 1.0;",
                "const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(4294967295u, 2u);",
            ),
            "each must be at least 1",
            None,
        ),
        ("empty", String::new(), "lacks `const ACTION_COUNT", None),
    ];
    for (case, content, words, place) in &cases {
        std::fs::write(&file, content).unwrap();
        let started = Instant::now();
        let output =
            manyworlds(&["train", &file, "--out", &out, "--set", "total_timesteps=64", "--set", "num_envs=64"]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{case}: {err}");
        assert!(err.contains(words) && err.contains("hostile.wgsl"), "{case}: '{words}' expected in {err}");
        if let Some(place) = place {
            let place = line(content, place);
            assert!(err.contains(&place), "{case}: {place} expected in {err}");
        }
        assert!(started.elapsed() < Duration::from_secs(15), "{case}: it took {:?}", started.elapsed());
        assert!(!Path::new(&out).exists(), "{case}: something was left");
    }
    for (case, bytes) in [("junk", [0xff, 0xfe, 0x80, 0x00].repeat(500)), ("zeros", vec![0; 100])] {
        std::fs::write(&file, bytes).unwrap();
        let output = manyworlds(&["train", &file, "--out", &out]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{case}: {err}");
        assert!(err.contains("is no text") && !err.contains('\0'), "{case}: {err}");
    }
}

#[test]
fn examples_with_a_learner_of_their_own_run() {
    let folder = Path::new(env!("CARGO_BIN_EXE_manyworlds")).parent().unwrap().join("examples");
    for (example, words) in [("own_learner", "generation 1:"), ("rollout_engine", "rollout 2:")] {
        let output = Command::new(folder.join(example)).output().unwrap_or_else(|error| panic!("{example}: {error}"));
        let out = text(&output.stdout);
        assert!(output.status.success() && out.contains(words), "{example}: {out}{}", text(&output.stderr));
        if example == "own_learner" {
            let mean = |line: &str| line.rsplit(' ').next().and_then(|x| x.parse::<f64>().ok()).unwrap_or(0.0);
            let best = out.lines().map(mean).fold(0.0, f64::max);
            assert!(best > 400.0, "the cross-entropy method got no further than {best}: {out}");
        }
    }
}
