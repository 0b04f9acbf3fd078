//! Laws of whole updates on CartPole-v1: what repeats, what is independent of what, and how often host and device
//! meet; and in a file of their own, replays in f64.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

// in this binary, because it is the same kernels that a driver without a cache would compile twice

use crate::oracle::assert_close;
use crate::support;
use crate::support::cartpole::{config, of_agent, ppo};
use crate::support::{ROUNDING, assert_bits, forms, gpu, ok};
use manyworlds::config::Config;
use manyworlds::gpu::{Gpu, Recording};
use manyworlds::layout::{Metrics, Row};

/// Runs so many updates; gives the parameters of every agent, `[agent][word]`.
fn parameters_after(updates: u32, gpu: &Gpu, config: &Config, seeds: &[u32]) -> Vec<Vec<f32>> {
    let ppo = ppo(gpu, config, seeds);
    for _ in 0..updates {
        ok(gpu.submit(ppo.update()));
    }
    let all = ok(gpu.read(&ppo.agents.parameters));
    (0..seeds.len()).map(|agent| of_agent(&all, seeds.len() as u32, agent)).collect()
}

// ---------------------------------------------------------------- repeating

#[test]
fn the_same_seed_gives_the_same_parameters_bit_for_bit_and_another_seed_others() {
    let config = config(345, 7);
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        let run = |seed: u32| parameters_after(3, &gpu, &config, &[seed]).remove(0);
        let (first, second, other) = (run(1), run(1), run(2));
        assert_bits(&format!("{form}, seed 1, second run after 3 updates"), &second, &first);
        assert!(first.iter().all(|p| p.is_finite()), "{form}, seed 1: parameters are not finite");
        let same = first.iter().zip(&other).filter(|(a, b)| a == b && **a != 0.0).count();
        assert!(same < first.len() / 10, "{form}: {same} of {} parameters of seeds 1 and 2 are equal", first.len());
    }
}

#[test]
fn three_agents_in_one_run_learn_bit_for_bit_what_each_learns_alone() {
    let config = config(345, 7);
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        let together = parameters_after(3, &gpu, &config, &[1, 2, 3]);
        for (agent, got) in together.iter().enumerate() {
            let seed = agent as u32 + 1;
            let alone = parameters_after(3, &gpu, &config, &[seed]).remove(0);
            assert_bits(&format!("{form}, agent {agent} of three, seed {seed}, after 3 updates"), got, &alone);
        }
    }
}

#[test]
fn a_world_does_not_depend_on_the_number_of_worlds_beside_it() {
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        // steps enough for endings; 345 and 66 worlds fill their last Lane differently, 64 fills a workgroup of some, and
        // of 2,100 a thread takes two where subgroups run the network together
        let steps = 31;
        let runs = [2100, 345, 64, 66].map(|worlds| {
            let ppo = ppo(&gpu, &config(worlds, steps), &[5]);
            let mut rollout = Recording::default();
            ppo.rollout.record(&mut rollout);
            ok(gpu.submit(&rollout));
            (worlds, ok(gpu.read(&ppo.batch.samples)), ok(gpu.read(&ppo.batch.observations)))
        });
        let (all, samples, observations) = &runs[0];
        let mut ended = 0;
        for (worlds, fewer_samples, fewer_observations) in &runs[1..] {
            for (t, world) in (0..steps).flat_map(|t| (0..*worlds).map(move |world| (t, world))) {
                let at = |rows: u32, worlds: u32| ((rows * steps + t) * worlds + world) as usize;
                let case = format!("{form}, seed 5, world {world} of {worlds}, step {t}");
                for row in [Row::Action, Row::LogProb, Row::Reward, Row::Ending] {
                    let (got, expected) = (fewer_samples[at(row as u32, *worlds)], samples[at(row as u32, *all)]);
                    assert_eq!(got, expected, "{case}: {row:?} has other bits than beside {all} worlds");
                }
                for feature in 0..4 {
                    let (got, expected) = (fewer_observations[at(feature, *worlds)], observations[at(feature, *all)]);
                    assert_eq!(
                        got.to_bits(),
                        expected.to_bits(),
                        "{case}: feature {feature}, {got:e} and {expected:e}"
                    );
                }
                ended += fewer_samples[at(Row::Ending as u32, *worlds)];
            }
        }
        assert!(ended > 0, "{form}: no episode ended, the example is too short");
    }
}

#[test]
fn the_ratio_is_1_in_the_first_minibatch_and_exactly_so_where_the_forward_part_is_the_same() {
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        // 346 worlds leave two lanes of four empty
        for worlds in [345, 346] {
            let config = Config { num_minibatches: 1, learning_rate: 0.01, ..config(worlds, 7) };
            // agents side by side are each what it is alone (above), in kernels of their own
            let ppo = ppo(&gpu, &config, &[1]);
            for update in 0..3 {
                ok(gpu.submit(ppo.update()));
                let m = ok(gpu.read(&ppo.metrics))[update];
                let case = format!("{form}, {worlds} worlds, seed 1, update {update}");
                let (ratio, clip) = (m.first_ratio_deviation, m.first_clip_fraction);
                // a subgroup that runs the policy together, and a workgroup with a tile, add in orders of their own
                let most = if form.units || form.tile > 0 { 1e-5 } else { 0.0 };
                assert!(
                    ratio <= most,
                    "{case}: mean |ratio - 1| of the first minibatch is {ratio:e}, at most {most:e} expected"
                );
                assert!(clip == 0.0, "{case}: clip fraction of the first minibatch is {clip:e}, exactly 0 expected");
                assert!(m.approx_kl > 0.0, "{case}: KL after the second epoch is {:e}: nothing moved", m.approx_kl);
            }
        }
    }
}

// ---------------------------------------------------------------- host and device

#[test]
fn an_update_is_one_submission_and_its_metrics_one_readback() {
    let gpu = support::open(); // counts of its own
    let config = Config { learning_rate: 1e-3, ..config(345, 7) };
    let ppo = ppo(&gpu, &config, &[1]);
    let counted = |what: &dyn Fn()| {
        let before = gpu.counts();
        what();
        let after = gpu.counts();
        (after.submissions - before.submissions, after.readbacks - before.readbacks)
    };
    let update = || ok(gpu.submit(ppo.update()));
    assert_eq!(counted(&update), (1, 0), "(submissions, readbacks) of an update");
    let read = || {
        let readback = ok(gpu.submit_and_read(ppo.update(), &[ppo.metrics.raw()]));
        let metrics = ok(readback.wait(&gpu)).take::<Metrics>(0);
        assert_eq!(metrics[1].update, 1, "number of the second update");
    };
    assert_eq!(counted(&read), (1, 1), "(submissions, readbacks) of an update whose metrics are read");
    let passes = ppo.update().passes().len();
    assert!(passes > 20, "an update of {passes} passes holds no eight minibatches");
}

#[test]
fn progress_and_metrics_count_updates_epochs_and_steps_of_adam() {
    // 345 · 7 = 2415 samples in four minibatches of 603, and one of 3
    let config = Config { total_timesteps: 4 * 2415, learning_rate: 1e-3, anneal_lr: true, ..config(345, 7) };
    let ppo = ppo(gpu(), &config, &[9]);
    for update in 0..3 {
        ok(gpu().submit(ppo.update()));
        let metrics = ok(gpu().read(&ppo.metrics))[update as usize];
        let case = format!("seed 9, update {update}");
        let counts = (metrics.update, metrics.epochs, metrics.adam_steps);
        assert_eq!(counts, (update, 2, (update + 1) * 2 * 5), "{case}: (update, epochs, steps of Adam)");
        let rate = 1e-3 * (1.0 - f64::from(update) / 4.0);
        // the rate, the quotient and the product are rounded
        assert_close(
            &format!("{case}, learning rate"),
            &[f64::from(metrics.learning_rate)],
            &[rate],
            3.0 * ROUNDING,
            0.0,
        );
    }
    let progress = ok(gpu().read(&ppo.agents.progress))[0];
    assert_eq!((progress.update, progress.epoch, progress.minibatch), (3, 0, 0), "progress after three updates");
}
