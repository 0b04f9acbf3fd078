//! Critics and actors that learn from a minibatch, on the device, against the oracle files: those of td3 and sac in every form,
//! those of ddpg and of choices, whose kernels have less of the same in them, in the forms that differ most.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::learned::{Agent, Batch, Decision, Device, Outcome, Setup, assert_moved, assert_near};
use crate::oracle;
use crate::oracle::{label, network, number, numbers, shape};
use crate::support::{ROUNDING, few_forms, forms, gpu};
use manyworlds::env::ActionSpace;
use manyworlds::gpu::Form;
use manyworlds::layout::ReplaySettings;
use manyworlds::reference::mlp::Mlp;
use serde_json::Value;

/// A case of the losses file as agents' inputs.
struct Case {
    file: Value,
    name: &'static str,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Self { file: oracle::losses(), name }
    }

    fn at(&self, rest: &str) -> String {
        format!("cases.{}.{rest}", self.name)
    }

    fn input(&self, name: &str) -> Vec<f64> {
        numbers(&self.file, &self.at(&format!("inputs.{name}")))
    }

    fn hyper(&self, name: &str) -> f64 {
        number(&self.file, &self.at(&format!("hyper.{name}")))
    }

    fn network(&self, name: &str) -> Mlp {
        network(&self.file, &self.at(&format!("networks.{name}")))
    }

    fn space(&self) -> ActionSpace {
        let bounds = |name: &str| -> Vec<f32> {
            numbers(&self.file, &self.at(&format!("hyper.{name}"))).into_iter().map(|x| x as f32).collect()
        };
        ActionSpace::Box { low: bounds("low"), high: bounds("high") }
    }

    fn batch(&self) -> Batch {
        let gamma = self.hyper("gamma");
        Batch {
            observations: self.input("obs"),
            next_observations: self.input("next_obs"),
            actions: self.input("action"),
            returns: self.input("reward"),
            discounts: self.input("terminated").iter().map(|terminated| gamma * (1.0 - terminated)).collect(),
            ..Batch::default()
        }
    }

    fn critics(&self, name: &str) -> Vec<Mlp> {
        ["1", "2"].map(|j| self.network(&format!("{name}{j}"))).to_vec()
    }

    fn expected(&self, name: &str) -> Vec<f64> {
        numbers(&self.file, &self.at(&format!("expected.{name}")))
    }

    fn label(&self, name: &str, form: Form) -> String {
        format!("{}, {form}", label(&self.file, &self.at(&format!("expected.{name}"))))
    }

    #[track_caller]
    fn check(&self, form: Form, name: &str, got: &[f64]) {
        assert_near(&self.label(name, form), got, &self.expected(name), 0.0);
    }

    #[track_caller]
    fn check_moved(&self, form: Form, name: &str, before: &Mlp, got: &[f64]) {
        assert_moved(&self.label(name, form), &before.parameters, got, &self.expected(name));
    }

    /// One agent of this kind.
    fn setup(&self, space: ActionSpace, decision: Decision, guides: u32, agent: Agent) -> Setup {
        assert_eq!(agent.batch.observations.len(), self.input("obs").len(), "{}", self.name);
        Setup::new(space, decision, guides, vec![agent])
    }
}

#[test]
fn ddpg_agrees_with_the_oracle() {
    let case = Case::new("ddpg");
    let agent = Agent {
        actor: case.network("actor"),
        critics: vec![case.network("critic")],
        target_actor: Some(case.network("target_actor")),
        target_critics: vec![case.network("target_critic")],
        batch: case.batch(),
    };
    let rate = case.hyper("lr");
    let decision = Decision::Deterministic { smoothed: false };
    let setup = Setup { tau: case.hyper("tau"), ..case.setup(case.space(), decision, 1, agent.clone()) };
    for form in few_forms() {
        // the actor's gradient at the given critic, and at the critic after its step
        for critic_rate in [0.0, rate] {
            let device = Device::new(form, &Setup { rates: [rate, critic_rate], ..setup.clone() });
            device.learn_critics(true);
            device.learn_actors();
            let got = &device.read()[0];
            case.check(form, "y", &got.goals(&agent.batch));
            case.check(form, "critic_loss", &got.critic_losses);
            let q = case.expected("q");
            assert_near(&case.label("q", form), &got.mean_q, &[q.iter().sum::<f64>() / q.len() as f64], 0.0);
            case.check(form, "critic_grad", &got.d_critics[0]);
            case.check(form, "mu", &got.actions);
            assert!(got.log_probs.iter().all(|&l| l == 0.0), "{form}: log π of a deterministic action");
            if critic_rate == 0.0 {
                case.check(form, "actor_loss", &[got.actor_loss]);
                case.check(form, "actor_grad", &got.d_actor);
                case.check_moved(form, "after_step.actor", &agent.actor, &got.actor);
                let target = agent.target_actor.as_ref().unwrap();
                case.check_moved(form, "after_step.target_actor", target, got.target_actor.as_ref().unwrap());
                let exact: Vec<f64> = agent.critics[0].parameters.iter().map(|&p| f64::from(p as f32)).collect();
                assert_eq!(got.critics[0], exact, "{form}: a critic with learning rate 0");
            } else {
                case.check(form, "critic_first.actor_loss", &[got.actor_loss]);
                case.check(form, "critic_first.actor_grad", &got.d_actor);
                case.check_moved(form, "after_step.critic", &agent.critics[0], &got.critics[0]);
                let target = &agent.target_critics[0];
                case.check_moved(form, "after_step.target_critic", target, &got.target_critics[0]);
            }
        }
    }
}

/// Losses and gradients of two critics.
fn check_critics(case: &Case, form: Form, got: &Outcome, batch: &Batch) {
    case.check(form, "y", &got.goals(batch));
    for j in 0..2 {
        case.check(form, &format!("critic{}_loss", j + 1), &got.critic_losses[j..=j]);
        case.check(form, &format!("critic{}_grad", j + 1), &got.d_critics[j]);
    }
    case.check(form, "critic_loss", &[got.critic_losses.iter().sum()]);
}

#[test]
fn td3_agrees_with_the_oracle() {
    let case = Case::new("td3");
    // the file's noise is in the units of the action and clipped there; ours is in those of half its range
    let ActionSpace::Box { low, high } = case.space() else { unreachable!("real numbers") };
    let (clip, noise) = (case.hyper("noise_clip"), case.input("target_noise"));
    let in_halves = |(i, n): (usize, &f64)| {
        let half = 0.5 * f64::from(high[i % high.len()] - low[i % low.len()]);
        n.clamp(-clip, clip) / half
    };
    let batch = Batch { next_noise: noise.iter().enumerate().map(in_halves).collect(), ..case.batch() };
    let agent = Agent {
        actor: case.network("actor"),
        critics: case.critics("critic"),
        target_actor: Some(case.network("target_actor")),
        target_critics: case.critics("target_critic"),
        batch: batch.clone(),
    };
    let settings = ReplaySettings { policy_noise: 1.0, noise_clip: 1e9, ..ReplaySettings::default() };
    let decision = Decision::Deterministic { smoothed: true };
    let setup = case.setup(case.space(), decision, 1, agent.clone());
    let setup = Setup { settings, rates: [0.01, 0.0], ..setup };
    for form in forms(gpu()) {
        let device = Device::new(form, &setup);
        device.learn_critics(false);
        device.learn_actors();
        let got = &device.read()[0];
        case.check(form, "next_action", &got.next_actions);
        case.check(form, "target_q1", &got.next_values[0]);
        case.check(form, "target_q2", &got.next_values[1]);
        check_critics(&case, form, got, &batch);
        case.check(form, "actor_loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
        for j in 0..2 {
            let exact: Vec<f64> = agent.target_critics[j].parameters.iter().map(|&p| f64::from(p as f32)).collect();
            assert_eq!(got.target_critics[j], exact, "{form}: target {j} does not follow yet");
        }
    }
}

#[test]
fn sac_agrees_with_the_oracle() {
    let case = Case::new("sac");
    let batch = Batch { noise: case.input("noise"), next_noise: case.input("next_noise"), ..case.batch() };
    let agent = Agent {
        actor: case.network("actor"),
        critics: case.critics("critic"),
        target_actor: None,
        target_critics: case.critics("target_critic"),
        batch: batch.clone(),
    };
    let dims = shape(&case.file, &case.at("inputs.action"))[1];
    let space = ActionSpace::Box { low: vec![-1.0; dims], high: vec![1.0; dims] };
    let decision = Decision::Squashed { log_std: [case.hyper("log_std_min") as f32, case.hyper("log_std_max") as f32] };
    let settings = ReplaySettings {
        autotune: 1,
        target_entropy: case.hyper("target_entropy") as f32,
        alpha_rate: 0.01,
        ..ReplaySettings::default()
    };
    let setup = case.setup(space, decision, 2, agent);
    let setup = Setup { settings, alpha: case.hyper("alpha"), rates: [0.01, 0.0], ..setup };
    for form in forms(gpu()) {
        let device = Device::new(form, &setup);
        device.learn_critics(true);
        device.learn_actors();
        let before = device.temperatures()[0];
        device.end_step(true);
        let got = &device.read()[0];
        case.check(form, "next_action", &got.next_actions);
        let log_probs: Vec<f64> = got.bonus.iter().map(|bonus| -bonus / case.hyper("alpha")).collect();
        case.check(form, "next_log_prob", &log_probs);
        check_critics(&case, form, got, &batch);
        case.check(form, "new_action", &got.actions);
        case.check(form, "log_prob", &got.log_probs);
        case.check(form, "q1", &got.q[0]);
        case.check(form, "q2", &got.q[1]);
        case.check(form, "actor_loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
        let mean = got.log_probs.iter().sum::<f64>() / got.log_probs.len() as f64;
        assert_near(&format!("entropy, {form}"), &[got.entropy], &[-mean], 0.0);

        // m was 0: it is the gradient times 1 − β₁ now, and Adam's first step has the length of the rate
        let now = device.temperatures()[0];
        let decay1 = f64::from(device.actor.run.decay1);
        case.check(form, "temperature_grad", &[f64::from(now.m) / decay1]);
        let gradient = case.expected("temperature_grad")[0];
        let step = 0.01 * gradient / (gradient.abs() + setup.optimizer_eps);
        let log_alpha = case.hyper("log_alpha") - step;
        assert_near(&case.label("log α", form), &[f64::from(now.log)], &[log_alpha], 0.0);
        let moved = f64::from(now.log - before.log);
        assert_near(&case.label("step of log α", form), &[moved], &[-step], 4.0 * ROUNDING * log_alpha.abs());
        assert_near(&case.label("α", form), &[f64::from(now.value)], &[log_alpha.exp()], 0.0);
    }
}

#[test]
fn straight_through_gumbel_softmax_agrees_with_the_oracle() {
    let case = Case::new("gumbel_straight_through");
    let (actor, critic) = (case.network("actor"), case.network("critic"));
    let count = actor.widths[actor.widths.len() - 1];
    let batch = Batch { observations: case.input("obs"), noise: case.input("gumbel_noise"), ..Batch::default() };
    let agent = Agent {
        actor: actor.clone(),
        critics: vec![critic.clone()],
        target_actor: Some(actor),
        target_critics: vec![critic],
        batch,
    };
    let space = ActionSpace::Discrete { count: count as u32, masked: false };
    let setup = case.setup(space, Decision::Gumbel, 1, agent);
    let setup = Setup { temperature: case.hyper("temperature"), ..setup };
    for form in few_forms() {
        let device = Device::new(form, &setup);
        device.learn_actors();
        let got = &device.read()[0];
        assert_eq!(got.actions, case.expected("hard"), "{}", case.label("hard", form));
        case.check(form, "q", &got.q[0]);
        case.check(form, "loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
    }
}
