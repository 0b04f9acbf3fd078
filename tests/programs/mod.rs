//! Every kernel that a plan can have, in every form: for tests of what compilers make of them.

#![allow(clippy::unwrap_used)] // a test may panic

use manyworlds::algo;
use manyworlds::config::{Algo, Config};
use manyworlds::env::{Environment, Exploration};
use manyworlds::gpu::{Buffers, Form, Forms};
use manyworlds::kernels::{Combine, Estimator, Kernels, Sums, TextbookPolicy};
use manyworlds::layout::Estimate;
use manyworlds::nn::{Activation, Parameters};
use manyworlds::plan::{Plan, Target};
use manyworlds::shader::{Linked, Program};
use manyworlds::stage::{Estimates, RandomSteps};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Every kernel of every plan, with words that say where it is from.
pub fn every_program() -> &'static [(String, Program)] {
    static ALL: OnceLock<Vec<(String, Program)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut programs = Programs::default();
        in_every_form(&mut programs);
        in_every_environment(&mut programs);
        of_worlds_and_textbooks(&mut programs);
        programs.list
    })
}

/// Programs, each once.
#[derive(Default)]
struct Programs {
    list: Vec<(String, Program)>,
    known: HashSet<[u8; 32]>,
}

impl Programs {
    fn add(&mut self, program: Program, of: &str) {
        if self.known.insert(program.key()) {
            self.list.push((format!("{} of {of}", program.name()), program));
        }
    }

    /// Adds those kernels of a run with these settings that are `wanted`.
    fn add_run(&mut self, form: Form, env: &Environment, algo: Algo, set: &str, wanted: impl Fn(&Program) -> bool) {
        self.add_planned(Target { forms: Forms::Always(form), ..Target::GPU }, env, algo, set, wanted);
    }

    fn add_planned(
        &mut self,
        target: Target,
        env: &Environment,
        algo: Algo,
        set: &str,
        wanted: impl Fn(&Program) -> bool,
    ) {
        let case = format!("{} {} {set} for {target:?}", env.name(), algo.name());
        let small = if algo.is_search() { "eval_episodes=2" } else { SMALL };
        let pairs: Vec<String> = small.split(' ').chain(set.split_whitespace()).map(str::to_owned).collect();
        let config =
            Config::resolve("none", algo.name(), None, &pairs).unwrap_or_else(|error| panic!("{case}: {error}"));
        let mut plan = Plan::new(target);
        algo::plan(&mut plan, &config, env, &[1]).unwrap_or_else(|error| panic!("{case}: {error}"));
        plan.kernels().iter().filter(|program| wanted(program)).for_each(|program| self.add(program.clone(), &case));
    }
}

/// What makes a plan short.
const SMALL: &str = "eval_episodes=2 total_timesteps=100000";
const ROLLOUT: &str = "num_envs=65 num_steps=16";
const PLAIN: &str = "norm_obs=false norm_reward=false";
const RING: &str = "num_envs=4 learning_starts=300 buffer_size=1000 batch_size=256";
const REUSE: &str = "reuse=1 fresh_episodes=true norm_adv=false ent_coef=0 estimator=reward-to-go";

/// Hidden layers of every kind: one, three with a wide middle, two, and such that go through memory.
const NETWORKS: [&str; 4] =
    ["hidden=[7] activation=relu", "hidden=[130,20,5]", "hidden=[12,16]", "hidden=[5,130] activation=relu"];

/// Whether its shape follows from that of a network.
fn has_network(program: &Program) -> bool {
    let of_network =
        ["shaders/part/mlp", "shaders/part/traced", "shaders/layer", "shaders/observe", "shaders/weight_gradient"];
    program.paths().any(|path| of_network.iter().any(|part| path.starts_with(part)))
}

/// Whether worlds of this environment are in it.
fn has_worlds(program: &Program, env: &Environment) -> bool {
    program.paths().any(|path| path == env.path())
}

/// Every algorithm in every form: what networks shape with each of them, the rest with the first.
fn in_every_form(programs: &mut Programs) {
    let [cartpole, pendulum] = ["CartPole-v1", "Pendulum-v1"].map(|name| Environment::load(name).unwrap());
    let off_policy = [
        (&pendulum, Algo::Sac, ""),
        (&cartpole, Algo::Sac, "target_entropy_scale=0.3"),
        (&pendulum, Algo::Td3, ""),
        (&pendulum, Algo::Ddpg, "action_noise=ornstein-uhlenbeck"),
    ];
    for form in Form::table(Some(8)) {
        for (number, (network, (env, algo, own))) in NETWORKS.into_iter().zip(off_policy).enumerate() {
            let wanted = |program: &Program| number == 0 || has_network(program);
            let explores = |program: &Program| wanted(program) || has_worlds(program, env);
            // worlds act in the first of these runs as in the others
            let others = |program: &Program| wanted(program) && !has_worlds(program, &cartpole);
            let rollout = format!("{network} {ROLLOUT}");
            programs.add_run(form, &cartpole, Algo::Ppo, &format!("{rollout} {PLAIN}"), wanted);
            programs.add_run(form, &cartpole, Algo::Trpo, &rollout, others);
            programs.add_run(form, &cartpole, Algo::Reinforce, &format!("{rollout} {REUSE}"), others);
            let best = format!("{rollout} estimator=optimal-baseline norm_adv=false");
            programs.add_run(form, &cartpole, Algo::Reinforce, &best, others);
            programs.add_run(form, env, algo, &format!("{network} {RING} {own}"), explores);
        }
        beside_networks(programs, form, &cartpole);
    }
    // members have a form of their own: on processors they hold their parameters, where those are few
    for software in [false, true] {
        let target = Target { software, forms: Forms::Always(Form::PLAIN), ..Target::GPU };
        for algo in Algo::ALL.into_iter().filter(|algo| algo.is_search()) {
            for (number, (network, env)) in NETWORKS.into_iter().zip([&cartpole, &pendulum].repeat(2)).enumerate() {
                let networks = if algo == Algo::Pattern { "hidden=[] " } else { network };
                let searches = |program: &Program| number == 0 || program.name() == "evaluate members";
                programs.add_planned(target.clone(), env, algo, networks, searches);
            }
        }
        let two = "hidden=[7] crossover=true norm_obs=true";
        programs.add_planned(target, &cartpole, Algo::Ga, two, |_| true);
    }
    // subgroups of other sizes change nothing but numbers
    for form in [4, 16].into_iter().flat_map(|size| [Form::light(size), Form::fast(size)]) {
        programs.add_run(form, &cartpole, Algo::Ppo, &format!("{} {ROLLOUT} {PLAIN}", NETWORKS[0]), has_network);
        programs.add_run(form, &pendulum, Algo::Sac, &format!("{} {RING}", NETWORKS[0]), has_network);
    }
}

/// What does not depend on networks: every estimator, weight and optimiser, walked and scanned.
fn beside_networks(programs: &mut Programs, form: Form, env: &Environment) {
    // networks and worlds were seen to already
    let wanted = |program: &Program| !has_network(program) && !has_worlds(program, env);
    for shape in [ROLLOUT, "num_envs=2 num_steps=300"] {
        let one = format!("{shape} hidden=[7] num_minibatches=1 update_epochs=1");
        for optimizer in ["adam", "rmsprop", "sgd"] {
            programs.add_run(form, env, Algo::A2c, &format!("{one} optimizer={optimizer}"), wanted);
        }
        for estimator in Estimator::ALL {
            let plain = format!("{one} fresh_episodes=true norm_adv=false estimator={}", estimator.name());
            programs.add_run(form, env, Algo::Reinforce, &plain, wanted);
            if !matches!(estimator, Estimator::MeanBaseline | Estimator::OptimalBaseline) {
                let weighed = format!("{plain} discount_gradient=true one_episode=true");
                programs.add_run(form, env, Algo::Reinforce, &weighed, wanted);
            }
        }
        for importance in ["full", "causal", "first-order", "per-decision"] {
            let weighted = format!("{one} {REUSE} importance={importance}");
            programs.add_run(form, env, Algo::Reinforce, &weighted, wanted);
        }
        programs.add_run(form, env, Algo::Ppo, &format!("{one} norm_obs=true norm_reward=true"), wanted);
    }
    // four numbers of an observation that one binding does not hold, beside three rows of words that it does
    let target = Target { forms: Forms::Always(form), largest_binding: 1_300_000, ..Target::GPU };
    let parts = "hidden=[7] buffer_size=100000 learning_starts=1000";
    programs.add_planned(target, env, Algo::Ddpg, parts, wanted);
}

/// Kernels that an environment shapes, for each of them, with everything normalised; of real numbers squashed too, with
/// state-dependent exploration and without. Gradients know nothing of an environment but its actions: they are linked for
/// the first of each kind.
fn in_every_environment(programs: &mut Programs) {
    let own = [MASKED, UNEVEN].map(|text| Environment::from_source("Own", "own.wgsl", text).unwrap());
    let mut kinds = HashSet::new();
    for env in Environment::names().map(|name| Environment::load(name).unwrap()).chain(own) {
        let space = &env.spec().action_space;
        let squashed: [&str; 4] = ["", "squash=true", "squash=true use_sde=true", "use_sde=true"];
        let ways = if space.is_box() { &squashed[..] } else { &squashed[..1] };
        for way in ways {
            let set = format!("hidden=[12] norm_obs=true norm_reward=true fresh_episodes=true num_envs=8 {way}");
            let pairs: Vec<String> = set.split_whitespace().map(str::to_owned).collect();
            if Config::resolve("none", "ppo", None, &pairs).unwrap().check_for(&env).is_err() {
                assert!(!way.is_empty(), "{}", env.name());
                continue; // it cannot be squashed
            }
            let new = kinds.insert((std::mem::discriminant(space), space.masked(), *way));
            programs.add_run(Form::TILED, &env, Algo::Ppo, &set, |program| new || has_worlds(program, &env));
            if new {
                let others = |program: &Program| !has_worlds(program, &env);
                programs.add_run(Form::TILED, &env, Algo::Ppo, &format!("{set} penalty=kl"), others);
                programs.add_run(Form::TILED, &env, Algo::Trpo, &set, others);
            }
        }
    }
}

/// Worlds that nobody learns in, and textbook policies.
fn of_worlds_and_textbooks(programs: &mut Programs) {
    let mut plan = Plan::new(Target::GPU);
    for env in Environment::names().map(|name| Environment::load(name).unwrap()) {
        let kernels = Kernels::of_worlds(Form::TILED, &env.spec().action_space);
        RandomSteps::new(&mut plan, &kernels, &env, 1, 8, 8).unwrap();
        plan.kernel(kernels.pool(&env).unwrap());
        for each in [true, false] {
            plan.kernel(kernels.pool_steps(&env, each).unwrap());
        }
        plan.kernel(kernels.render(&env).unwrap());
    }
    let own = Environment::from_source("Own", "own.wgsl", UNEVEN).unwrap();
    let kernels = Kernels::of_worlds(Form::TILED, &own.spec().action_space);
    plan.kernel(kernels.render(&own).unwrap());
    plan.kernel(kernels.ranges().unwrap());
    for (name, policy) in [("SimpleRegulator", TextbookPolicy::LinearGaussian), ("TwoAction", TextbookPolicy::Clamp)] {
        let env = Environment::load(name).unwrap();
        let kernels = Kernels::of_worlds(Form::PLAIN, &env.spec().action_space);
        for sums in Sums::ALL {
            let shape = Estimate { rollouts: 9, depth: 3, ..Estimate::default() };
            let none = Buffers::default();
            let estimates = Estimates::new(&mut plan, &kernels, &env, policy, sums, shape, &none).unwrap();
            estimates.moments(&mut plan, &kernels).unwrap();
            estimates.differences(&mut plan, &kernels).unwrap();
        }
        for combine in [Combine::Mean, Combine::LeaveOneOut] {
            plan.kernel(kernels.ascend(&env, policy, combine).unwrap());
        }
    }
    // what a run that goes on with another number of updates needs
    let env = Environment::load("Pendulum-v1").unwrap();
    let mut networks = Parameters::default();
    networks.add("network", &[4, 4, 1], Activation::Tanh);
    let kernels = Kernels::new(Form::TILED, &networks, &env.spec().action_space, Exploration::default());
    plan.kernel(kernels.reschedule().unwrap());
    plan.kernel(kernels.act(&env, 0).unwrap());
    plan.kernels().iter().for_each(|program| programs.add(program.clone(), "worlds and textbooks"));
}

/// No environment of ours has such actions: two choices of which not everything is allowed.
const MASKED: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 2u);
const MAX_EPISODE_STEPS: u32 = 20u;
struct State { a: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_u32(rng) % 5u); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).a = ((*s).a + 1u + action[0]) % 5u;
    return Outcome(f32(action[1]), false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.a)); }
fn env_action_mask(s: State) -> ActionMask {
    return ActionMask(s.a != 0u, s.a != 1u, s.a != 2u, true, s.a != 3u);
}
";

/// And numbers between different bounds.
const UNEVEN: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: array<f32, 2> = array<f32, 2>(-1.0, 0.0);
const ACTION_HIGH: array<f32, 2> = array<f32, 2>(1.0, 2.0);
const MAX_EPISODE_STEPS: u32 = 20u;
struct State { a: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).a += action[0];
    return Outcome(action[1], false);
}
fn env_observe(s: State) -> Observation { return Observation(s.a); }
";

/// All of them linked, once for all tests.
pub fn every_kernel() -> &'static [(String, Linked)] {
    static ALL: OnceLock<Vec<(String, Linked)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let (next, linked) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some((name, program)) = every_program().get(next.fetch_add(1, Ordering::Relaxed)) {
                let kernel = program.link().unwrap_or_else(|error| panic!("{name}: {error}"));
                linked.lock().unwrap().push((name.clone(), kernel));
            }
        };
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
        linked.into_inner().unwrap()
    })
}
