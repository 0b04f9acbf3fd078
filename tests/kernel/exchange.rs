//! Worlds that their caller steps and reads in one submission: both orders, many steps at once, resets of some worlds.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::{Draw, gpu, ok};
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::{Actions, AutoReset, Order, Seen, TERMINATED, TRUNCATED, WorldPool};

const WORLDS: usize = 37;
const SEED: u32 = 5;
const MODES: [AutoReset; 3] = [AutoReset::SameStep, AutoReset::NextStep, AutoReset::Disabled];

/// Two choices of which not everything is allowed, three numbers, draws within a step, ends of both kinds.
const CHOICES: &str = "
const OBSERVATION_DIM: u32 = 3u;
const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 40u);
const MAX_EPISODE_STEPS: u32 = 7u;
struct State { a: u32, b: f32, old: vec2<f32> }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_u32(rng) % 5u, rng_uniform(rng), vec2<f32>(0.5)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).a = ((*s).a + 1u + action[0]) % 5u;
    (*s).b = rng_uniform(rng) + f32(action[1]);
    (*s).old = (*s).old.yx + vec2<f32>(0.0, 1.0);
    return Outcome((*s).b, (*s).a == 3u);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.a), s.b, s.old.x); }
fn env_action_mask(s: State) -> ActionMask {
    var mask: ActionMask;
    for (var i = 0u; i < 43u; i++) { mask[i] = i < 3u || (i + s.a) % 3u != 0u; }
    mask[1] = s.a != 1u;
    return mask;
}
";

/// Two numbers between different bounds.
const NUMBERS: &str = "
const OBSERVATION_DIM: u32 = 2u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: array<f32, 2> = array<f32, 2>(-1.0, 0.0);
const ACTION_HIGH: array<f32, 2> = array<f32, 2>(1.0, 2.0);
const MAX_EPISODE_STEPS: u32 = 6u;
struct State { a: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).a += action[0] - 0.3 * action[1];
    return Outcome(action[1], abs((*s).a) > 1.5);
}
fn env_observe(s: State) -> Observation { return Observation(s.a, 2.0 * s.a); }
";

fn environments() -> Vec<Environment> {
    let own = |name: &str, text| ok(Environment::from_source(name, &format!("{name}.wgsl"), text));
    vec![ok(Environment::load("CartPole-v1")), own("Choices", CHOICES), own("Numbers", NUMBERS)]
}

fn pool(env: &Environment, auto_reset: AutoReset, order: Order) -> WorldPool {
    ok(WorldPool::with_order(gpu(), env, WORLDS as u32, SEED, auto_reset, order))
}

/// Words of actions of all worlds, `[world][component]`.
fn actions(env: &Environment, draw: &mut Draw) -> Vec<u32> {
    match &env.spec().action_space {
        ActionSpace::Box { low, high } => {
            let number = |draw: &mut Draw, i: usize| (draw.between(low[i].into(), high[i].into()) as f32).to_bits();
            (0..WORLDS).flat_map(|_| (0..low.len()).map(|i| number(draw, i)).collect::<Vec<_>>()).collect()
        }
        space => (0..WORLDS).flat_map(|_| space.counts().iter().map(|n| draw.word() % n).collect::<Vec<_>>()).collect(),
    }
}

/// `[world][k]` as `[k][world]`.
fn by_kind<T: Copy>(by_world: &[T]) -> Vec<T> {
    let of = by_world.len() / WORLDS;
    (0..of).flat_map(|k| (0..WORLDS).map(move |world| by_world[world * of + k])).collect()
}

fn given<'a>(env: &Environment, words: &'a [u32]) -> Actions<'a> {
    if env.spec().action_space.is_box() { Actions::Box(bytemuck::cast_slice(words)) } else { Actions::Discrete(words) }
}

/// What a step has left: observations, rewards, endings, masks, and final observations of worlds that ended.
#[derive(Clone, Debug, PartialEq)]
struct Left {
    observations: Vec<u32>,
    rewards: Vec<f32>,
    endings: Vec<u32>,
    masks: Vec<u32>,
    finals: Vec<(usize, Vec<f32>)>,
}

fn left(seen: &Seen) -> Left {
    let of = seen.observations.len() / seen.endings.len();
    let ended = |place: &usize| seen.endings[*place] & (TERMINATED | TRUNCATED) != 0;
    let finals = if seen.final_observations.is_empty() { 0 } else { seen.endings.len() };
    Left {
        observations: seen.observations.iter().map(|x| x.to_bits()).collect(),
        rewards: seen.rewards.to_vec(),
        endings: seen.endings.to_vec(),
        masks: seen.masks.to_vec(),
        finals: (0..finals).filter(ended).map(|p| (p, seen.final_observations[p * of..][..of].to_vec())).collect(),
    }
}

#[test]
fn both_orders_tell_the_same_of_the_same_worlds() {
    for env in environments() {
        for mode in MODES {
            let (kinds, worlds) = (pool(&env, mode, Order::ByKind), pool(&env, mode, Order::ByWorld));
            let mut draw = Draw::new(3);
            let (mut endings, same) = (0, mode == AutoReset::SameStep);
            for t in 0..40 {
                let case = format!("{}, {mode:?}, step {t}", env.name());
                let words = actions(&env, &mut draw);
                let got = ok(worlds.exchange(given(&env, &words), same, left));
                ok(kinds.step(given(&env, &by_kind(&words))));
                let of = |observations: &[f32]| -> Vec<u32> { observations.iter().map(|x| x.to_bits()).collect() };
                assert_eq!(by_kind(&got.observations), of(&ok(kinds.observations())), "{case}: observations");
                assert_eq!(got.rewards, ok(kinds.rewards()), "{case}: rewards");
                let (terminated, truncated) = (ok(kinds.terminated()), ok(kinds.truncated()));
                for world in 0..WORLDS {
                    let bit = |set: bool, bit: u32| if set { bit } else { 0 };
                    let expected = bit(terminated[world], TERMINATED) | bit(truncated[world], TRUNCATED);
                    assert_eq!(got.endings[world], expected, "{case}: ending of world {world}");
                    endings += u32::from(expected != 0);
                }
                let space = &env.spec().action_space;
                for choice in (0..space.choices()).filter(|_| space.masked()) {
                    let allowed = |world| got.masks[choice as usize / 32 * WORLDS + world] >> (choice % 32) & 1 == 1;
                    assert_eq!(
                        (0..WORLDS).map(allowed).collect::<Vec<_>>(),
                        ok(kinds.allowed(choice)),
                        "{case}: masks"
                    );
                }
                let finals = ok(kinds.final_observations());
                for (world, seen) in &got.finals {
                    let expected: Vec<f32> = finals.iter().skip(*world).step_by(WORLDS).copied().collect();
                    assert_eq!(*seen, expected, "{case}: final observation of world {world}");
                }
                assert_eq!(got.finals.len(), if same { got.endings.iter().filter(|e| **e != 0).count() } else { 0 });
                if mode == AutoReset::Disabled {
                    ok(kinds.reset_ended());
                    ok(worlds.reset_worlds(&got.endings.iter().map(|ending| *ending != 0).collect::<Vec<_>>()));
                    assert_eq!(ok(worlds.states()), ok(kinds.states()), "{case}: states behind a reset");
                }
            }
            assert!(endings > 20, "{}: {endings} endings", env.name());
        }
    }
}

#[test]
fn many_steps_are_that_many_steps_and_their_sums() {
    const STEPS: usize = 45; // more than a word of choices
    for env in environments() {
        for mode in [AutoReset::SameStep, AutoReset::NextStep] {
            let [one, each, sums] = [0, 1, 2].map(|_| pool(&env, mode, Order::ByWorld));
            let (kept, summed) = (ok(each.steps(STEPS as u32, true)), ok(sums.steps(STEPS as u32, false)));
            let packs = env.name() == "CartPole-v1" && mode == AutoReset::SameStep;
            assert_eq!(summed.packing().is_some(), packs, "{}, {mode:?}", env.name());
            let mut draw = Draw::new(7);
            for turn in 0..2 {
                let case = format!("{}, {mode:?}, turn {turn}", env.name());
                let words: Vec<Vec<u32>> = (0..STEPS).map(|_| actions(&env, &mut draw)).collect();
                let finals = mode == AutoReset::SameStep;
                let steps: Vec<Left> =
                    words.iter().map(|words| ok(one.exchange(given(&env, words), finals, left))).collect();
                let all = words.concat();
                let got = ok(each.exchange_many(&kept, given(&env, &all), left));
                let features = env.spec().observation_dim as usize;
                for (t, step) in steps.iter().enumerate() {
                    let of = |n: usize| t * WORLDS * n..(t + 1) * WORLDS * n;
                    assert_eq!(got.observations[of(features)], step.observations, "{case}: observations of step {t}");
                    assert_eq!(got.rewards[of(1)], step.rewards, "{case}: rewards of step {t}");
                    assert_eq!(got.endings[of(1)], step.endings, "{case}: endings of step {t}");
                    let own = got.finals.iter().filter(|(place, _)| place / WORLDS == t);
                    let own: Vec<_> = own.map(|(place, seen)| (place % WORLDS, seen.clone())).collect();
                    assert_eq!(own, step.finals, "{case}: final observations of step {t}");
                }
                let last = &steps[STEPS - 1];
                assert_eq!(got.masks, last.masks, "{case}: masks");
                let got = ok(sums.exchange_many(&summed, given(&env, &all), left));
                assert_eq!(got.observations, last.observations, "{case}: observations behind the sums");
                assert_eq!(got.masks, last.masks, "{case}: masks behind the sums");
                for world in 0..WORLDS {
                    let sum = steps.iter().fold(0.0, |sum: f32, step| sum + step.rewards[world]);
                    assert_eq!(got.rewards[world], sum, "{case}: rewards of world {world}");
                    let endings = steps.iter().fold(0, |all, step| all | step.endings[world]);
                    assert_eq!(got.endings[world], endings, "{case}: endings of world {world}");
                }
                assert_eq!(ok(each.states()), ok(one.states()), "{case}: states");
                assert_eq!(ok(sums.states()), ok(one.states()), "{case}: states behind the sums");
            }
        }
    }
}

/// Worlds that are reset begin their next episodes, whatever the others do; another seed begins all of them anew.
#[test]
fn some_worlds_are_reset_and_others_stay() {
    let env = &environments()[0];
    let [some, all, other] = [0, 1, 2].map(|_| pool(env, AutoReset::SameStep, Order::ByWorld));
    let (first, which) = (ok(some.states()), (0..WORLDS).map(|world| world % 3 == 1).collect::<Vec<_>>());
    for turn in 0..3 {
        ok(some.reset_worlds(&which));
        ok(all.reset_worlds(&[true; WORLDS]));
        let (got, expected) = (ok(some.states()), ok(all.states()));
        for world in 0..WORLDS {
            let expected = if which[world] { &expected[world] } else { &first[world] };
            assert_eq!(&got[world], expected, "world {world}, turn {turn}");
        }
        assert!(got != first);
    }
    let refused = some.reset_worlds(&[true; 3]).unwrap_err().to_string();
    assert!(refused.contains("a choice of 3 worlds") && refused.contains("37"), "{refused}");
    ok(other.reseed(SEED + 1));
    let fresh = ok(WorldPool::new(gpu(), env, WORLDS as u32, SEED + 1));
    assert_eq!(ok(other.states()), ok(fresh.states()));
    ok(other.reseed(SEED));
    assert_eq!(ok(other.states()), first);
}

/// How the last steps of other worlds ended is not forgotten where some are reset.
#[test]
fn a_reset_of_some_worlds_leaves_the_endings_of_others() {
    let env = &environments()[0];
    for mode in [AutoReset::NextStep, AutoReset::Disabled] {
        let [some, all] = [0, 1].map(|_| pool(env, mode, Order::ByWorld));
        let (right, mut ended) = (vec![1; WORLDS], vec![false; WORLDS]);
        while !ended.contains(&true) {
            ended = ok(all.exchange(&right, false, |seen| seen.endings.iter().map(|ending| *ending != 0).collect()));
            ok(some.step(&right));
        }
        let which: Vec<bool> = (0..WORLDS).map(|world| !ended[world] && world % 2 == 0).collect();
        ok(some.reset_worlds(&which));
        let told = ok(some.look(|seen| seen.endings.to_vec()));
        assert_eq!(told.iter().map(|ending| *ending != 0).collect::<Vec<_>>(), ended, "{mode:?}: endings");
        for pool in [&some, &all] {
            if mode == AutoReset::Disabled { ok(pool.reset_ended()) } else { ok(pool.step(&right)) }
        }
        let (got, expected) = (ok(some.states()), ok(all.states()));
        for world in (0..WORLDS).filter(|world| !which[*world]) {
            assert_eq!(got[world], expected[world], "{mode:?}: world {world}, ended {}", ended[world]);
        }
        assert!(got != expected, "{mode:?}: nothing was reset");
    }
}

/// Sums of so many steps that they are made in several dispatches, and of worlds whose loops leave no room for a word of choices.
#[test]
fn sums_go_on_from_dispatch_to_dispatch() {
    const LOOPS: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 9u;
struct State { a: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_u32(rng) % 7u); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    for (var i = 0u; i <= action; i++) { (*s).a = ((*s).a * 3u + 1u + i) % 11u; }
    return Outcome(f32((*s).a), (*s).a == 5u);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.a)); }
";
    let loops = ok(Environment::from_source("Loops", "loops.wgsl", LOOPS));
    for (env, steps) in [(&environments()[0], 4000), (&loops, 70)] {
        let [each, sums] = [0, 1].map(|_| pool(env, AutoReset::SameStep, Order::ByWorld));
        let (kept, summed) = (ok(each.steps(steps, true)), ok(sums.steps(steps, false)));
        let mut draw = Draw::new(11);
        let all: Vec<u32> = (0..steps).flat_map(|_| actions(env, &mut draw)).collect();
        let of_each = ok(each.exchange_many(&kept, &all, left));
        let of_sums = ok(sums.exchange_many(&summed, &all, left));
        for world in 0..WORLDS {
            // whole numbers, so that no order rounds
            let sum: f32 = of_each.rewards.iter().skip(world).step_by(WORLDS).sum();
            assert_eq!(of_sums.rewards[world], sum, "{}: rewards of world {world}", env.name());
            let endings = of_each.endings.iter().skip(world).step_by(WORLDS).fold(0, |all, ending| all | ending);
            assert_eq!(of_sums.endings[world], endings, "{}: endings of world {world}", env.name());
        }
        assert_eq!(ok(sums.states()), ok(each.states()), "{}: states", env.name());
        let refused = each.exchange_many(&summed, &all, |_| ()).unwrap_err().to_string();
        assert!(refused.contains("of another pool"), "{refused}");
    }
}

#[test]
fn actions_of_many_steps_are_looked_at() {
    let env = &environments()[0];
    let pool = pool(env, AutoReset::SameStep, Order::ByWorld);
    let many = ok(pool.steps(3, false));
    let told = |actions: Actions| pool.exchange_many(&many, actions, |_| ()).unwrap_err().to_string();
    let mut words = vec![1; 3 * WORLDS];
    assert!(told(Actions::Discrete(&words[1..])).contains("110 given where 111 numbers of Discrete(2)"));
    words[80] = 2;
    assert!(told(Actions::Discrete(&words)).contains("action 2 given"));
    assert!(told(Actions::Box(&[0.0; 3 * WORLDS])).contains("111 f32 given"));
    assert!(told(Actions::Packed(&[0; 3])).contains("3 packed words given where 37"));
    let packed = many.packing().unwrap();
    assert_eq!(packed.pack(&words.iter().map(|&word| word as u8).collect::<Vec<_>>(), WORLDS, 2), Err(80));
    for (steps, each) in [(0, true), (4097, true), (1_000_001, false)] {
        let refused = pool.steps(steps, each).unwrap_err().to_string();
        assert!(refused.contains(&format!("{steps} is not allowed; it must be from 1 to")), "{refused}");
    }
}
