//! Numbers that are none, or have no squares, from environments and learning rates: training stops and says where, and no
//! checkpoint has them.

use super::harness::{Ended, Failure, Plan, Score, Verdict, ensure, ensure_no_silence, files, manyworlds, run};
use manyworlds::train::Policy;
use std::path::Path;

const WORLDS: u32 = 37;
const STEPS: u32 = 8;
/// In update 3, at its step 4.
const AT: u32 = 28;

/// From step AT on some worlds give the number BITS as reward (WHAT = 1) or observation (2), or loop without end in a step
/// (3), a reset (4) or a look (5).
const ENV: &str = "const OBSERVATION_DIM: u32 = 2u;
const ACTIONS
const MAX_EPISODE_STEPS: u32 = 0u;
override WHAT: u32 = 0u;
override AT: u32 = 28u;
override BITS: u32 = 0u;
struct State { u: f32, n: u32 }
fn here(s: State, what: u32) -> bool { return WHAT == what && s.n >= AT && s.u < 0.2; }
fn number(s: State) -> f32 { return bitcast<f32>(BITS ^ (s.n / 1000000u)); }
fn turn(s: State, what: u32) -> f32 {
    var x = 1.0;
    while here(s, what) { x *= 0.5; }
    return x;
}
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng), 0u); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let reward = select(turn(*s, 3u), number(*s), here(*s, 1u));
    (*s).n += 1u;
    return Outcome(reward, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.u * turn(s, 5u), select(0.25, number(s), here(s, 2u))); }
";
const CHOICES: &str = "ACTION_COUNT: u32 = 2u;";
const NUMBERS: &str = "ACTION_DIM: u32 = 1u; const ACTION_LOW: f32 = -1.0; const ACTION_HIGH: f32 = 1.0;";
const ALGOS: [&str; 8] = ["ppo", "a2c", "reinforce", "npg", "trpo", "sac", "td3", "ddpg"];

pub fn inject(plan: &Plan, score: &mut Score) {
    let folder = tempfile::tempdir().unwrap();
    let values = [
        ("NaN", f32::NAN.to_bits()),
        ("-infinity", f32::NEG_INFINITY.to_bits()),
        ("1e20", 1e20_f32.to_bits()),
        ("1e38", 1e38_f32.to_bits()),
        ("3e38", 3e38_f32.to_bits()),
    ];
    let mut cases = Vec::new();
    for algo in ALGOS {
        for (name, bits) in values {
            for (what, tensor) in [(1, "reward"), (2, "observation")] {
                for evaluations in ["eval_every=1", "eval_every=0"] {
                    cases.push((algo, name, bits, what, tensor, evaluations));
                }
            }
        }
    }
    // of one algorithm where few are wanted: others are other kernels, and take their time to compile
    cases.retain(|case| plan.full || case.0 == "ppo");
    for (algo, name, bits, what, tensor, evaluations) in plan.some(3, cases) {
        let out = folder.path().join("run");
        let given = [format!("WHAT={what}"), format!("BITS={bits}"), format!("AT={AT}")];
        let ended = train(folder.path(), algo, &given, &[evaluations]);
        let verdict = named(&ended, tensor, f32::from_bits(bits))
            .and_then(|()| is_finite(&out))
            .and_then(|()| again(&out, &ended));
        score.judge(format!("{algo}: {name} as {tensor}, {evaluations}"), verdict);
    }
    let rates = [
        ("ppo", "learning_rate=1e30"),
        ("ppo", "learning_rate=1e38"),
        ("ppo", "learning_rate=1e36"),
        ("a2c", "learning_rate=1e38"),
        ("reinforce", "learning_rate=1e38"),
        ("npg", "delta=1e38"),
        ("sac", "learning_rate=1e38"),
        ("td3", "value_learning_rate=1e36"),
        ("ddpg", "value_learning_rate=1e36"),
    ];
    for (algo, setting) in plan.some(1, rates.to_vec()) {
        let ended = train(folder.path(), algo, &[], &[setting, "anneal_lr=false", "max_grad_norm=0"]);
        let verdict = at_a_rate(&ended).and_then(|()| is_finite(&folder.path().join("run")));
        score.judge(format!("{algo}: {setting}"), verdict);
    }
    for (what, function) in plan.some(1, vec![(3, "turn"), (5, "turn")]) {
        let ended = train(folder.path(), "ppo", &[format!("WHAT={what}"), format!("AT={AT}")], &[]);
        let verdict = ended.is_sound(&[2]).and_then(|()| {
            ensure(ended.err.contains("loops do not end") && ended.err.contains(function), || ended.shown())
        });
        score.judge(format!("an endless loop from step {AT} on, in {what}"), verdict);
    }
}

fn train(folder: &Path, algo: &str, overrides: &[String], settings: &[&str]) -> Ended {
    let (file, out) = (folder.join("faulty.wgsl"), folder.join("run"));
    let replay = ["sac", "td3", "ddpg"].contains(&algo);
    let actions = if replay || algo == "npg" { NUMBERS } else { CHOICES };
    std::fs::write(&file, ENV.replace("ACTIONS", actions)).unwrap();
    let _ = std::fs::remove_dir_all(&out);
    let mut command = manyworlds(["train", "--json", "--algo", algo, "--out"]);
    command.arg(&out).arg(&file);
    for pair in overrides {
        command.args(["--set-env", pair]);
    }
    // numbers of the environment come to the networks as they are
    let plain = ["norm_obs=false", "norm_reward=false"];
    let mut pairs: Vec<String> =
        ["hidden=[8]", "eval_every=2", "eval_episodes=1"].iter().chain(&plain).map(|&pair| pair.to_owned()).collect();
    pairs.push(format!("num_envs={WORLDS}"));
    pairs.push(format!("num_steps={STEPS}"));
    pairs.push(format!("total_timesteps={}", 12 * WORLDS * STEPS));
    if replay {
        pairs.extend(["batch_size=32", "buffer_size=4096", "learning_starts=64"].map(str::to_owned));
    }
    if algo == "reinforce" {
        // new episodes in every rollout would never come to step AT
        pairs.push("fresh_episodes=false".to_owned());
    }
    for pair in pairs.iter().map(String::as_str).chain(settings.iter().copied()) {
        command.args(["--set", pair]);
    }
    run(command)
}

/// It ended with exit code 1 and said where: of training the world and its step, of an evaluation the episode. There it
/// is the return that overflows where each reward is finite.
fn named(ended: &Ended, tensor: &str, value: f32) -> Verdict {
    ensure_no_silence(ended.code != Some(0), || format!("trained to the end on it: {}", ended.shown()))?;
    ended.is_sound(&[1])?;
    let line = ended.err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    let of_training = &["training stopped at update", "world", "step", "seed"][..];
    let place = if line.contains("evaluation after") { &["episode", "seed"][..] } else { of_training };
    let overflows = tensor == "reward" && value.is_finite() && line.contains("evaluation after");
    let tensor = if overflows { "the return" } else { tensor };
    let missing: Vec<_> = place.iter().chain([&tensor]).filter(|word| !line.contains(**word)).collect();
    ensure(missing.is_empty(), || format!("{missing:?} are not named: {}", ended.shown()))
}

/// With an absurd rate it stops and says so, or ends with numbers.
fn at_a_rate(ended: &Ended) -> Verdict {
    ended.is_sound(&[0, 1])?;
    if ended.code == Some(1) {
        return ensure(ended.err.contains("reduce "), || format!("no remedy: {}", ended.shown()));
    }
    let returns: Option<serde_json::Value> = ended.out.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let mean = returns.and_then(|summary| summary["eval"]["mean"].as_f64());
    ensure_no_silence(mean.is_some_and(f64::is_finite), || format!("the result is no number: {}", ended.out))
}

/// All checkpoints hold numbers.
fn is_finite(out: &Path) -> Verdict {
    for path in files(out).iter().filter(|path| path.ends_with("checkpoint.safetensors")) {
        let policy = Policy::load(path).map_err(|error| Failure::Seen(error.to_string()))?;
        let finite = policy.parameters().iter().all(|value| value.is_finite());
        ensure_no_silence(finite, || format!("{} is of parameters that are not finite", path.display()))?;
    }
    Ok(())
}

/// What was saved before leads to the same error.
fn again(out: &Path, first: &Ended) -> Verdict {
    if !out.join("checkpoint.safetensors").exists() {
        return Ok(());
    }
    let ended = run(super::reference::resume(out));
    ended.is_sound(&[1])?;
    let error = |ended: &Ended| ended.err.lines().find(|line| line.starts_with("error: ")).map(str::to_owned);
    ensure(error(&ended) == error(first), || format!("first {:?}, then {}", error(first), ended.shown()))
}
