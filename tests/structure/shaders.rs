//! Shaders without a GPU: every part is built in, every kernel links in every form, and naga can translate it.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

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
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Every kernel of every plan, with words that say where it is from.
fn every_program() -> &'static [(String, Program)] {
    static ALL: OnceLock<Vec<(String, Program)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut programs = Programs::default();
        in_every_form(&mut programs);
        in_every_environment(&mut programs);
        of_worlds_and_textbooks(&mut programs);
        programs.list
    })
}

/// All of them linked, once for all tests.
fn every_kernel() -> &'static [(String, Linked)] {
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

#[test]
fn every_kernel_links_within_the_default_limits() {
    for (name, kernel) in every_kernel() {
        // of the variables that parts declare, those that the kernel uses
        let bound = kernel.bindings();
        let storage = |(_, v): &(_, &naga::GlobalVariable)| {
            matches!(v.space, naga::AddressSpace::Storage { .. })
                && v.name.as_ref().is_some_and(|name| bound.contains_key(name))
        };
        let storage = kernel.module().global_variables.iter().filter(storage).count();
        // a pool leaves its results in many buffers, and so do worlds that fill a ring; the end of an update looks at what
        // all stages left, and actors learn from critics, noise and α; what else learns leaves one of the limit of 8 free
        let full =
            ["pool", "interact", "finish update", "finish block", "gradient actor", "recombine", "finish generation"];
        let most = if full.iter().any(|kernel| name.starts_with(kernel)) { 8 } else { 7 };
        assert!(storage <= most, "{name} binds {storage} storage buffers, at most {most} are allowed");
    }
}

/// Every shader file is a part of some kernel, but for those that test an adapter.
#[test]
fn every_shader_file_is_linked() {
    let linked: HashSet<&str> = every_program().iter().flat_map(|(_, program)| program.paths()).collect();
    let missing = manyworlds::shader::built_in().filter(|path| !linked.contains(format!("shaders/{path}").as_str()));
    let missing: Vec<&str> = missing.filter(|path| !path.starts_with("check/")).collect();
    assert!(missing.is_empty(), "in no kernel: {missing:?}");
}

/// Mesa's software driver compiles a kernel anew for the values of uniforms that decide a condition alone, at every dispatch.
#[test]
fn no_condition_is_made_of_uniforms_and_constants_alone() {
    let plain = "
struct Shape { count: u32, wanted: u32 }
@bind var<uniform> shape: Shape;
@bind var<storage, read_write> sums: array<u32>;
fn more(i: u32, end: u32) -> bool { return i < end && i < 100u; }
fn end() -> u32 { return 2u * shape.count; }
@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>) {
    for (var i = 0u; more(i, end()); i++) { sums[group.x] += i; }
    loop { sums[1] += 1u; continuing { break if shape.wanted == 0u; } }
    if group.x < shape.count { sums[0] = 1u; }
}";
    let kernel = manyworlds::shader::Program::new("plain").source("plain.wgsl", plain).link().unwrap();
    let spirv = naga::back::spv::write_vec(kernel.module(), kernel.info(), &naga::back::spv::Options::default(), None);
    assert!(spirv.is_ok(), "{spirv:?}");
    let text = format!("{:?}", kernel.module());
    assert_eq!(text.matches("LogicalOr").count(), 2, "the loops, not the branch: {text}");
    for (name, kernel) in
        [("plain".to_owned(), &kernel)].into_iter().chain(every_kernel().iter().map(|(n, k)| (n.clone(), k)))
    {
        assert_eq!(kernel.known_conditions(), 0, "{name}");
    }
}

/// DX12 and Metal as far as a machine without them can say: naga must be able to write every kernel for them.
#[test]
fn every_kernel_is_translated_to_spirv_hlsl_and_msl() {
    use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
    use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags};
    for (name, kernel) in every_kernel() {
        let values = kernel.overrides().iter().map(|(key, value)| (key.clone(), *value)).collect();
        // as a device gets it
        let plain = kernel.plain_module();
        let info = naga::valid::Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP)
            .subgroup_stages(ShaderStages::COMPUTE)
            .subgroup_operations(SubgroupOperationSet::all())
            .validate(&plain)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let (module, info) = process_overrides(&plain, &info, None, &values)
            .unwrap_or_else(|error| panic!("{name}: overrides: {error}"));

        let words = spv::write_vec(&module, &info, &spv::Options { lang_version: (1, 3), ..Default::default() }, None);
        assert!(words.unwrap_or_else(|error| panic!("{name}: SPIR-V: {error}")).len() > 100, "{name}: SPIR-V is empty");

        let mut text = String::new();
        let options =
            hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, fake_missing_bindings: true, ..Default::default() };
        let pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|error| panic!("{name}: HLSL: {error}"));
        assert!(text.contains("mw_main"), "{name}: HLSL has no entry point");
        let twice = defined_twice(&text);
        assert!(twice.is_empty(), "{name}: HLSL defines more than once: {twice:?}");

        let options = msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
        let (text, _) = msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
            .unwrap_or_else(|error| panic!("{name}: MSL: {error}"));
        assert!(text.contains("mw_main"), "{name}: MSL has no entry point");
    }
}

/// Functions of an HLSL text that are defined more than once, by name and types of parameters: HLSL has overloads, and names
/// for types. Types that are defined more than once, too.
fn defined_twice(text: &str) -> Vec<String> {
    let mut types: HashMap<&str, String> = HashMap::new();
    let mut known = HashSet::new();
    let mut twice = Vec::new();
    // naga begins what it defines at the first column, and ends the head of a function with its brace
    for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic())) {
        if let Some(definition) = line.strip_prefix("typedef ") {
            // `typedef float ret_Constructarray1_float_[1];`
            let (kind, rest) = definition.trim_end_matches(';').rsplit_once(' ').unwrap();
            let (name, length) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
            types.insert(name, format!("{}{length}", types.get(kind).map_or(kind, String::as_str)));
        }
        let Some((head, rest)) = line.split_once('(') else { continue };
        let (Some(parameters), Some(name)) =
            (rest.strip_suffix(") {").or(rest.strip_suffix(')')), head.split(' ').next_back())
        else {
            continue;
        };
        let parameter = |parameter: &str| {
            // `inout float x[4]`, `uint3 group : SV_GroupID`
            let (kind, rest) = parameter.split(" : ").next().unwrap().trim().rsplit_once(' ').unwrap_or_default();
            let length = &rest[rest.find('[').unwrap_or(rest.len())..];
            format!("{}{length}", types.get(kind).map_or(kind, String::as_str))
        };
        let signature = format!("{name}({})", parameters.split(", ").map(parameter).collect::<Vec<_>>().join(", "));
        if !known.insert(signature.clone()) {
            twice.push(signature);
        }
    }
    assert!(!known.is_empty(), "no function was found in\n{text}");
    twice
}

/// What naga makes of the modules as they are written, which is why devices get others.
#[test]
fn an_alias_in_a_module_would_define_functions_twice() {
    let source = "
        alias Lane = f32;
        @group(0) @binding(0) var<storage, read_write> out: array<f32>;
        @compute @workgroup_size(1)
        fn mw_main(@builtin(local_invocation_index) i: u32) {
            loop {
                var a: array<f32, 3>;
                var b: array<Lane, 3>;
                a[i] += out[0];
                b[i] += out[1];
                out[0] = a[1] + b[2];
                if out[0] > 1.0 { break; }
            }
        }";
    let linked = manyworlds::shader::Program::new("alias").source("alias.wgsl", source).link().unwrap();
    let hlsl = |module: &naga::Module| {
        let flags = naga::valid::ValidationFlags::all();
        let info = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty()).validate(module).unwrap();
        let mut text = String::new();
        let options = naga::back::hlsl::Options { fake_missing_bindings: true, ..Default::default() };
        naga::back::hlsl::Writer::new(&mut text, &options, &naga::back::hlsl::PipelineOptions::default())
            .write(module, &info, None)
            .unwrap();
        defined_twice(&text)
    };
    // where naga has learned better, the other module is not needed any more
    assert_eq!(hlsl(linked.module()), ["ZeroValuearray3_float_()"]);
    assert_eq!(hlsl(&linked.plain_module()), [""; 0]);
}

#[test]
fn shared_structs_lie_in_wgsl_as_they_do_in_rust() {
    for shared in manyworlds::layout::STRUCTS {
        let name = shared.name;
        let linked = Program::new(name)
            .structs(&[*shared])
            .source("use.wgsl", &format!("@group(0) @binding(0) var<uniform> x: {name};"))
            .link()
            .unwrap();
        let (_, kind) = linked.module().types.iter().find(|(_, kind)| kind.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span } = &kind.inner else { panic!("{name} is no struct") };
        assert_eq!(*span as usize, shared.size, "size of {name}");
        let fields = members.iter().map(|member| (member.name.as_deref().unwrap(), member.offset as usize));
        let expected = shared.fields.iter().map(|(name, _, offset)| (*name, *offset));
        assert_eq!(fields.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "fields of {name}");
    }
}

#[test]
fn an_error_names_the_parts_own_file_line_and_column() {
    let broken = "//! A kernel.\n\n@compute @workgroup_size(1)\nfn mw_main() {\n    @unroll for i in 0..2 { let a = i + 1.5; }\n}\n";
    let program = manyworlds::shader::Program::new("broken").part("part/thread.wgsl").unwrap();
    let program = program.word("MW_WORKGROUP", 64).word("MW_SHARE", 1);
    let program = program.source("shaders/broken.wgsl", broken);
    let error = program.link().unwrap_err().to_string();
    assert!(error.contains("shaders/broken.wgsl:5:"), "no place in:\n{error}");
    assert!(error.contains("let a = i + 1.5;") && error.contains('^'), "no line or caret in:\n{error}");
}

#[test]
fn a_rare_branch_is_a_loop_of_at_most_one_turn() {
    let source = "fn f(x: u32) -> u32 { var y = 0u; @rare if (x & 1u) == 1u { y += 1u; } return y; }";
    let linked = Program::new("rare").source("rare.wgsl", source).link().unwrap();
    let head = "for (var mw_rare = (x & 1u) == 1u; mw_rare; mw_rare = false) { y += 1u; }";
    assert!(linked.source().contains(head), "{}", linked.source());
    for bad in ["@rare (x == 1u) { }", "@rare if x == 1u", "@rare"] {
        let program = Program::new("bad").source("bad.wgsl", &format!("fn f(x: u32) {{\n{bad}"));
        let error = program.link().expect_err(bad).to_string();
        assert!(error.contains("expected `@rare if CONDITION {`") && error.contains("bad.wgsl:2"), "{error}");
    }
}

#[test]
fn unrolled_loops_see_constants_of_the_source_in_their_scope() {
    let text = "const two = 2u;\nfn f() { \
        { const two = N; @unroll for i in 0..two { let a = i; } } \
        @unroll for i in 1..2 { const top: u32 = W[i + 1] - (two - 1) * 2; @unroll for j in 0..top { let b = j; } } \
        @unroll for i in 0..two { let c = i; } }";
    let mut constants = manyworlds::shader::Constants::default();
    constants.words("W", vec![9, 1, 5]);
    let linked = Program::new("loops").word("N", 1).constants(&constants).source("loops.wgsl", text).link().unwrap();
    let count = |what: &str| linked.source().matches(what).count();
    assert_eq!([count("let a"), count("let b"), count("let c")], [1, 3, 2], "in {}", linked.source());
    // a constant ends with its block
    let text = "fn f() { { const inner = 2u; } @unroll for i in 0..inner { } }";
    let error = Program::new("loops").source("loops.wgsl", text).link().unwrap_err().to_string();
    assert!(error.contains("'inner' is not made of"), "{error}");
}

#[test]
fn unrolled_loops_count_up_down_and_with_constants() {
    let text = "@unroll for i in 0..N { @unroll for j in rev(0..W[i + 1]) { const x = A + i * 10u + j; } }";
    let program = manyworlds::shader::Program::new("loops")
        .word("N", 2)
        .source("loops.wgsl", &format!("const A: u32 = 0u; fn f() {{ {text} }}"));
    let mut constants = manyworlds::shader::Constants::default();
    constants.words("W", vec![9, 1, 2]);
    let linked = program.constants(&constants).link().unwrap();
    let values: Vec<&str> = linked.source().split("const j = ").skip(1).map(|rest| &rest[..2]).collect();
    assert_eq!(values, ["0u", "1u", "0u"], "in {}", linked.source());
    for (bad, what) in [
        ("@unroll for i in 0..M { }", "'M' is not made of"),
        ("@unroll for i in 0..2 { return; }", "left early"),
        ("@unroll i in 0..2 { }", "expected `@unroll for NAME in FIRST..END {`"),
        ("@unroll for i in 0..2", "has no body"),
    ] {
        let program = manyworlds::shader::Program::new("bad").source("bad.wgsl", &format!("fn f() {{\n{bad}\n}}"));
        let error = program.link().expect_err(bad).to_string();
        assert!(error.contains(what) && error.contains("bad.wgsl:2"), "{bad}: {error}");
    }
}
