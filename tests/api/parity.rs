//! Environments to the letter: steps of MinAtar 1.0.15, bsuite 0.3.6 and Gymnasium 1.4.0, as recorded from them, and every
//! fact of the table in docs/environments.md.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle;
use crate::oracle::{assert_close, number, numbers};
use crate::support::{Draw, gpu, ok, wide};
use manyworlds::WorldPool;
use manyworlds::env::{ActionSpace, Environment, world_word};
use manyworlds::layout::WorldWord;
use manyworlds::pool::AutoReset;
use manyworlds::reference::env::Step;
use manyworlds::reference::env::deep_sea::DeepSea;
use manyworlds::reference::env::{breakout, catch, space_invaders};
use serde_json::Value;

/// An environment with overrides.
fn with(name: &str, values: &[(&str, f64)]) -> Environment {
    let mut env = ok(Environment::load(name));
    ok(env.set_all(values.iter().copied()));
    env
}

fn pool(env: &Environment, worlds: usize, auto_reset: AutoReset) -> WorldPool {
    ok(WorldPool::with_auto_reset(gpu(), env, worlds as u32, 5, auto_reset))
}

/// Steps every world of a pool, the actions being `[world][component]`.
fn step(pool: &WorldPool, actions: &[Vec<f64>]) {
    let turned = (0..actions[0].len()).flat_map(|c| actions.iter().map(move |action| action[c]));
    if pool.env().spec().action_space.is_box() {
        ok(pool.step(&turned.map(|a| a as f32).collect::<Vec<_>>()));
    } else {
        ok(pool.step(&turned.map(|a| a as u32).collect::<Vec<_>>()));
    }
}

/// `[world][feature]` from `[feature][world]`.
fn by_world(observations: &[f32], worlds: usize) -> Vec<Vec<f64>> {
    let of = |world| observations.iter().skip(world).step_by(worlds).map(|&x| f64::from(x)).collect();
    (0..worlds).map(of).collect()
}

/// The numbers of an array, however deep.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// A random number that no environment should draw, or whose value must not matter.
fn half() -> f64 {
    0.5
}

// ---------------------------------------------------------------- MinAtar and bsuite

/// Every step of a file, from its state: state, reward and ending exactly as recorded, and as the f64 reference has them;
/// `seen` is the observation that an entry tells of.
fn agrees(file: &str, reference: impl Fn(&[f64], &[f64]) -> Step, seen: impl Fn(&Value, usize) -> Option<Vec<f64>>) {
    let root = oracle::parity(file);
    let name = root["env"].as_str().unwrap();
    let set: Vec<(&str, f64)> = root["set_env"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_f64().unwrap()))
        .collect();
    let env = with(name, &set);
    let entries = root["transitions"].as_array().unwrap();
    let states: Vec<Vec<f64>> = entries.iter().map(|entry| numbers(entry, "state")).collect();
    let actions: Vec<Vec<f64>> = entries.iter().map(|entry| vec![number(entry, "action")]).collect();
    let pool = pool(&env, states.len(), AutoReset::Disabled);
    ok(pool.set_states(&states));
    step(&pool, &actions);
    let (after, rewards, terminated) = (ok(pool.states()), ok(pool.rewards()), ok(pool.terminated()));
    let observations = by_world(&ok(pool.final_observations()), states.len());
    let mut compared = 0;
    for (i, entry) in entries.iter().enumerate() {
        let case = format!("{file}[{i}], state {:?}, action {}", states[i], actions[i][0]);
        let (next, reward) = (numbers(entry, "next_state"), number(entry, "reward"));
        assert_eq!(after[i], next, "{case}: state");
        // −0.01/N is a rounding of f32 away from its decimals
        let ulps = if name == "DeepSea" { 1.3e-8 + f64::from(f32::EPSILON) * reward.abs() } else { 0.0 };
        assert_close(&format!("{case}: reward"), &[f64::from(rewards[i])], &[reward], 0.0, ulps);
        assert_eq!(Some(terminated[i]), entry["terminated"].as_bool(), "{case}: terminated");
        if let Some(expected) = seen(entry, observations[i].len()) {
            assert_eq!(observations[i], expected, "{case}: observation");
            compared += 1;
        }
        let plain = reference(&states[i], &actions[i]);
        assert_eq!((plain.state, plain.terminated), (next, terminated[i]), "{case}: the reference");
        assert_close(&format!("{case}: reward of the reference"), &[plain.reward], &[reward], 0.0, 1e-12);
    }
    assert!(compared == entries.len() || file.ends_with("no_ramping"), "{file}: {compared} observations");
}

/// Numbers of the observation that are 1: the list `on`.
fn on(entry: &Value, features: usize) -> Option<Vec<f64>> {
    entry.get("on")?;
    let mut observation = vec![0.0; features];
    for place in oracle::integers(entry, "on") {
        observation[place as usize] = 1.0;
    }
    Some(observation)
}

/// The observation of a `cell`, [row, column], or null after the end.
fn cell(entry: &Value, features: usize) -> Option<Vec<f64>> {
    let mut observation = vec![0.0; features];
    if let Some(place) = entry.get("cell")?.as_array() {
        observation[place[0].as_u64().unwrap() as usize] = 1.0;
        observation[features / 2 + place[1].as_u64().unwrap() as usize] = 1.0;
    }
    Some(observation)
}

#[test]
fn breakout_steps_as_in_minatar() {
    agrees("minatar_breakout", |s, a| breakout::step(s, a, &mut half), on);
}

#[test]
fn space_invaders_steps_as_in_minatar_with_ramping_and_without() {
    agrees("minatar_space_invaders", |s, a| space_invaders::step(s, a, &mut half), on);
    let steady = |s: &[f64], a: &[f64]| space_invaders::step_with(false, s, a, &mut half);
    agrees("minatar_space_invaders_no_ramping", steady, on);
}

#[test]
fn catch_steps_as_in_bsuite() {
    agrees("bsuite_catch", |s, a| catch::step(s, a, &mut half), on);
}

#[test]
fn deep_sea_steps_as_in_bsuite_at_every_size() {
    for (file, size) in [("bsuite_deep_sea", 10), ("bsuite_deep_sea_11", 11), ("bsuite_deep_sea_50", 50)] {
        agrees(file, |s, a| DeepSea { size, mapping_seed: 0 }.step(s, a), cell);
    }
}

/// Random episodes beside the reference, and the optimum of whoever swims right.
#[test]
fn deep_sea_of_any_size_and_mapping_is_as_its_reference() {
    const WORLDS: usize = 33;
    for (size, mapping_seed) in [(1, 42), (10, 42), (11, 7), (50, 0)] {
        let sea = DeepSea { size, mapping_seed };
        let env = with("DeepSea", &[("size", size as f64), ("mapping_seed", f64::from(mapping_seed))]);
        let spec = env.spec();
        assert_eq!((spec.observation_dim, spec.max_episode_steps), (2 * size as u32, size as u32 + 1));
        let pool = pool(&env, WORLDS, AutoReset::Disabled);
        let mut draw = Draw::new(size as u32);
        let mut returns = [0.0; WORLDS];
        for t in 0..size {
            let before = ok(pool.states());
            // world 0 knows the way; the others act at random
            let right = f64::from(sea.right_action(t, before[0][1] as usize));
            let actions: Vec<Vec<f64>> =
                (0..WORLDS).map(|w| vec![if w == 0 { right } else { f64::from(draw.word() % 2) }]).collect();
            step(&pool, &actions);
            let (after, rewards, terminated) = (ok(pool.states()), wide(&ok(pool.rewards())), ok(pool.terminated()));
            let seen = by_world(&ok(pool.final_observations()), WORLDS);
            for world in 0..WORLDS {
                let case = format!("{sea:?}, world {world}, step {t}");
                let expected = sea.step(&before[world], &actions[world]);
                assert_eq!(after[world], expected.state, "{case}: state");
                assert_close(&format!("{case}: reward"), &[rewards[world]], &[expected.reward], 2e-7, 0.0);
                assert_eq!(terminated[world], expected.terminated, "{case}: terminated");
                assert_eq!(terminated[world], t + 1 == size, "{case}: an episode has {size} steps");
                assert_eq!(seen[world], sea.observe(&after[world]), "{case}: observation");
                returns[world] += rewards[world];
            }
            assert_eq!(ok(pool.truncated()), [false; WORLDS], "{sea:?}: the step limit is never met");
        }
        assert_close(&format!("{sea:?}, swimming right"), &returns[..1], &[sea.optimal_return()], 1e-5, 0.0);
        assert_close(&format!("{sea:?}, optimum"), &[sea.optimal_return()], &[0.99], 0.0, 1e-9);
    }
}

/// Which action moves right is another table for each seed and size, and the same action everywhere for seed 0.
#[test]
fn deep_sea_mappings_are_tables_of_their_seed() {
    let table = |size: usize, mapping_seed: u32| -> Vec<bool> {
        let env = with("DeepSea", &[("size", size as f64), ("mapping_seed", f64::from(mapping_seed))]);
        let cells: Vec<Vec<f64>> = (0..size * size).map(|i| vec![(i / size) as f64, (i % size) as f64]).collect();
        let pool = pool(&env, cells.len(), AutoReset::Disabled);
        ok(pool.set_states(&cells));
        step(&pool, &vec![vec![1.0]; cells.len()]);
        ok(pool.rewards()).iter().map(|&reward| reward != 0.0).collect()
    };
    assert!(table(11, 0).iter().all(|&right| right), "with mapping_seed 0 action 1 moves right everywhere");
    let (one, other) = (table(50, 42), table(50, 43));
    let share = |table: &[bool]| table.iter().filter(|&&right| right).count() as f64 / table.len() as f64;
    let differ = one.iter().zip(&other).filter(|(a, b)| a != b).count() as f64 / one.len() as f64;
    // 2,500 fair coins: 5 standard deviations are 0.05
    for (what, share) in [("of 42", share(&one)), ("of 43", share(&other)), ("that differ", differ)] {
        assert!((share - 0.5).abs() < 0.05, "share of cells {what}: {share}, 0.5 expected");
    }
}

// ---------------------------------------------------------------- step limits

/// Puts every world this many steps into its episode.
fn grow_old(pool: &WorldPool, steps: u32) {
    let (n, env) = (pool.num_envs() as usize, pool.env());
    let mut words = ok(gpu().read(&pool.worlds));
    for world in 0..n {
        words[world_word(env.word(WorldWord::Length), world, n)] = steps;
    }
    gpu().write(&pool.worlds, &words);
}

#[test]
fn the_step_limit_of_any_environment_can_be_changed_and_lifted() {
    // its own, gymnax's, one step, none; of an override and of a const
    for (name, limits) in [("Breakout", &[2_500, 1_000, 1, 0][..]), ("Pendulum-v1", &[200, 7, 0])] {
        let own = limits[0];
        for &limit in limits {
            let env = if limit == own {
                ok(Environment::load(name))
            } else {
                with(name, &[("MAX_EPISODE_STEPS", f64::from(limit))])
            };
            assert_eq!(env.spec().max_episode_steps, limit, "{name}");
            let pool = pool(&env, 3, AutoReset::Disabled);
            let ages = if limit == 0 { [own - 1, own, 500_000] } else { [limit.saturating_sub(2), limit - 1, limit] };
            for age in ages {
                grow_old(&pool, age);
                step(&pool, &vec![vec![0.0]; 3]);
                let expected = limit > 0 && age + 1 >= limit;
                let case = format!("{name}, limit {limit}, step {} of an episode", age + 1);
                assert_eq!(ok(pool.truncated()), [expected; 3], "{case}: truncated");
                assert_eq!(ok(pool.terminated()), [false; 3], "{case}: terminated");
            }
        }
    }
}

// ---------------------------------------------------------------- automatic reset

/// CartPole whose episodes all begin in one state, with another step limit: what the file was recorded from.
fn fixed_cartpole(root: &Value) -> Environment {
    let start: Vec<String> = numbers(root, "start").iter().map(|x| format!("{x:?}")).collect();
    let text = ok(Environment::load("CartPole-v1")).text().to_owned();
    let from = text.find("fn env_reset").unwrap();
    let to = from + text[from..].find("\n}\n").unwrap() + 3;
    let reset = format!("fn env_reset(rng: ptr<function, Rng>) -> State {{ return State({}); }}\n", start.join(", "));
    let text = format!("{}{reset}{}", &text[..from], &text[to..]);
    let mut env = ok(Environment::from_source("FixedStart", "fixed_start.wgsl", &text));
    ok(env.set("MAX_EPISODE_STEPS", number(root, "limit")));
    env
}

#[test]
fn the_three_modes_of_automatic_reset_are_those_of_gymnasium() {
    let root = oracle::autoreset();
    let env = fixed_cartpole(&root);
    let modes =
        [("next_step", AutoReset::NextStep), ("same_step", AutoReset::SameStep), ("disabled", AutoReset::Disabled)];
    for (mode, auto_reset) in modes {
        let record = &root["modes"][mode];
        let worlds = record["first"].as_array().unwrap().len();
        let pool = pool(&env, worlds, auto_reset);
        // twelve steps of 1e-6
        let close =
            |case: &str, got: Vec<Vec<f64>>, expected: &[f64]| assert_close(case, &got.concat(), expected, 0.0, 1e-5);
        close(&format!("{mode}, first"), by_world(&ok(pool.observations()), worlds), &numbers(record, "first"));
        let mut endings = 0;
        for (t, recorded) in record["steps"].as_array().unwrap().iter().enumerate() {
            let case = format!("{mode}, step {t}");
            step(&pool, &numbers(recorded, "actions").iter().map(|&action| vec![action]).collect::<Vec<_>>());
            let list = |name: &str| -> Vec<bool> {
                recorded[name].as_array().unwrap().iter().map(|flag| flag.as_bool().unwrap()).collect()
            };
            let (terminated, truncated) = (list("terminated"), list("truncated"));
            assert_eq!(ok(pool.terminated()), terminated, "{case}: terminated");
            assert_eq!(ok(pool.truncated()), truncated, "{case}: truncated");
            assert_eq!(wide(&ok(pool.rewards())), numbers(recorded, "rewards"), "{case}: rewards");
            let seen = by_world(&ok(pool.observations()), worlds);
            close(&format!("{case}, observations"), seen.clone(), &numbers(recorded, "observations"));
            let last = by_world(&ok(pool.final_observations()), worlds);
            for world in (0..worlds).filter(|&world| terminated[world] || truncated[world]) {
                endings += 1;
                // the last observation of an episode: in info["final_obs"], or the one that was returned
                let expected = match recorded.get("final_observations") {
                    Some(list) => flat(&list[world]),
                    None => seen[world].clone(),
                };
                let case = format!("{case}, world {world}, final observation");
                assert_close(&case, &last[world], &expected, 0.0, 1e-5);
            }
            if auto_reset == AutoReset::Disabled {
                ok(pool.reset_ended());
                if recorded.get("after_reset").is_some() {
                    let seen = by_world(&ok(pool.observations()), worlds);
                    close(&format!("{case}, after the reset"), seen, &numbers(recorded, "after_reset"));
                }
            }
        }
        assert!(endings >= 10, "{mode}: {endings} endings");
    }
}

/// With the same draws, next-step worlds live through the same episodes as same-step worlds, and spend a step on each reset.
#[test]
fn next_step_worlds_have_the_episodes_of_same_step_worlds() {
    const WORLDS: usize = 17;
    for name in ["CartPole-v1", "Catch", "Breakout"] {
        let env = ok(Environment::load(name));
        let choices = env.spec().action_space.choices();
        // the action of a step of a world's life, however long its resets take
        let action = |world: usize, lived: u32| f64::from((lived * 7 + lived / 3 + world as u32 * 5) % choices);
        let mut lives: Vec<Vec<Vec<String>>> = Vec::new();
        for auto_reset in [AutoReset::SameStep, AutoReset::NextStep] {
            let pool = pool(&env, WORLDS, auto_reset);
            let mut life = vec![Vec::new(); WORLDS];
            let mut lived = [0; WORLDS];
            let mut resets = [false; WORLDS];
            let mut first = by_world(&ok(pool.observations()), WORLDS);
            for t in 0..60 {
                let actions: Vec<Vec<f64>> = (0..WORLDS)
                    // an ignored action: any
                    .map(|w| vec![if resets[w] { f64::from(t % choices) } else { action(w, lived[w]) }])
                    .collect();
                step(&pool, &actions);
                let rewards = ok(pool.rewards());
                let (terminated, truncated) = (ok(pool.terminated()), ok(pool.truncated()));
                let (seen, last) =
                    (by_world(&ok(pool.observations()), WORLDS), by_world(&ok(pool.final_observations()), WORLDS));
                for world in 0..WORLDS {
                    let case = format!("{name}, {auto_reset:?}, world {world}, step {t}");
                    let ended = terminated[world] || truncated[world];
                    if resets[world] {
                        assert_eq!((rewards[world], ended), (0.0, false), "{case}: a reset");
                        first[world] = seen[world].clone();
                    } else {
                        let (reward, first) = (rewards[world], &first[world]);
                        life[world].push(format!("{first:?} {reward} {ended} {:?}", last[world]));
                        lived[world] += 1;
                    }
                    if ended && auto_reset == AutoReset::SameStep {
                        first[world] = seen[world].clone();
                    }
                    resets[world] = ended && auto_reset == AutoReset::NextStep;
                }
            }
            lives.push(life);
        }
        for world in 0..WORLDS {
            let (same, next) = (&lives[0][world], &lives[1][world]);
            assert_eq!(same[..next.len()], next[..], "{name}: world {world}'s life");
        }
        let spent: usize = (0..WORLDS).map(|world| 60 - lives[1][world].len()).sum();
        assert!(spent > WORLDS, "{name}: {spent} resets in next-step worlds");
    }
}

/// A reset of next-step worlds that the caller does not wait for, and one that there is no cause for.
#[test]
fn reset_ended_and_reset_go_with_next_step_worlds() {
    let env = ok(Environment::load("TwoAction")); // every step ends
    let pool = pool(&env, 3, AutoReset::NextStep);
    step(&pool, &vec![vec![0.0]; 3]);
    assert_eq!(ok(pool.terminated()), [true; 3]);
    ok(pool.reset_ended());
    step(&pool, &vec![vec![0.0]; 3]);
    assert_eq!(
        (ok(pool.terminated()), ok(pool.rewards())),
        (vec![true; 3], vec![1.0; 3]),
        "reset_ended saves the step"
    );
    ok(pool.reset());
    step(&pool, &vec![vec![0.0]; 3]);
    assert_eq!((ok(pool.terminated()), ok(pool.rewards())), (vec![true; 3], vec![1.0; 3]), "reset forgets endings");
    step(&pool, &vec![vec![0.0]; 3]);
    assert_eq!((ok(pool.terminated()), ok(pool.rewards())), (vec![false; 3], vec![0.0; 3]), "a step is spent");
}

// ---------------------------------------------------------------- the table of docs/environments.md

/// The steps at walls, goals and bounds of one of Gymnasium's environments, which must be as recorded.
fn edges_are_gymnasiums(name: &str, close: f64) -> Vec<oracle::Transition> {
    let root = oracle::edges();
    let transitions = oracle::transitions(&root, name);
    let env = ok(Environment::load(name));
    let pool = pool(&env, transitions.len(), AutoReset::Disabled);
    ok(pool.set_states(&transitions.iter().map(|t| t.state.clone()).collect::<Vec<_>>()));
    step(&pool, &transitions.iter().map(|t| t.action.clone()).collect::<Vec<_>>());
    let (states, rewards, terminated) = (ok(pool.states()), wide(&ok(pool.rewards())), ok(pool.terminated()));
    let seen = by_world(&ok(pool.observations()), transitions.len());
    for (i, t) in transitions.iter().enumerate() {
        let case = format!("{name}, {:?}, action {:?}", t.state, t.action);
        assert_close(&format!("{case}: state"), &states[i], &t.next_state, 0.0, close);
        assert_close(&format!("{case}: observation"), &seen[i], &t.observation, 0.0, close);
        assert_close(&format!("{case}: reward"), &[rewards[i]], &[t.reward], 1e-6, 1e-6);
        assert_eq!(terminated[i], t.terminated, "{case}: terminated");
    }
    assert_eq!(f64::from(env.spec().max_episode_steps), root["limits"][name].as_f64().unwrap(), "{name}: step limit");
    transitions
}

#[test]
fn cartpole_ends_at_its_limits_with_reward_1() {
    let steps = edges_are_gymnasiums("CartPole-v1", 1e-6);
    assert!(steps.iter().any(|t| t.terminated) && steps.iter().any(|t| !t.terminated));
    assert!(steps.iter().all(|t| t.reward == 1.0), "the file: every step is worth 1, the last one too");
}

#[test]
fn mountain_car_stops_at_the_wall_and_arrives_moving_right() {
    let steps = edges_are_gymnasiums("MountainCar-v0", 1e-6);
    assert!(steps.iter().any(|t| t.next_state[0] >= 0.5 && !t.terminated), "the file: past the goal on the way back");
}

#[test]
fn mountain_car_continuous_stops_at_the_wall_and_arrives_moving_right() {
    let steps = edges_are_gymnasiums("MountainCarContinuous-v0", 1e-6);
    let back = steps.iter().filter(|t| t.next_state[0] >= 0.45 && t.next_state[1] < 0.0);
    assert!(back.clone().count() > 0 && back.clone().all(|t| !t.terminated && t.reward <= 0.0), "the file");
    // along the wall: it takes the velocity, and the car leaves at once
    let states = &oracle::edges()["along_the_wall"];
    let recorded = flat(states).chunks(2).map(<[f64]>::to_vec).collect::<Vec<_>>();
    let pool = pool(&ok(Environment::load("MountainCarContinuous-v0")), 1, AutoReset::Disabled);
    ok(pool.set_states(&recorded[..1]));
    for (t, expected) in recorded[1..].iter().enumerate() {
        step(&pool, &[vec![1.0]]);
        assert_close(&format!("along the wall, step {t}"), &ok(pool.states())[0], expected, 0.0, 1e-6);
        assert!(t != 0 || expected[1] == 0.0, "the file: the first step stops at the wall");
    }
}

#[test]
fn pendulum_moves_by_the_clipped_speed() {
    let steps = edges_are_gymnasiums("Pendulum-v1", 4e-6);
    let fast: Vec<_> = steps.iter().filter(|t| t.next_state[1].abs() == 8.0).collect();
    assert!(fast.len() >= 4, "the file: {} steps at the bound", fast.len());
    for t in fast {
        assert_close("the file: 0.05 s at 8", &[(t.next_state[0] - t.state[0]).abs()], &[0.4], 0.0, 1e-6);
    }
}

#[test]
fn acrobot_ends_with_reward_0() {
    let steps = edges_are_gymnasiums("Acrobot-v1", 2e-5);
    assert!(steps.iter().any(|t| t.terminated) && steps.iter().any(|t| !t.terminated));
    assert!(steps.iter().all(|t| t.reward == if t.terminated { 0.0 } else { -1.0 }), "the file");
}

/// What the table says of spaces, defaults and resets.
#[test]
fn spaces_limits_and_resets_are_as_the_table_says() {
    let discrete = |name: &str| match ok(Environment::load(name)).spec().action_space {
        ActionSpace::Discrete { count, .. } => count,
        _ => 0,
    };
    assert_eq!(["Breakout", "SpaceInvaders", "Catch", "DeepSea"].map(discrete), [3, 4, 3, 2]);
    assert_eq!(ok(Environment::load("Breakout")).spec().observation_dim, 4 * 10 * 10);
    assert_eq!(ok(Environment::load("SpaceInvaders")).spec().observation_dim, 6 * 10 * 10);
    for name in ["Breakout", "SpaceInvaders"] {
        let env = ok(Environment::load(name));
        let sticky = env.overrides().iter().find(|known| known.name == "sticky_action_prob").unwrap();
        assert_eq!(sticky.value, 0.1, "{name}");
        // gymnax's: no sticky actions, 1,000 steps
        let gymnax = with(name, &[("sticky_action_prob", 0.0), ("MAX_EPISODE_STEPS", 1_000.0)]);
        assert_eq!(gymnax.spec().max_episode_steps, 1_000, "{name}");
        // the last action is 0 after a reset
        let last = env.state_fields().iter().position(|field| field.name == "last_action").unwrap();
        let pool = pool(&env, 4, AutoReset::Disabled);
        step(&pool, &vec![vec![2.0]; 4]);
        ok(pool.reset());
        assert!(ok(pool.states()).iter().all(|state| state[last] == 0.0), "{name}: last action after a reset");
    }
    // Pendulum begins anywhere on its circle, at speeds up to 1
    let pool = pool(&ok(Environment::load("Pendulum-v1")), 4096, AutoReset::Disabled);
    let states = ok(pool.states());
    for (word, bound) in [(0, std::f64::consts::PI), (1, 1.0)] {
        let largest = states.iter().map(|state| state[word].abs()).fold(0.0, f64::max);
        assert!(largest <= bound && largest > 0.99 * bound, "Pendulum, word {word}: up to {largest}, {bound} expected");
    }
}

/// The page of environments has a row for each, with what it declares.
#[test]
fn the_page_of_environments_tells_the_truth() {
    let page = include_str!("../../docs/environments.md");
    for name in Environment::names() {
        let env = ok(Environment::load(name));
        let spec = env.spec();
        let row =
            page.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap_or_else(|| panic!("{name}"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[2].split(':').next(), Some(spec.observation_dim.to_string().as_str()), "{name}: observation");
        assert_eq!(cells[3], spec.action_space.to_string(), "{name}: actions");
        assert_eq!(cells[4], spec.max_episode_steps.to_string(), "{name}: limit");
        let threshold = spec.reward_threshold.map_or("–".to_owned(), |threshold| threshold.to_string());
        assert_eq!(cells[5], threshold, "{name}: threshold");
        let mut overrides: Vec<String> = env
            .overrides()
            .iter()
            .filter(|known| known.name != "MAX_EPISODE_STEPS")
            .map(|known| format!("`{}` {}", known.name, known.value))
            .collect();
        overrides.sort();
        let expected = if overrides.is_empty() { "–".to_owned() } else { overrides.join(", ") };
        assert_eq!(cells[7], expected, "{name}: overrides");
    }
}
