//! What is not finite, and loops that do not end: found on the device in the update in which they are, with their place, for
//! every kind of tensor, in every form, by every algorithm; a sound run tells of none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Draw, Stages, few_forms, gpu, ok, planned, run, submit};
use manyworlds::config::Config;
use manyworlds::env::{Environment, world_word};
use manyworlds::gpu::Recording;
use manyworlds::kernels::Objective;
use manyworlds::layout::{
    Fault, LARGEST, Metrics, Progress, Row, Run, STREAM_EVALUATION, STREAM_TRAINING, TrustRegion, WorldWord,
};
use manyworlds::pool::WorldPool;
use manyworlds::reference::mlp::Activation;
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::stage::{AdvantageMoments, Learner, Natural, Portion, Rollout};
use manyworlds::train::{Policy, Trainer};
use manyworlds::{Error, Result};

const NAN: u32 = 0x7fc0_0000;
const INFINITE: u32 = 0xff80_0000;
/// 1e20 and 3e38, near enough.
const LARGE: u32 = 0x60ad_7900;
const LARGEST_OF_ALL: u32 = 0x7f61_b100;

const WORLDS: u32 = 37;
const STEPS: u32 = 13;
/// In update 1, at its step 4.
const AT: u32 = 17;
const SEED: u32 = 5;

/// Worlds whose first draw is below 0.2 give the number BITS at step AT: as reward (WHAT = 1), or as number 1 of the
/// observation (WHAT = 2); or loop there without end in a step (3), a reset (4), a look (5);
/// or all give it as reward always (6).
fn text(actions: &str) -> String {
    format!(
        "const OBSERVATION_DIM: u32 = 2u;
{actions}
const MAX_EPISODE_STEPS: u32 = 0u;
override WHAT: u32 = 0u;
override AT: u32 = {AT}u;
override BITS: u32 = 0u;
struct State {{ u: f32, n: u32 }}
fn here(s: State, what: u32) -> bool {{ return WHAT == what && s.n == AT && s.u < 0.2; }}
fn number(s: State) -> f32 {{ return bitcast<f32>(BITS ^ (s.n / 1000000u)); }}
fn turn(s: State, what: u32) -> f32 {{
    var x = 1.0;
    while here(s, what) {{ x *= 0.5; }}
    return x;
}}
fn env_reset(rng: ptr<function, Rng>) -> State {{
    let s = State(rng_uniform(rng), 0u);
    for (var i = 0u; i < 3u || (WHAT == 4u && s.u < 0.2); i++) {{}}
    return s;
}}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{
    let reward = select(turn(*s, 3u), number(*s), here(*s, 1u) || WHAT == 6u);
    (*s).n += 1u;
    return Outcome(reward, false);
}}
fn env_observe(s: State) -> Observation {{ return Observation(s.u * turn(s, 5u), select(0.25, number(s), here(s, 2u))); }}
"
    )
}

fn env(actions: &str, what: u32, bits: u32, at: u32) -> Environment {
    let mut env = ok(Environment::from_source("faulty.wgsl", "faulty.wgsl", &text(actions)));
    for (name, value) in [("WHAT", what), ("BITS", bits), ("AT", at)] {
        ok(env.set(name, value.into()));
    }
    env
}

const CHOICES: &str = "const ACTION_COUNT: u32 = 2u;";
const NUMBERS: &str = "const ACTION_DIM: u32 = 1u; const ACTION_LOW: f32 = -1.0; const ACTION_HIGH: f32 = 1.0;";

/// Worlds whose first draw of a stream is below 0.2.
fn faulty_worlds(count: u32, seed: u32, stream: u32) -> Vec<u32> {
    let below = |world: &u32| uniform(philox4x32_10([*world, 0, 0, 0], [seed, stream])[0]) < 0.2;
    let worlds: Vec<u32> = (0..count).filter(below).collect();
    assert!(worlds.len() > 1 && worlds[0] > 0, "a seed that shows something: {worlds:?}");
    worlds
}

fn config(algo: &str, pairs: &[&str]) -> Config {
    let steps = format!("total_timesteps={}", u64::from(WORLDS * STEPS) * 6);
    let mut all = vec![
        format!("num_envs={WORLDS}"),
        format!("num_steps={STEPS}"),
        "hidden=[8]".to_owned(),
        "eval_every=0".to_owned(),
        "eval_episodes=5".to_owned(),
        "norm_obs=false".to_owned(),
        "norm_reward=false".to_owned(),
        steps,
    ];
    all.extend(pairs.iter().map(|&pair| pair.to_owned()));
    ok(Config::resolve("faulty.wgsl", algo, None, &all))
}

/// Updates that were told of, and why the run ended.
fn train(env: &Environment, config: &Config, seeds: &[u32]) -> Result<(Vec<Vec<Metrics>>, Option<Error>)> {
    let mut told = Vec::new();
    let mut trainer = Trainer::new(gpu(), env, config, seeds)?;
    while let Some(report) = trainer.next() {
        match report {
            Ok(report) => told.extend(report.metrics),
            Err(error) => {
                assert!(trainer.next().is_none(), "a run goes on behind its end");
                return Ok((told, Some(error)));
            }
        }
    }
    Ok((told, None))
}

/// Every world's note in every form, against what the rollout itself has written down.
#[test]
fn worlds_note_what_is_unsound_first() {
    let networks = [Draw::new(3).network(&[2, 8, 2], Activation::Tanh)];
    for form in few_forms() {
        for (what, bits) in [(1, NAN), (1, LARGE), (2, INFINITE), (2, LARGEST_OF_ALL), (0, 0), (3, 0)] {
            let env = env(CHOICES, what, bits, 4);
            let stages =
                Stages::new(form, &[&[&networks[0]], &[&networks[0]]], &[SEED, SEED + 1], run(WORLDS, STEPS, 65), None);
            let rollout =
                planned(|plan| Rollout::new(plan, &stages.kernels(), &env, 0, &stages.agents, &stages.batch, false));
            submit(rollout.reset());
            let mut steps = Recording::default();
            rollout.record(&mut steps);
            submit(&steps);
            let words: Vec<u32> = ok(gpu().read(&rollout.worlds));
            let observations: Vec<f32> = ok(gpu().read(&stages.batch.observations));
            let n = WORLDS as usize;
            for agent in 0..2 {
                let words = &words[agent * words.len() / 2..];
                let seen = &observations[agent * observations.len() / 2..];
                let rewards = stages.read_row(agent, Row::Reward);
                let unsound = |bits: u32| bits & 0x7fff_ffff > LARGEST.to_bits();
                let mut faults = 0;
                for world in 0..n {
                    let note = [0, 1, 2, 3].map(|word| words[world_word(env.word(WorldWord::Fault) + word, world, n)]);
                    let mut expected = [0, 0, 0, 0];
                    for t in 0..STEPS as usize {
                        let at = t * n + world;
                        for f in 0..2 {
                            let bits = seen[f * rewards.len() + at].to_bits();
                            if unsound(bits) && expected[0] == 0 {
                                expected[..3].copy_from_slice(&[
                                    Fault::Observation as u32 + 16 * f as u32,
                                    t as u32,
                                    bits,
                                ]);
                            }
                        }
                        if unsound(rewards[at]) && expected[0] == 0 {
                            expected[..3].copy_from_slice(&[Fault::Reward as u32, t as u32, rewards[at]]);
                        }
                        expected[3] = expected[3].max(rewards[at] & 0x7fff_ffff);
                    }
                    // worlds of a thread share what they say of loops
                    let (own, loops) = ([note[0] & 0xffff, note[1], note[2], note[3]], note[0] >> 16);
                    assert_eq!(own, expected, "{form:?}, what {what}, bits {bits:x}, agent {agent}, world {world}");
                    let faulty = faulty_worlds(WORLDS, SEED + agent as u32, STREAM_TRAINING).contains(&(world as u32));
                    assert!(loops == 0 || what == 3, "{form:?}: world {world} tells of loop {loops}");
                    assert!(loops == 1 || what != 3 || !faulty, "{form:?}: world {world} tells of loop {loops}");
                    faults += u32::from(expected[0] != 0);
                }
                assert_eq!(faults > 0, what == 1 || what == 2, "{form:?}: {faults} worlds are faulty");
            }
        }
    }
}

/// A replay's settings; the warm-up is 5 steps of every world.
const REPLAY: [&str; 5] =
    ["policy_frequency=1", "train_freq=13", "batch_size=33", "buffer_size=4096", "learning_starts=185"];

#[test]
fn every_algorithm_stops_at_the_update_of_an_environments_fault() {
    let cases: [(&str, &str, &[&str]); 8] = [
        ("ppo", CHOICES, &["norm_obs=true", "norm_reward=true"]),
        ("a2c", CHOICES, &[]),
        ("reinforce", CHOICES, &["fresh_episodes=false"]),
        ("npg", NUMBERS, &[]),
        ("trpo", CHOICES, &[]),
        ("ddpg", NUMBERS, &REPLAY),
        ("td3", NUMBERS, &REPLAY),
        ("sac", NUMBERS, &REPLAY),
    ];
    for (algo, actions, pairs) in cases {
        let replay = pairs == REPLAY;
        let (kind, bits) = if algo == "sac" || algo == "npg" { (2, INFINITE) } else { (1, NAN) };
        let (env, config) = (env(actions, kind, bits, AT), config(algo, pairs));
        let (told, error) = ok(train(&env, &config, &[SEED]));
        // the warm-up makes 5 of the steps
        let expected = (AT - if replay { 5 } else { 0 }) / STEPS;
        let Some(Error::NotFinite { tensor, value, world, step, update, seed, remedy }) = error else {
            panic!("{algo}: {error:?}")
        };
        let name = if kind == 1 { "the reward" } else { "number 1 of the observation" };
        assert_eq!((tensor.as_str(), seed), (name, SEED), "{algo}");
        assert_eq!(value.unwrap().to_bits() & 0x7f80_0000, 0x7f80_0000, "{algo}: {value:?}");
        let first = faulty_worlds(WORLDS, SEED, STREAM_TRAINING)[0];
        assert_eq!((world, step, update), (Some(first), Some(AT), expected), "{algo}");
        assert!(remedy.contains("manyworlds check-env faulty.wgsl --set-env WHAT="), "{algo}: {remedy}");
        assert!(remedy.ends_with(&format!("--seed {SEED}`")), "{algo}: {remedy}");
        assert_eq!(told.len(), expected as usize, "{algo}: updates before it are told of");
        assert!(told.iter().all(|agents| agents[0].fault == 0 && agents[0].fault_loop == 0), "{algo}");
    }
}

#[test]
fn finite_numbers_whose_squares_overflow_are_named() {
    for (kind, bits, setting) in [(1, LARGE, "norm_reward=true"), (2, LARGEST_OF_ALL, "norm_obs=true")] {
        let (_, error) = ok(train(&env(CHOICES, kind, bits, AT), &config("ppo", &[]), &[SEED, SEED + 1]));
        let error = error.expect("it is named");
        let text = error.to_string();
        assert_eq!(error.exit_code(), 1);
        let Error::NotFinite { value, step, remedy, .. } = error else { panic!("{text}") };
        assert_eq!((value.unwrap().to_bits(), step), (bits, Some(AT)));
        assert!(remedy.starts_with("its square overflows") && remedy.contains(setting), "{text}");
    }
}

/// What a natural gradient stands on, in buffers that hold NaN wherever nothing was written.
#[test]
fn natural_gradients_tell_of_their_solver_and_of_what_they_measure() {
    let network = Draw::new(4).network(&[2, 8, 2], Activation::Tanh);
    let stages = Stages::new(few_forms()[0], &[&[&network]], &[SEED], run(WORLDS, 1, WORLDS), None);
    let trust = TrustRegion {
        delta: 0.01,
        limit: 0.01,
        damping: 0.1,
        backtrack: 0.5,
        candidates: 2,
        iterations: 2,
        samples: WORLDS,
        ..TrustRegion::default()
    };
    let kernels = stages.kernels();
    let portion = Portion::new(&kernels.untiled(), 0, Run { stride: 1, ..stages.agents.run }, 1);
    let agents = planned(|plan| stages.agents.apart(plan, portion.run));
    let buffers = stages.batch.buffers(&agents.buffers());
    let moments = planned(|plan| AdvantageMoments::new(plan, &kernels, &agents, &buffers));
    let buffers = buffers.with("mw_moments", &moments.moments);
    let learner = planned(|plan| {
        Learner::new(plan, &kernels, &agents, &buffers, portion.slicing, &[(0, Objective::PolicyGradient)])
    });
    let natural =
        planned(|plan| Natural::new(plan, &kernels, 0, &agents, &stages.batch, &learner, &moments, portion, trust));
    let mut step = Recording::default();
    natural.record(&mut step);
    let words = learner.gradient.len();
    for (gradient, fault) in [(vec![f32::NAN; words], Fault::Solver), (vec![0.0; words], Fault::Surrogate)] {
        gpu().write(&learner.gradient, &gradient);
        gpu().write(&agents.progress, &[Progress::default()]);
        submit(&step);
        let progress = ok(gpu().read(&agents.progress))[0];
        assert_eq!(progress.fault, fault as u32, "{fault:?}: {progress:?}");
        assert!(!f32::from_bits(progress.fault_value).is_finite(), "{fault:?}");
    }
}

/// Algorithm, actions, bits of all rewards, settings; what it may be called, and what helps.
type Learned<'a> = (&'a str, &'a str, u32, Vec<&'a str>, &'a [&'a str], &'a str);

#[test]
fn losses_gradients_and_parameters_are_named_with_what_helps() {
    // 2⁵⁹ is sound as a reward; the squares of its returns have no sum
    let reward = ((1_u64 << 59) as f32).to_bits();
    // minibatches large enough for that
    let few = ["num_minibatches=4", "clip_vloss=true"];
    let cases: [Learned; 4] = [
        ("ppo", CHOICES, reward, few.to_vec(), &["the policy loss", "the value loss"], "norm_reward=true"),
        (
            "ppo",
            CHOICES,
            0,
            [&few[..], &["learning_rate=1e36"]].concat(),
            &["the policy loss", "the value loss"],
            "reduce learning_rate (1e36)",
        ),
        // the first direction of RMSprop is 10
        (
            "a2c",
            CHOICES,
            0,
            vec!["optimizer=rmsprop", "learning_rate=1e38"],
            &["actor.0.weight", "actor.0.bias", "actor.1.weight", "actor.1.bias", "critic.0.weight"],
            "reduce learning_rate",
        ),
        (
            "ddpg",
            NUMBERS,
            0,
            [&REPLAY[..], &["value_learning_rate=1e36"]].concat(),
            &["the value loss", "the policy loss"],
            "value_learning_rate",
        ),
    ];
    for (algo, actions, bits, pairs, names, help) in cases {
        let env = env(actions, if bits == 0 { 0 } else { 6 }, bits, 2);
        let (_, error) = ok(train(&env, &config(algo, &pairs), &[SEED]));
        let Some(Error::NotFinite { tensor, world: None, step: None, remedy, .. }) = error else {
            panic!("{algo} {pairs:?}: {error:?}")
        };
        assert!(names.contains(&tensor.as_str()), "{algo} {pairs:?}: {tensor}");
        assert!(remedy.contains(help), "{algo} {pairs:?}: {remedy}");
    }
}

#[test]
fn loops_that_are_cut_short_end_a_run_by_the_functions_name() {
    for (what, function, line) in [(3, "turn", 12), (4, "env_reset", 17), (5, "turn", 12)] {
        let env = env(CHOICES, what, 0, AT);
        let (told, error) = ok(train(&env, &config("ppo", &[]), &[SEED]));
        let error = error.expect("the loop is told of");
        assert_eq!(error.exit_code(), 2);
        let Error::LoopCut { function: found, line: at, turns, .. } = &error else { panic!("{error}") };
        assert_eq!((found.as_str(), *at, *turns), (function, line, 256), "what {what}");
        assert_eq!(told.len(), usize::from(what != 4), "what {what}");

        let policy = ok(Policy::untrained(&env, config("ppo", &[])));
        let error = policy.evaluate(gpu(), 37, SEED, false).expect_err("an evaluation tells too");
        assert!(matches!(&error, Error::LoopCut { function: found, .. } if found == function), "{error}");

        let pool = ok(WorldPool::new(gpu(), &env, WORLDS, SEED));
        for _ in 0..=AT {
            ok(pool.step(&vec![0; WORLDS as usize]));
        }
        let error = pool.check_loops().expect_err("a pool tells too");
        assert!(matches!(&error, Error::LoopCut { line: at, .. } if *at == line), "{error}");
        assert!(ok(pool.spun_out()).contains(&true), "what {what}");
    }
    let (_, error) = ok(train(&env(NUMBERS, 3, 0, AT), &config("ddpg", &REPLAY), &[SEED]));
    assert!(matches!(&error, Some(Error::LoopCut { function, .. }) if function == "turn"), "{error:?}");
}

#[test]
fn evaluations_name_the_episode() {
    let below = |seed: &u32| uniform(philox4x32_10([0, 0, 0, 0], [*seed, STREAM_EVALUATION])[0]) < 0.2;
    let seed_here = (SEED..100).find(|seed| !below(seed)).unwrap();
    let first = faulty_worlds(37, seed_here, STREAM_EVALUATION)[0];
    for (kind, bits, name) in [(1, NAN, "a reward"), (2, INFINITE, "number 1 of an observation")] {
        let policy = ok(Policy::untrained(&env(CHOICES, kind, bits, AT), config("ppo", &[])));
        let error = policy.evaluate(gpu(), 37, seed_here, true).expect_err("it is no number");
        let Error::EpisodeNotFinite { tensor, episode, seed, .. } = &error else { panic!("{error}") };
        assert_eq!((tensor.as_str(), *episode, *seed), (name, first, seed_here));
        assert_eq!(error.exit_code(), 1);
    }
    // large, but a number: nothing is squared
    let policy = ok(Policy::untrained(&env(CHOICES, 1, LARGE, AT), config("ppo", &[])));
    assert!(ok(policy.evaluate(gpu(), 37, SEED, false)).max >= 9e19);
}

#[test]
fn sound_runs_tell_of_nothing() {
    for (algo, actions, pairs) in
        [("ppo", CHOICES, &["norm_obs=true"][..]), ("trpo", CHOICES, &[]), ("sac", NUMBERS, &REPLAY)]
    {
        let (told, error) = ok(train(&env(actions, 0, 0, AT), &config(algo, pairs), &[SEED, SEED + 1]));
        assert!(error.is_none() && !told.is_empty(), "{algo}: {error:?}");
        for metrics in told.iter().flatten() {
            assert_eq!((metrics.fault, metrics.fault_loop, metrics.largest_reward), (0, 0, 1.0), "{algo}: {metrics:?}");
        }
    }
}
