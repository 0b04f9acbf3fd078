//! Laws that hold for every algorithm of the policy-gradient family: nothing waits for the host, runs repeat, agents do not see
//! each other, and each part of an update changes what it should and nothing else.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support;
use crate::support::{gpu, ok};
use manyworlds::Error;
use manyworlds::algo::OnPolicy;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::gpu::Gpu;
use manyworlds::kernels::{Estimator, Importance};
use manyworlds::layout::{Metrics, Row};

/// Small, with sizes that divide nothing.
fn config(algo: Algo, pairs: &[&str]) -> Config {
    let small = ["num_envs=37", "num_steps=21", "total_timesteps=7770", "hidden=[8, 8]", "eval_episodes=3"];
    let plain = ["norm_obs=false", "norm_reward=false"];
    let pairs: Vec<String> = small.iter().chain(&plain).chain(pairs).map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("none", algo.name(), None, &pairs))
}

/// The algorithms that learn from rollouts; tests/law/off_policy.rs has the others.
fn of_rollouts() -> impl Iterator<Item = Algo> {
    Algo::ALL.into_iter().filter(|algo| algo.is_on_policy())
}

/// One configuration for each way through an update.
fn family() -> Vec<(String, Config)> {
    let mut all: Vec<(String, Config)> =
        of_rollouts().map(|algo| (algo.name().to_owned(), config(algo, &[]))).collect();
    for estimator in Estimator::ALL {
        let name = format!("estimator={}", estimator.name());
        all.push((format!("reinforce {name}"), config(Algo::Reinforce, &[&name])));
    }
    for importance in [Importance::Full, Importance::PerDecision] {
        let name = format!("importance={}", importance.name());
        let pairs = ["reuse=2", &name, "estimator=reward-to-go"];
        all.push((format!("reinforce reuse {name}"), config(Algo::Reinforce, &pairs)));
    }
    all.push(("trpo, every fifth".to_owned(), config(Algo::Trpo, &["fisher_subsample=0.2", "estimator=td-residual"])));
    all
}

fn agents(gpu: &Gpu, config: &Config, seeds: &[u32]) -> OnPolicy {
    ok(OnPolicy::new(gpu, &ok(Environment::load("CartPole-v1")), config, seeds))
}

/// Parameters after some updates, `[agent][word]`, and metrics of the last one, `[agent]`.
fn after(config: &Config, seeds: &[u32], updates: usize) -> (Vec<f32>, Vec<Metrics>) {
    let agents = agents(gpu(), config, seeds);
    for _ in 0..updates {
        ok(gpu().submit(agents.update()));
    }
    let metrics = ok(gpu().read(&agents.metrics));
    (ok(gpu().read(&agents.agents.parameters)), metrics[(updates - 1) * seeds.len()..][..seeds.len()].to_vec())
}

#[test]
fn updates_never_wait_for_the_host() {
    let gpu = support::open(); // counts of its own
    for (name, config) in family() {
        let agents = agents(&gpu, &config, &[1]);
        let before = gpu.counts();
        ok(gpu.submit(agents.update()));
        let now = gpu.counts();
        let counts = (now.submissions - before.submissions, now.readbacks - before.readbacks);
        assert_eq!(counts, (1, 0), "{name}: (submissions, readbacks) of an update");
    }
}

#[test]
fn runs_repeat_and_agents_do_not_see_each_other() {
    for (name, config) in family() {
        let (alone, metrics) = after(&config, &[5], 3);
        assert_eq!(alone, after(&config, &[5], 3).0, "{name}: the same seed twice");
        assert!(alone.iter().all(|word| word.is_finite()), "{name}: parameters");
        let (two, _) = after(&config, &[9, 5], 3);
        assert_eq!(alone, two[two.len() / 2..], "{name}: alone, and beside another agent");
        assert_eq!(metrics[0].update, 2, "{name}");
        assert!(metrics[0].episodes > 0.0, "{name}: no episode has ended");
    }
}

/// The policy's step moves the policy and the fit the values; without a critic there is none.
#[test]
fn values_are_fitted_apart_from_the_policy() {
    for (name, config) in family().into_iter().filter(|(_, config)| !matches!(config.algo, Algo::Ppo | Algo::A2c)) {
        let agents = agents(gpu(), &config, &[3]);
        let first = ok(gpu().read(&agents.agents.parameters));
        ok(gpu().submit(agents.update()));
        let moved: Vec<bool> =
            first.iter().zip(&ok(gpu().read(&agents.agents.parameters))).map(|(a, b)| a != b).collect();
        let networks = agents.layout.networks();
        assert_eq!(networks.len(), if config.estimator.has_critic() { 2 } else { 1 }, "{name}: networks");
        for (n, network) in networks.iter().enumerate() {
            let span = agents.layout.span([n]);
            let words = &moved[4 * span.first as usize..][..4 * span.count as usize];
            assert!(words.iter().any(|&moved| moved), "{name}: {} has not moved", network.name());
        }
        let metrics: Metrics = ok(gpu().read(&agents.metrics))[0];
        assert_eq!(
            metrics.value_loss > 0.0,
            config.estimator.has_critic(),
            "{name}: value loss {}",
            metrics.value_loss
        );
        // the policy's one step, whatever the fit has made
        let steps = if matches!(config.algo, Algo::Npg | Algo::Trpo) { 1 } else { metrics.adam_steps };
        assert_eq!((metrics.epochs, steps), (1, 1), "{name}: epochs and steps of the policy");
    }
    // a rate of 0 is refused; the smallest there is leaves the values where they are
    let config = config(Algo::Trpo, &["value_learning_rate=1e-30"]);
    let agents = agents(gpu(), &config, &[3]);
    let first = ok(gpu().read(&agents.agents.parameters));
    ok(gpu().submit(agents.update()));
    let now = ok(gpu().read(&agents.agents.parameters));
    let critic = 4 * agents.layout.span([1]).first as usize;
    let most = first[critic..].iter().zip(&now[critic..]).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(most < 1e-20, "values that are not fitted have moved by {most:e}");
    assert_ne!(first[..critic], now[..critic], "a policy beside them");
}

#[test]
fn a_trust_region_is_kept() {
    for (delta, pairs) in
        [(0.01, &[][..]), (0.003, &["fisher_subsample=0.25"]), (0.05, &["cg_iters=3", "damping=0.01"])]
    {
        let mut pairs = pairs.to_vec();
        let name = format!("delta={delta}");
        pairs.push(&name);
        let agents = agents(gpu(), &config(Algo::Trpo, &pairs), &[1, 2]);
        let mut taken = 0;
        for update in 0..8 {
            ok(gpu().submit(agents.update()));
            for (agent, m) in ok(gpu().read(&agents.metrics))[2 * update..][..2].iter().enumerate() {
                let case = format!("{pairs:?}, agent {agent}, update {update}: {m:?}");
                assert!(f64::from(m.kl) <= delta, "{case}");
                assert!((0.0..1.0).contains(&m.cg_residual) && m.line_search_steps >= 1, "{case}");
                if m.kl > 0.0 {
                    taken += 1;
                    assert!(m.improvement > 0.0 && m.expected_improvement > 0.0, "{case}");
                    // to first order the gain is what the gradient says
                    assert!(m.improvement < 2.0 * m.expected_improvement, "{case}");
                } else {
                    assert_eq!(m.improvement, 0.0, "{case}");
                }
            }
        }
        assert!(taken >= 12, "{pairs:?}: {taken} steps of 16 were taken");
    }
}

/// CartPole begins within ±0.05 of its middle, and leaves that in a few steps.
#[test]
fn fresh_episodes_begin_with_every_rollout() {
    for (fresh, inside) in [("fresh_episodes=true", true), ("fresh_episodes=false", false)] {
        let agents = agents(gpu(), &config(Algo::Reinforce, &[fresh, "num_steps=5"]), &[4]);
        let mut seen = Vec::new();
        for _ in 0..2 {
            ok(gpu().submit(agents.update()));
            // the first step of every world, feature by feature
            let observations = ok(gpu().read(&agents.batch.observations));
            seen.push(
                observations.chunks_exact(37 * 5).flat_map(|feature| feature[..37].to_vec()).collect::<Vec<f32>>(),
            );
        }
        let all_inside = seen[1].iter().all(|x| x.abs() <= 0.05);
        assert_eq!(all_inside, inside, "{fresh}: the second rollout's first observations");
        assert_ne!(seen[0], seen[1], "{fresh}: two rollouts that begin alike");
    }
}

/// The newest rollout takes the place of the oldest, and the others stay as they are.
#[test]
fn older_rollouts_stay_in_the_batch() {
    let agents = agents(gpu(), &config(Algo::Reinforce, &["reuse=2"]), &[4]);
    let log_probs = || {
        let samples = ok(gpu().read(&agents.batch.samples));
        let batch = 3 * 37 * 21;
        let row = &samples[Row::LogProb as usize * batch..][..batch];
        let of = |slot: usize| row.chunks_exact(3 * 37).flat_map(|step| step[37 * slot..][..37].to_vec()).collect();
        [0, 1, 2].map(of) as [Vec<u32>; 3]
    };
    let mut before = log_probs();
    for update in 0..5_usize {
        ok(gpu().submit(agents.update()));
        let now = log_probs();
        for slot in 0..3 {
            assert_eq!(now[slot] != before[slot], slot == update % 3, "update {update}, place {slot}");
        }
        let metrics: Metrics = ok(gpu().read(&agents.metrics))[update];
        let samples = 37.0 * 21.0 * (update + 1).min(3) as f32;
        let effective = metrics.effective_samples;
        assert!(
            effective > 0.5 * samples && effective <= 1.0001 * samples,
            "update {update}: {effective} of {samples}"
        );
        // the first batch is the policy's own
        if update == 0 {
            assert!(effective > 0.9999 * samples, "{effective} of {samples}");
        }
        before = now;
    }
}

/// An algorithm, settings of all agents, and those of the second and the third.
type Case<'a> = (Algo, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

/// Agents of one launch may have numbers of their own: each is then what it is alone, bit for bit.
#[test]
fn agents_with_numbers_of_their_own_learn_what_each_learns_alone() {
    let reuse = ["reuse=2", "fresh_episodes=true", "estimator=reward-to-go", "norm_adv=false", "ent_coef=0"];
    let each: [Case; 5] = [
        (
            Algo::Ppo,
            &[],
            &["learning_rate=0.002", "clip_coef=0.1", "ent_coef=0.05", "gamma=0.9", "gae_lambda=0.8", "vf_coef=0.9"],
            &["max_grad_norm=0.1", "target_kl=0.0005", "learning_rate=0.01"],
        ),
        (Algo::Ppo, &["penalty=kl"], &["kl_coef=0.3"], &["kl_target=0.0001", "kl_coef=2"]),
        (Algo::A2c, &[], &["ent_coef=0.1"], &["learning_rate=0.01", "max_grad_norm=0"]),
        (Algo::Trpo, &[], &["value_learning_rate=0.01"], &["gamma=0.95"]),
        (Algo::Reinforce, &reuse, &["importance_clip=1.5", "gamma=0.9"], &["learning_rate=0.01"]),
    ];
    for (algo, all, first, second) in each {
        let name = algo.name();
        let configs = [&[][..], first, second].map(|own| config(algo, &[all, own].concat()));
        let env = ok(Environment::load("CartPole-v1"));
        let agents = ok(OnPolicy::of_each(gpu(), &env, &configs, &[3, 4, 3]));
        let others = configs.iter().zip([3, 4, 3]);
        let alone: Vec<OnPolicy> =
            others.map(|(config, seed)| ok(OnPolicy::new(gpu(), &env, config, &[seed]))).collect();
        for update in 0..3 {
            ok(gpu().submit(agents.update()));
            let (all, told) = (ok(gpu().read(&agents.agents.parameters)), ok(gpu().read(&agents.metrics)));
            for (agent, own) in alone.iter().enumerate() {
                let case = format!("{name} {all:?}, agent {agent}, update {update}", all = configs[agent].algo);
                ok(gpu().submit(own.update()));
                let expected = ok(gpu().read(&own.agents.parameters));
                support::assert_bits(&case, &all[agent * expected.len()..][..expected.len()], &expected);
                assert_eq!(told[3 * update + agent], ok(gpu().read(&own.metrics))[update], "{case}: metrics");
            }
            assert_ne!(all[..all.len() / 3], all[2 * all.len() / 3..], "{name}: the same seed, other numbers");
        }
    }
    // what is planned by cannot differ
    let env = ok(Environment::load("CartPole-v1"));
    let configs = [config(Algo::Ppo, &[]), config(Algo::Ppo, &["num_minibatches=2"])];
    let refused =
        |configs: &[Config], seeds: &[u32]| OnPolicy::of_each(gpu(), &env, configs, seeds).err().map(|e| e.to_string());
    assert!(refused(&configs, &[1, 2]).is_some_and(|error| error.contains("num_minibatches")));
    assert!(refused(&configs[..1], &[]).is_some_and(|error| error.contains("seed")));
    let same = [config(Algo::Ppo, &[]), config(Algo::Ppo, &[])];
    assert!(refused(&same, &[1, 2, 3]).is_some_and(|error| error.contains("3 seeds do not go with 2")));
}

/// Every algorithm has settings for every environment, its preset or its defaults, but those that learn from replay: they
/// say which actions they do not have.
#[test]
fn every_preset_is_sound() {
    for name in Environment::names() {
        let env = ok(Environment::load(name));
        for algo in Algo::ALL {
            let config = ok(Config::preset(name, algo.name()));
            assert_eq!(config.algo, algo, "{name}");
            match config.check_for(&env) {
                Err(Error::Setting { name: setting, .. }) if algo.is_off_policy() => {
                    assert!(!Config::has_preset(name, algo.name()), "{} on {name}: {setting}", algo.name());
                    assert!(
                        ["algo", "target_entropy_scale"].contains(&&*setting),
                        "{} on {name}: {setting}",
                        algo.name()
                    );
                }
                // two members for every parameter
                Err(Error::Setting { name: setting, .. }) if algo == Algo::Pattern => {
                    let widths = [env.spec().observation_dim, 16, 16];
                    assert!(setting == "hidden" && widths[0] > 40, "{name}: {setting}");
                }
                checked => ok(checked),
            }
        }
    }
}

#[test]
fn bad_settings_are_refused_by_name() {
    let refused = |algo: Algo, pairs: &[&str], name: &str| {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        match Config::resolve("none", algo.name(), None, &pairs) {
            Err(Error::Setting { name: got, .. }) => assert_eq!(got, name, "{}: {pairs:?}", algo.name()),
            other => panic!("{}: {pairs:?} gave {other:?}", algo.name()),
        }
    };
    for (pair, name) in [
        ("delta=0", "delta"),
        ("delta=-0.01", "delta"),
        ("gae_lambda=1.5", "gae_lambda"),
        ("gae_lambda=-0.1", "gae_lambda"),
        ("fisher_subsample=0", "fisher_subsample"),
        ("fisher_subsample=2", "fisher_subsample"),
        ("backtrack_coeff=1", "backtrack_coeff"),
        ("backtrack_iters=0", "backtrack_iters"),
        ("cg_iters=0", "cg_iters"),
        ("damping=-1", "damping"),
        ("value_epochs=0", "value_epochs"),
        ("value_learning_rate=0", "value_learning_rate"),
        ("estimator=advantage", "estimator"),
        ("estimator=optimal-baseline", "estimator"),
        ("update_epochs=2", "update_epochs"),
        ("ent_coef=0.1", "ent_coef"),
        ("reuse=1", "reuse"),
    ] {
        refused(Algo::Trpo, &[pair], name);
    }
    refused(Algo::Ppo, &["estimator=q"], "estimator");
    refused(Algo::A2c, &["reuse=3"], "reuse");
    for (pairs, name) in [
        (&["importance=some"][..], "importance"),
        (&["importance_clip=-1"], "importance_clip"),
        (&["reuse=1", "fresh_episodes=false"], "reuse"),
        (&["reuse=1", "estimator=gae"], "estimator"),
        (&["reuse=1", "norm_adv=true"], "norm_adv"),
        (&["reuse=1", "ent_coef=0.01"], "ent_coef"),
        (&["reuse=1", "use_sde=true"], "use_sde"),
        (&["reuse=1", "importance=per-decision"], "estimator"),
        (&["reuse=1", "norm_obs=true"], "norm_obs"),
        (&["reuse=4294967295"], "num_envs"),
        (&["estimator=total-return", "fresh_episodes=false"], "estimator"),
        (&["discount_gradient=true", "fresh_episodes=false"], "discount_gradient"),
        (&["estimator=optimal-baseline", "norm_adv=true"], "norm_adv"),
    ] {
        refused(Algo::Reinforce, pairs, name);
    }
}
