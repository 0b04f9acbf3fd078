//! Laws of whole runs of ddpg, td3 and sac: they repeat, agents do not see each other, nothing waits for the host, and bad
//! settings are refused by name.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support;
use crate::support::{gpu, ok};
use manyworlds::Error;
use manyworlds::algo::Learning;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::gpu::{Form, Gpu, Share};
use manyworlds::layout::Metrics;
use manyworlds::train::Trainer;

/// Small, with sizes that divide nothing: the head of the ring comes round more than once.
fn config(algo: Algo, pairs: &[&str]) -> Config {
    let small = [
        "num_envs=5",
        "num_steps=6",
        "buffer_size=61",
        "learning_starts=23",
        "batch_size=13",
        "total_timesteps=145",
        "anneal_lr=false",
        "hidden=[16, 16]",
        "n_steps=2",
        "eval_every=2",
        "eval_episodes=3",
    ];
    let pairs: Vec<String> = small.iter().chain(pairs).map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("none", algo.name(), None, &pairs))
}

/// One configuration for each way through an update, with its environment.
fn family() -> Vec<(&'static str, Config)> {
    let choices = ["target_entropy_scale=0.3", "gumbel_temperature_final=0.5"];
    vec![
        ("Pendulum-v1", config(Algo::Ddpg, &["action_noise=ornstein-uhlenbeck"])),
        ("Pendulum-v1", config(Algo::Td3, &["policy_frequency=2"])),
        ("Pendulum-v1", config(Algo::Sac, &["train_freq=3", "gradient_steps=2"])),
        ("CartPole-v1", config(Algo::Ddpg, &["bootstrap_truncated=false"])),
        ("CartPole-v1", config(Algo::Sac, &choices)),
    ]
}

/// What a run leaves of each agent: parameters at every evaluation, metrics of every update.
fn run(env: &str, config: &Config, seeds: &[u32]) -> Vec<(Vec<f32>, Vec<Metrics>)> {
    let mut agents = vec![(vec![], vec![]); seeds.len()];
    for report in ok(Trainer::new(gpu(), &ok(Environment::load(env)), config, seeds)) {
        let report = ok(report);
        for (agent, (parameters, metrics)) in agents.iter_mut().enumerate() {
            metrics.extend(report.metrics.iter().map(|of_update| of_update[agent]));
            if let Some(evaluation) = &report.evaluation {
                parameters.extend_from_slice(evaluation[agent].1.parameters());
            }
        }
    }
    agents
}

fn bits(metrics: &[Metrics]) -> Vec<u32> {
    metrics.iter().flat_map(|m| bytemuck::cast_slice::<u8, u32>(bytemuck::bytes_of(m)).to_vec()).collect()
}

#[test]
fn runs_repeat_and_agents_do_not_see_each_other() {
    for (env, config) in family() {
        let name = format!("{} on {env}", config.algo.name());
        let alone = run(env, &config, &[5]).remove(0);
        let again = run(env, &config, &[5]).remove(0);
        support::assert_bits(&format!("{name}: the same seed twice, parameters"), &again.0, &alone.0);
        assert_eq!(bits(&again.1), bits(&alone.1), "{name}: the same seed twice, metrics");
        let beside = run(env, &config, &[9, 5, 3]);
        support::assert_bits(&format!("{name}: alone, and beside others, parameters"), &beside[1].0, &alone.0);
        assert_eq!(bits(&beside[1].1), bits(&alone.1), "{name}: alone, and beside others, metrics");
        assert_ne!(beside[0].0, alone.0, "{name}: seeds 9 and 5");
        check_run(&name, &config, &alone);
        check_watched(&name, env, &config, &alone.0);
    }
}

/// A run that is watched is the same, and tells of the newest actions in its ring.
fn check_watched(name: &str, env: &str, config: &Config, parameters: &[f32]) {
    let env = ok(Environment::load(env));
    let trainer = ok(Trainer::new(gpu(), &env, config, &[5])).watching();
    let (mut found, mut told) = (Vec::new(), Vec::new());
    for report in trainer.map(ok) {
        told.extend(report.watched);
        for (_, policy) in report.evaluation.into_iter().flatten() {
            found.extend_from_slice(policy.parameters());
        }
    }
    support::assert_bits(&format!("{name}: watched, parameters"), &found, parameters);
    assert!(!told.is_empty() && told[0].stages.len() >= 2, "{name}: {told:?}");
    // those of an update; the first 25 transitions are random ones from before it, and the places behind are empty
    let actions = &told[0].actions[0];
    assert_eq!(actions.len(), 30, "{name}: actions of an update");
    let numbers = actions.iter().map(|&word| f32::from_bits(word));
    match &env.spec().action_space {
        space if space.is_box() => {
            assert!(numbers.clone().all(|x| x != 0.0 && x.abs() <= 2.0), "{name}: {:?}", numbers.collect::<Vec<_>>());
        }
        _ => assert!(actions.iter().all(|&action| action < 2), "{name}: {actions:?}"),
    }
}

/// What parameters and metrics of a run say of it.
fn check_run(name: &str, config: &Config, (parameters, metrics): &(Vec<f32>, Vec<Metrics>)) {
    assert!(parameters.iter().all(|word| word.is_finite()), "{name}: parameters");
    let updates = 4;
    assert_eq!(metrics.len(), updates, "{name}: updates of {} steps", config.total_timesteps);
    let rounds = config.num_steps / config.train_freq;
    for (update, m) in metrics.iter().enumerate() {
        let case = format!("{name}, update {update}: {m:?}");
        assert_eq!(m.update as usize, update, "{case}");
        let steps = (update as u32 + 1) * rounds * config.gradient_steps;
        assert_eq!((m.gradient_steps, m.adam_steps), (steps, steps / config.policy_frequency), "{case}");
        assert!([m.policy_loss, m.value_loss, m.q_value, m.entropy].iter().all(|x| x.is_finite()), "{case}");
        assert!(m.value_loss > 0.0, "{case}");
        let share = (update as f32) / updates as f32;
        let temperature = 1.0 + share * (config.gumbel_temperature_final as f32 - 1.0);
        assert!((m.gumbel_temperature - temperature).abs() < 1e-6, "{case}: temperature {temperature} is expected");
        match config.algo {
            Algo::Sac => assert!(m.alpha > 0.0 && m.alpha != config.alpha as f32, "{case}"),
            _ => assert_eq!(m.alpha, 0.0, "{case}"),
        }
    }
    // what stood at two evaluations is not the same
    let (early, late) = parameters.split_at(parameters.len() / 2);
    assert_eq!(early.len(), late.len(), "{name}: two evaluations");
    let same = early.iter().zip(late).filter(|(a, b)| a == b).count();
    assert!(2 * same < early.len(), "{name}: {same} of {} parameters have not moved", early.len());
}

#[test]
fn updates_never_wait_for_the_host() {
    let gpu = support::open(); // counts of its own
    for (env, config) in family() {
        let name = format!("{} on {env}", config.algo.name());
        let agents = ok(Learning::new(&gpu, &ok(Environment::load(env)), &config, &[1]));
        let before = gpu.counts();
        ok(gpu.submit(&agents.update));
        let now = gpu.counts();
        let counts = (now.submissions - before.submissions, now.readbacks - before.readbacks);
        assert_eq!(counts, (1, 0), "{name}: (submissions, readbacks) of an update");
    }
}

/// Passes of an update with so many gradient steps for one step of the worlds.
fn passes(gpu: &Gpu, hidden: &str, gradient_steps: u32) -> usize {
    let (hidden, steps) = (format!("hidden={hidden}"), format!("gradient_steps={gradient_steps}"));
    let pairs = [
        "num_steps=1",
        "buffer_size=999",
        "learning_starts=300",
        "total_timesteps=999",
        "batch_size=256",
        &hidden,
        &steps,
    ];
    let config = config(Algo::Sac, &pairs);
    let agents = ok(Learning::new(gpu, &ok(Environment::load("Pendulum-v1")), &config, &[1]));
    agents.update.passes().len()
}

/// Sac takes the most of them. Windows, and with them passes, do not depend on these widths; where compilation is slow,
/// narrow networks stand for wider ones.
#[test]
fn a_gradient_step_is_at_most_twenty_passes() {
    for form in gpu().forms() {
        let is_short = form.tile > 0 || form.share != Share::Plain && !form.units;
        if form.vectors > 1 && form.share == Share::Plain {
            continue; // as Form::PLAIN, but for a loop inside of kernels
        }
        let hidden = if is_short { "[64, 64]" } else { "[4, 4]" };
        let gpu = gpu().clone().with_form(form);
        let [one, two, three] = [1, 2, 3].map(|steps| passes(&gpu, hidden, steps));
        assert_eq!(
            three - two,
            two - one,
            "{form}: passes of updates with 1, 2, 3 gradient steps: {one}, {two}, {three}"
        );
        assert!(two - one <= 20, "{form}, hidden {hidden}: {} passes for a gradient step", two - one);
    }
    assert!(gpu().forms().contains(&Form::TILED), "the form of GPUs");
}

// ---------------------------------------------------------------- what is refused

/// The name that an error blames, and its message.
fn blamed<T>(case: &str, result: manyworlds::Result<T>) -> (String, String) {
    match result {
        Err(error @ Error::Setting { .. }) => {
            let text = error.to_string();
            let Error::Setting { name, .. } = error else { unreachable!() };
            (name, text)
        }
        Err(error) => panic!("{case}: {error}"),
        Ok(_) => panic!("{case} is not refused"),
    }
}

#[test]
fn bad_settings_are_refused_by_name() {
    let refused = |algo: Algo, pairs: &[&str], name: &str, words: &[&str]| {
        let case = format!("{}: {pairs:?}", algo.name());
        let one_world = ["num_envs=1", "num_steps=1000", "learning_starts=5000"];
        let pairs: Vec<String> = one_world.iter().chain(pairs).map(|&pair| pair.to_owned()).collect();
        let (got, text) = blamed(&case, Config::resolve("none", algo.name(), None, &pairs));
        assert_eq!(got, name, "{case}: {text}");
        for word in words {
            assert!(text.contains(word), "{case}: '{word}' is not in '{text}'");
        }
    };
    for algo in [Algo::Ddpg, Algo::Td3, Algo::Sac] {
        for (pairs, name, words) in [
            (&["batch_size=257", "learning_starts=255"][..], "batch_size", &["257", "256", "learning_starts"][..]),
            (&["batch_size=300", "buffer_size=299"], "batch_size", &["300", "299", "buffer_size"]),
            (&["batch_size=0"], "batch_size", &[]),
            (&["num_envs=64", "buffer_size=63"], "buffer_size", &["63", "64", "num_envs"]),
            (&["buffer_size=0"], "buffer_size", &[]),
            (&["tau=0"], "tau", &["above 0"]),
            (&["tau=1.1"], "tau", &["1.1", "at most 1"]),
            (&["tau=-0.5"], "tau", &[]),
            (&["norm_obs=true"], "norm_obs", &["ppo", "does not read it"]),
            (&["norm_reward=true"], "norm_reward", &["ppo", "does not read it"]),
            (&["use_sde=true"], "use_sde", &["ppo", "does not read it"]),
            (&["max_grad_norm=0.5"], "max_grad_norm", &["ppo", "does not read it"]),
            (&["num_steps=1000", "train_freq=3"], "train_freq", &["3", "1000"]),
            (&["train_freq=0"], "train_freq", &[]),
            (&["gradient_steps=0"], "gradient_steps", &[]),
            (&["num_steps=1000", "gradient_steps=1000"], "gradient_steps", &["1000000", "at most"]),
            (&["num_steps=1000", "policy_frequency=3"], "policy_frequency", &["3", "1000"]),
            (&["policy_frequency=0"], "policy_frequency", &[]),
            (&["n_steps=0"], "n_steps", &[]),
            (&["n_steps=1001"], "n_steps", &["1001", "1000"]),
            (&["exploration_noise=-0.1"], "exploration_noise", &[]),
            (&["policy_noise=-0.1"], "policy_noise", &[]),
            (&["noise_clip=-1"], "noise_clip", &[]),
            (&["alpha=0"], "alpha", &[]),
            (&["ou_theta=0"], "ou_theta", &[]),
            (&["gumbel_temperature=0"], "gumbel_temperature", &[]),
            (&["gumbel_temperature_final=0"], "gumbel_temperature_final", &[]),
            (&["action_noise=pink"], "action_noise", &["normal or ornstein-uhlenbeck"]),
        ] {
            refused(algo, pairs, name, words);
        }
        if algo == Algo::Sac {
            refused(algo, &["alpha=0"], "alpha", &["above 0"]);
            refused(algo, &["log_std_min=3"], "log_std_max", &["above log_std_min"]);
        } else {
            refused(algo, &["log_std_min=3"], "log_std_min", &["it is for sac"]);
        }
        // the edges are allowed
        config(algo, &["tau=1", "batch_size=28", "buffer_size=28", "n_steps=1000", "policy_frequency=6"]);
    }
}

const MASKED: &str = "
    const OBSERVATION_DIM: u32 = 1u;
    const ACTION_COUNT: u32 = 3u;
    const MAX_EPISODE_STEPS: u32 = 5u;
    struct State { x: f32 }
    fn env_reset(rng: ptr<function, Rng>) -> State { return State(0.0); }
    fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome { return Outcome(0.0, false); }
    fn env_observe(s: State) -> Observation { return Observation(s.x); }
    fn env_action_mask(s: State) -> ActionMask { return ActionMask(true, true, false); }";

#[test]
fn environments_without_their_actions_are_refused_with_a_remedy() {
    let several = MASKED.replace("ACTION_COUNT: u32 = 3u", "ACTION_COUNTS = array<u32, 2>(3u, 2u)");
    let several = several.lines().filter(|line| !line.contains("env_action_mask")).collect::<Vec<_>>().join("\n");
    let unbounded = several.replace(
        "const ACTION_COUNTS = array<u32, 2>(3u, 2u);",
        "const ACTION_DIM: u32 = 2u;
         const ACTION_LOW = array<f32, 2>(-1.0, -1e9);
         const ACTION_HIGH = array<f32, 2>(1.0, 1e9);",
    );
    let of = |name: &str, text: &str| ok(Environment::from_source(name, &format!("{name}.wgsl"), text));
    let (masked, several, unbounded) = (of("Masked", MASKED), of("Several", &several), of("Unbounded", &unbounded));
    let (cartpole, pendulum) = (ok(Environment::load("CartPole-v1")), ok(Environment::load("Pendulum-v1")));
    let refused = |env: &Environment, algo: Algo, pairs: &[&str], name: &str, words: &[&str]| {
        let config = config(algo, pairs);
        let case = format!("{} on {} with {pairs:?}", algo.name(), env.name());
        // before anything is made, and by the check alone
        let (got, text) = blamed(&case, config.check_for(env));
        assert_eq!(got, name, "{case}: {text}");
        for word in words.iter().copied().chain([env.name()]) {
            assert!(text.contains(word), "{case}: '{word}' is not in '{text}'");
        }
        assert_eq!(blamed(&case, Trainer::new(gpu(), env, &config, &[1])).1, text, "{case}: through the trainer");
    };
    for algo in [Algo::Ddpg, Algo::Td3, Algo::Sac] {
        refused(&several, algo, &[], "algo", &[algo.name()]);
        refused(&unbounded, algo, &[], "algo", &[algo.name(), "number 1", "bounds", "ppo"]);
        ok(config(algo, &["exploration_noise=1.5"]).check_for(&pendulum));
    }
    refused(&ok(Environment::load("SimpleRegulator")), Algo::Sac, &[], "algo", &["bounds"]);
    refused(&masked, Algo::Ddpg, &[], "algo", &["ppo"]);
    refused(&masked, Algo::Sac, &["target_entropy_scale=0.3"], "algo", &["ppo"]);
    refused(&cartpole, Algo::Td3, &[], "algo", &["td3", "real numbers", "ddpg"]);
    refused(&cartpole, Algo::Sac, &[], "target_entropy_scale", &["below 1"]);
    refused(&cartpole, Algo::Ddpg, &["exploration_noise=1.5"], "exploration_noise", &["1.5", "from 0 to 1"]);
    let process = "action_noise=ornstein-uhlenbeck";
    refused(&cartpole, Algo::Ddpg, &[process], "action_noise", &["ddpg", "normal"]);
    ok(config(Algo::Td3, &[process]).check_for(&pendulum));
    ok(config(Algo::Sac, &["target_entropy_scale=0.3"]).check_for(&cartpole));
    ok(config(Algo::Sac, &["autotune=false"]).check_for(&cartpole));
}

#[test]
fn a_ring_that_no_adapter_holds_is_refused_with_its_arithmetic() {
    let config = config(Algo::Sac, &["buffer_size=4000000000"]);
    match Trainer::new(gpu(), &ok(Environment::load("Pendulum-v1")), &config, &[1, 2]) {
        Err(error @ Error::TooLarge { .. }) => {
            let text = error.to_string();
            let Error::TooLarge { arithmetic, bytes, limit, remedy, .. } = error else { unreachable!() };
            // one number of an action, reward and ending
            let factors = ["agents 2", "rows 3", "buffer_size 4000000000", "bytes 4"];
            assert_eq!(arithmetic, factors.join(" × "), "{text}");
            assert_eq!(bytes, 2 * 3 * 4_000_000_000 * 4, "{text}");
            assert!(limit < bytes, "{text}");
            assert_eq!(remedy, "buffer_size", "{text}");
        }
        other => panic!("a ring of 96 GB gave {:?}", other.map(|_| "a trainer")),
    }
}
