//! Running moments of observations and rewards against the reference, update by update.

// places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::{few_forms, from_bits, gpu, ok, wide};
use manyworlds::algo::OnPolicy;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::layout::{Row, TRUNCATED};
use manyworlds::reference::normaliser::{Running, discounted};

const WORLDS: usize = 67;
const STEPS: usize = 90;
const AGENTS: usize = 2;

fn config() -> Config {
    Config {
        num_envs: WORLDS as u32,
        num_steps: STEPS as u32,
        total_timesteps: 10 * (WORLDS * STEPS) as u64,
        num_minibatches: 1,
        update_epochs: 1,
        norm_obs: true,
        norm_reward: true,
        hidden: vec![6],
        eval_episodes: 3,
        ..Config::default()
    }
}

/// Pendulum is truncated after 200 steps, in the third of these rollouts.
#[test]
fn running_moments_are_those_of_all_batches_so_far() {
    let env = ok(Environment::load("Pendulum-v1"));
    for form in few_forms() {
        let gpu = gpu().clone().with_form(form);
        let ppo = ok(OnPolicy::new(&gpu, &env, &config(), &[5, 6]));
        let tail = |agent: usize| {
            let words = wide(&ok(gpu.read(&ppo.agents.parameters)));
            let stride = words.len() / AGENTS;
            words[agent * stride + ppo.layout.learned() as usize..(agent + 1) * stride].to_vec()
        };
        let mut seen = [[Running::default(); 3]; AGENTS];
        let mut rewarded = [Running::default(); AGENTS];
        let mut open = [[0.0; WORLDS]; AGENTS];
        let mut truncated = 0;
        for update in 0..3 {
            let before: Vec<Vec<f64>> = (0..AGENTS).map(tail).collect();
            ok(gpu.submit(ppo.update()));
            let observations = wide(&ok(gpu.read(&ppo.batch.observations)));
            let samples = ok(gpu.read(&ppo.batch.samples));
            let finals = from_bits(&ok(gpu.read(&ppo.batch.final_values)));
            let metrics = ok(gpu.read(&ppo.metrics));
            for agent in 0..AGENTS {
                let case = format!("{form}, update {update}, agent {agent}");
                assert!(metrics[AGENTS * update + agent].first_ratio_deviation <= 1e-5, "{case}: the ratio is not 1");
                let after = tail(agent);
                for feature in 0..3 {
                    let column = &observations[(agent * 3 + feature) * WORLDS * STEPS..][..WORLDS * STEPS];
                    let running = &mut seen[agent][feature];
                    let scale = running.scale();
                    assert_close(
                        &format!("{case}, scale of feature {feature} in the rollout"),
                        &[before[agent][4 * feature + 1]],
                        &[scale],
                        1e-5,
                        0.0,
                    );
                    *running = running.with(column);
                    let expected = [running.mean, running.scale(), running.m2, running.count];
                    assert_close(
                        &format!("{case}, feature {feature}"),
                        &after[4 * feature..][..4],
                        &expected,
                        2e-5,
                        1e-6,
                    );
                }
                let rows = samples.len() / AGENTS / (WORLDS * STEPS);
                let row = |row: Row| &samples[(agent * rows + row as usize) * WORLDS * STEPS..][..WORLDS * STEPS];
                let (rewards, endings) = (from_bits(row(Row::Reward)), row(Row::Ending));
                let mut all = vec![];
                for world in 0..WORLDS {
                    let of = |t: usize| t * WORLDS + world;
                    let its: Vec<f64> = (0..STEPS).map(|t| rewards[of(t)]).collect();
                    let ended: Vec<bool> = (0..STEPS).map(|t| endings[of(t)] != 0).collect();
                    truncated += ended.iter().filter(|ended| **ended).count();
                    let (sums, next) = discounted(&its, &ended, 0.99, open[agent][world]);
                    all.extend(sums);
                    open[agent][world] = next;
                }
                let running = &mut rewarded[agent];
                *running = running.with(&all);
                let expected = [running.mean, running.scale(), running.m2, running.count];
                assert_close(&format!("{case}, reward"), &after[12..16], &expected, 2e-5, 1e-6);

                // δ of a last step, the network's values taken as they are
                let (values, targets) = (from_bits(row(Row::Value)), from_bits(row(Row::Target)));
                let advantages = from_bits(row(Row::Advantage));
                let slots = finals.len() / AGENTS / WORLDS;
                for world in 0..WORLDS {
                    let last = (STEPS - 1) * WORLDS + world;
                    assert!(endings[last] != TRUNCATED, "{case}: the example ends an episode at the last step");
                    let next = finals[(agent * slots + slots - 1) * WORLDS + world];
                    let expected = running.reward(rewards[last]) + 0.99 * next - values[last];
                    assert_close(
                        &format!("{case}, world {world}, advantage"),
                        &[advantages[last]],
                        &[expected],
                        1e-4,
                        1e-5,
                    );
                    assert_close(
                        &format!("{case}, world {world}, target"),
                        &[targets[last]],
                        &[expected + values[last]],
                        1e-4,
                        1e-5,
                    );
                }
            }
        }
        assert!(truncated > 0, "{form}: no episode ended");
    }
}
