//! Random steps: against the reference, and what must not change them.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::support::{forms, gpu, ok, planned_on};
use manyworlds::env::{Environment, world_word};
use manyworlds::gpu::{Form, Recording};
use manyworlds::kernels::Kernels;
use manyworlds::layout::{STREAM_TRAINING, WorldWord};
use manyworlds::reference::cartpole;
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::stage::RandomSteps;

/// Words of a world of CartPole's, whose state has four.
const EPISODE_LENGTH: usize = 4 + WorldWord::Length as usize;
const STEPS: usize = 4 + WorldWord::Steps as usize;
const BEGUN: usize = 4 + WorldWord::Begun as usize;
const EPISODES: usize = 4 + WorldWord::Ended as usize;

/// Words of all worlds, `[vec4][world]`, after dispatches of so many steps.
fn stepped(env: &Environment, form: Form, seed: u32, worlds: u32, dispatches: &[u32]) -> Vec<u32> {
    let gpu = gpu().clone().with_form(form);
    let kernels = Kernels::of_worlds(form, &env.spec().action_space);
    let mut work = Recording::default();
    let mut first: Option<RandomSteps> = None;
    for &steps in dispatches {
        let stage = planned_on(&gpu, |plan| RandomSteps::new(plan, &kernels, env, seed, worlds, steps));
        if let Some(first) = &first {
            // go on with the worlds of the first stage
            let words = ok(gpu.read(&first.worlds));
            gpu.write(&stage.worlds, &words);
            ok(gpu.submit(stage.steps()));
            let words = ok(gpu.read(&stage.worlds));
            gpu.write(&first.worlds, &words);
        } else {
            work.extend(stage.reset());
            work.extend(stage.steps());
            ok(gpu.submit(&work));
            first = Some(stage);
        }
    }
    ok(gpu.read(&first.unwrap().worlds))
}

#[test]
fn random_steps_agree_with_the_reference() {
    const WORLDS: u32 = 345;
    const COUNT: u32 = 150; // past the 128 steps that a call of the generator serves
    let env = ok(Environment::load("CartPole-v1"));
    for form in forms(gpu()) {
        let seed = 901;
        let words = stepped(&env, form, seed, WORLDS, &[COUNT]);
        let (mut ended, mut unclear) = (0, 0);
        for world in 0..WORLDS {
            let case = format!("{form}, seed {seed}, world {world}");
            let first = |begun: u32| {
                philox4x32_10([world, begun, 0, 0], [seed, STREAM_TRAINING]).map(|word| 0.1 * uniform(word) - 0.05)
            };
            let (mut state, mut begun, mut length) = (first(0), 1, 0u32);
            let mut counts = [0.0f64; 4];
            let mut close = false;
            for t in 0..COUNT {
                // one bit an action, 32 to a word, 128 to a call: purpose 1
                let call = philox4x32_10([world, t / 128, 1, 0], [seed, STREAM_TRAINING]);
                let action = call[(t / 32 % 4) as usize] >> (t % 32) & 1;
                let step = cartpole::step(state, action);
                let near = |x: f64, limit: f64| (x.abs() - limit).abs() <= 2e-5;
                close |= near(step.state[0], cartpole::POSITION_LIMIT) || near(step.state[2], cartpole::ANGLE_LIMIT);
                length += 1;
                state = step.state;
                if step.terminated {
                    let counted = [1.0, f64::from(length), f64::from(length), 1.0];
                    counts.iter_mut().zip(counted).for_each(|(sum, x)| *sum += x);
                    (state, length) = (first(begun), 0);
                    begun += 1;
                    ended += 1;
                }
            }
            if close {
                unclear += 1;
                continue; // rounding decides when the episode ends
            }
            let word = |word: usize| words[world_word(word, world as usize, WORLDS as usize)];
            let float = |at: usize| f64::from(f32::from_bits(word(at)));
            assert_eq!(word(STEPS), COUNT, "{case}: steps");
            assert_eq!(word(BEGUN), begun, "{case}: episodes begun");
            assert_eq!(word(EPISODE_LENGTH), length, "{case}: length of the running episode");
            for (i, expected) in counts.iter().enumerate() {
                assert_eq!(float(EPISODES + i), *expected, "{case}: count {i} of the episodes");
            }
            for (i, expected) in state.iter().enumerate() {
                // an episode of some 20 steps in f32, each of which may double an error of 1e-7 or so; endings within 2e-5 of a limit were passed over
                let apart = (float(i) - expected).abs();
                assert!(apart <= 1e-4, "{case}: state[{i}] is {}, {expected} expected", float(i));
            }
        }
        assert!(ended > 10 * WORLDS / 4, "{form}: only {ended} episodes ended");
        assert!(unclear < WORLDS / 20, "{form}: {unclear} worlds were too close to tell");
    }
}

#[test]
fn random_steps_depend_on_neither_dispatches_nor_neighbours_nor_form() {
    // an environment whose episodes last one to three steps ends several times in a run; one with three actions takes
    // a word for each
    let short = "\
        const OBSERVATION_DIM: u32 = 1u;\nconst ACTION_COUNT: u32 = 3u;\nconst MAX_EPISODE_STEPS: u32 = 3u;\n\
        struct State { sum: f32, left: u32 }\n\
        fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng), 1u + rng_u32(rng) % 3u); }\n\
        fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {\n\
            (*s).sum += f32(action) + rng_uniform(rng);\n    (*s).left -= 1u;\n\
            return Outcome((*s).sum, (*s).left == 0u);\n}\n\
        fn env_observe(s: State) -> Observation { return Observation(s.sum); }\n";
    let environments =
        [ok(Environment::load("CartPole-v1")), ok(Environment::from_source("short", "short.wgsl", short))];
    for env in &environments {
        let base = stepped(env, Form::PLAIN, 902, 67, &[145]);
        let words = base.len() / 67;
        let ended = |world| f32::from_bits(base[world_word(env.word(WorldWord::Ended), world, 67)]) > 0.0;
        assert!((0..67).any(ended), "no episode ended");
        for form in forms(gpu()) {
            for (worlds, dispatches) in [(67, &[145][..]), (67, &[3, 13, 112, 17]), (130, &[145])] {
                let case = format!("{}, {form}, {worlds} worlds, dispatches of {dispatches:?} steps", env.name());
                let got = stepped(env, form, 902, worlds, dispatches);
                for world in 0..67 {
                    for word in 0..words {
                        let (got, expected) =
                            (got[world_word(word, world, worlds as usize)], base[world_word(word, world, 67)]);
                        assert_eq!(got, expected, "{case}: word {word} of world {world}");
                    }
                }
            }
        }
    }
}
