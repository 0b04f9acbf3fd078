//! Sums of many rewards: what `part/sum.wgsl` promises, and returns of long episodes in every kernel that keeps them.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support;
use crate::support::{call, few_forms, forms, gpu, kernel, ok, planned_on};
use manyworlds::config::{Algo, Config};
use manyworlds::env::{Environment, world_word};
use manyworlds::gpu::{Form, Recording};
use manyworlds::kernels::Kernels;
use manyworlds::layout::WorldWord;
use manyworlds::stage::RandomSteps;
use manyworlds::train::{Policy, Trainer};

/// Terms of a sequence.
const TERMS: usize = 200_000;

/// What [`on_device`] leaves of a sequence.
#[derive(Debug)]
struct Sums {
    /// By `mw_sum_add`, as f64: high + low.
    exact: f64,
    /// By `mw_sum_of`.
    rounded: f32,
    /// In one f32.
    plain: f32,
}

/// Sequences of terms, added from memory one after the other; the last one is of a constant that the compiler sees.
fn on_device(sequences: &[Vec<f32>]) -> Vec<Sums> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<f32>;            // [sequence][term]
        @bind var<storage, read_write> test_output: array<f32>;     // [sequence][high, low, rounded, plain]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let sequence = mw_thread(group, groups, local).index;
            let sequences = arrayLength(&test_output) / 4u;
            if sequence >= sequences { return; }
            var sum: MwSum;
            var plain = 0.0;
            // software adapters grant 65,535 turns
            for (var i = 0u; i < TEST_TERMS; i += 8u) {
                if sequence == sequences - 1u {
                    @unroll for k in 0..8 { sum = mw_sum_add(sum, 0.1); plain += 0.1; }
                } else {
                    @unroll for k in 0..8 {
                        let x = test_input[sequence * TEST_TERMS + i + k];
                        sum = mw_sum_add(sum, x);
                        plain += x;
                    }
                }
            }
            test_output[4u * sequence] = sum.high;
            test_output[4u * sequence + 1u] = sum.low;
            test_output[4u * sequence + 2u] = mw_sum_of(sum);
            test_output[4u * sequence + 3u] = plain;
        }";
    let kernel = kernel("sums", &[("TEST_TERMS", TERMS as u32)], &["part/sum.wgsl"], SOURCE);
    let input: Vec<u32> = sequences.iter().flatten().map(|x| x.to_bits()).collect();
    let output = call(&kernel, sequences.len() + 1, &input, 4 * (sequences.len() + 1));
    let sums = |words: &[u32]| {
        let [high, low, rounded, plain] = [0, 1, 2, 3].map(|at| f32::from_bits(words[at]));
        Sums { exact: f64::from(high) + f64::from(low), rounded, plain }
    };
    output.chunks_exact(4).map(sums).collect()
}

/// `first`, then `rest` over and over, then `last`.
fn terms(first: f32, rest: f32, last: f32) -> Vec<f32> {
    let mut terms = vec![rest; TERMS];
    (terms[0], terms[TERMS - 1]) = (first, last);
    terms
}

#[test]
fn sums_of_200_000_terms_keep_the_digits_of_two_words() {
    let mut draw = support::Draw::new(951);
    let sequences = [
        ("0.1 each", terms(0.1, 0.1, 0.1)),
        ("-1/3 each", terms(-1.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0)),
        ("1e6 at first, then 0.01", terms(1e6, 0.01, 0.01)),
        ("0.01, and 1e6 at last", terms(0.01, 0.01, 1e6)),
        ("1e6, 0.01, and -1e6", terms(1e6, 0.01, -1e6)),
        ("1e30, 1e22, and -1e30", terms(1e30, 1e22, -1e30)),
        ("3e38, -1e33, and -1e38", terms(3e38, -1e33, -1e38)),
        ("random", draw.vector(TERMS, -1.0, 3.0).iter().map(|&x| x as f32).collect()),
        ("about 0", draw.vector(TERMS, -1e3, 1e3).iter().map(|&x| x as f32).collect()),
    ];
    let lists: Vec<Vec<f32>> = sequences.iter().map(|(_, terms)| terms.clone()).collect();
    let got = on_device(&lists);
    let constant = ("0.1 each, a constant", terms(0.1, 0.1, 0.1));
    for ((name, terms), got) in sequences.iter().chain([&constant]).zip(&got) {
        let (mut expected, mut largest) = (0.0_f64, 0.0_f64);
        for &x in terms {
            expected += f64::from(x);
            largest = largest.max(expected.abs());
        }
        // the head of part/sum.wgsl; f64 itself is 2⁶ times finer
        let tolerance = TERMS as f64 * 2.0_f64.powi(-47) * largest;
        let apart = (got.exact - expected).abs();
        assert!(apart <= tolerance, "{name}: {got:?}, {expected} expected, off by {apart:e}, tolerance {tolerance:e}");
        let apart = (f64::from(got.rounded) - expected).abs();
        let tolerance = tolerance + 2.0_f64.powi(-24) * expected.abs();
        assert!(apart <= tolerance, "{name}, rounded: {got:?}, {expected} expected, off by {apart:e}");
        // or the test would show nothing
        let apart = (f64::from(got.plain) - expected).abs();
        let random = matches!(*name, "random" | "about 0");
        assert!(random || apart > 1e-6 * expected.abs(), "{name}: a plain sum is off by {apart:e} only");
    }
}

#[test]
fn sums_that_are_not_finite_stay_so() {
    for (first, last) in [(f32::INFINITY, 1.0), (1.0, f32::NEG_INFINITY), (3e38, 3e38), (f32::NAN, 1.0)] {
        let got = on_device(&[terms(first, 0.1, last)]);
        assert!(!got[0].rounded.is_finite(), "{first}, 0.1, … and {last}: {:?}", got[0]);
    }
}

// ---------------------------------------------------------------- episodes

/// Steps of an episode; one f32 loses 2 % of the small rewards, or all of them.
const LIMIT: u32 = 20_000;

/// An environment whose episodes have the reward `first` once and then `rest`.
fn long(first: f32, rest: f32) -> Environment {
    let text = format!(
        "const OBSERVATION_DIM: u32 = 1u;\nconst ACTION_COUNT: u32 = 2u;\nconst MAX_EPISODE_STEPS: u32 = {LIMIT}u;\n\
         struct State {{ step: u32 }}\n\
         fn env_reset(rng: ptr<function, Rng>) -> State {{ return State(0u); }}\n\
         fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{\n\
             let first = (*s).step == 0u;\n    (*s).step += 1u;\n\
             return Outcome(select({rest:e}f, {first:e}f, first), false);\n}}\n\
         fn env_observe(s: State) -> Observation {{ return Observation(f32(s.step & 1u)); }}\n"
    );
    ok(Environment::from_source("long", "long.wgsl", &text))
}

/// First and other rewards of an episode.
const REWARDS: [(f32, f32); 2] = [(0.1, 0.1), (1e6, 0.01)];

/// The sum of an episode's rewards.
fn whole((first, rest): (f32, f32)) -> f64 {
    f64::from(first) + f64::from(LIMIT - 1) * f64::from(rest)
}

#[track_caller]
fn assert_sum(case: &str, got: f64, expected: f64) {
    let apart = (got - expected).abs();
    assert!(apart <= 1e-6 * expected.abs(), "{case}: {got}, {expected} expected, off by {apart:e}");
}

#[test]
fn random_steps_sum_long_episodes() {
    for rewards in REWARDS {
        let env = long(rewards.0, rewards.1);
        for form in forms(gpu()) {
            let gpu = gpu().clone().with_form(form);
            let kernels = Kernels::of_worlds(form, &env.spec().action_space);
            let worlds = 5;
            let stage = planned_on(&gpu, |plan| RandomSteps::new(plan, &kernels, &env, 1, worlds, LIMIT + 7));
            let mut work = Recording::default();
            work.extend(stage.reset());
            work.extend(stage.steps());
            ok(gpu.submit(&work));
            let words = ok(gpu.read(&stage.worlds));
            for world in 0..worlds as usize {
                let number =
                    |word| f64::from(f32::from_bits(words[world_word(env.word(word), world, worlds as usize)]));
                let case = format!("{form}, rewards {rewards:?}, world {world}");
                assert_sum(
                    &format!("{case}, episode that ended"),
                    number(WorldWord::EndedReturns) + number(WorldWord::EndedReturnsLow),
                    whole(rewards),
                );
                let running = f64::from(rewards.0) + 6.0 * f64::from(rewards.1);
                assert_sum(
                    &format!("{case}, running episode"),
                    number(WorldWord::Return) + number(WorldWord::ReturnLow),
                    running,
                );
            }
        }
    }
}

/// Few worlds and a small network.
fn config(algo: Algo, pairs: &[&str]) -> Config {
    let few = ["num_envs=3", "hidden=[4]", "eval_episodes=2", "eval_every=0", "norm_obs=false", "norm_reward=false"];
    let pairs: Vec<String> = few.iter().chain(pairs).map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("long", algo.name(), None, &pairs))
}

#[test]
fn evaluations_sum_long_episodes() {
    for rewards in REWARDS {
        let env = long(rewards.0, rewards.1);
        let policy = ok(Policy::untrained(&env, config(Algo::Ppo, &[])));
        // compiling a network is dear: every form once
        let forms = if rewards == REWARDS[0] { forms(gpu()) } else { vec![Form::PLAIN] };
        for form in forms {
            let returns = ok(policy.evaluate(&gpu().clone().with_form(form), 3, 1, false));
            let case = format!("{form}, rewards {rewards:?}: {returns:?}");
            assert_eq!((returns.episodes, returns.unfinished, returns.cut_off_at), (3, 0, None), "{case}");
            for got in [returns.mean, returns.min, returns.max] {
                assert_sum(&case, got, whole(rewards));
            }
        }
    }
}

/// Mean return of the episodes that ended in the last update of a run, from its metrics.
fn last_return(form: Form, env: &Environment, config: &Config) -> f64 {
    let gpu = gpu().clone().with_form(form);
    let reports: Vec<_> = ok(Trainer::new(&gpu, env, config, &[1])).map(ok).collect();
    let metrics = reports.last().unwrap().metrics.last().unwrap()[0];
    let case = format!("{form}, {}", config.algo.name());
    assert_eq!((metrics.episodes, metrics.length_sum), (3.0, 3.0 * LIMIT as f32), "{case}: episodes that ended");
    f64::from(metrics.return_sum) / 3.0
}

#[test]
fn rollouts_sum_long_episodes() {
    let total = format!("total_timesteps={}", 3 * LIMIT);
    // an episode goes on over eight updates, and each rollout over several dispatches
    let pairs = [&total, "num_steps=2500", "update_epochs=1", "num_minibatches=1"];
    for (rewards, form) in REWARDS.into_iter().zip(few_forms()) {
        let env = long(rewards.0, rewards.1);
        let got = last_return(form, &env, &config(Algo::Ppo, &pairs));
        assert_sum(&format!("{form}, rewards {rewards:?}"), got, whole(rewards));
    }
}

#[test]
fn steps_into_a_ring_sum_long_episodes() {
    let total = format!("total_timesteps={}", 3 * LIMIT);
    let start = format!("learning_starts={}", 3 * (LIMIT - 500));
    let pairs =
        [&total, &start, "num_steps=500", "train_freq=500", "gradient_steps=1", "batch_size=16", "buffer_size=65536"];
    for rewards in REWARDS {
        let env = long(rewards.0, rewards.1);
        let got = last_return(Form::PLAIN, &env, &config(Algo::Ddpg, &pairs));
        assert_sum(&format!("rewards {rewards:?}"), got, whole(rewards));
    }
}
