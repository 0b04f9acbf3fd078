//! Shaders without a GPU: every part is built in, every kernel links in every form, and naga can translate it.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use manyworlds::config::Config;
use manyworlds::env::{Environment, Exploration, Spread};
use manyworlds::gpu::Form;
use manyworlds::kernels::{
    Combine, Decision, Estimator, Importance, Kernels, Noise, Objective, OffPolicyKernels, Optimizer, OverTime,
    Recursion, Reduction, Sums, TextbookPolicy,
};
use manyworlds::nn::{Activation, Normalise, Parameters};
use manyworlds::shader::{Linked, Program};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// Every kernel in every form, linked once for all tests.
fn every_kernel() -> &'static [(String, Linked)] {
    static ALL: OnceLock<Vec<(String, Linked)>> = OnceLock::new();
    ALL.get_or_init(|| {
        // subgroups of other sizes change nothing but numbers
        let others = [4, 16].into_iter().flat_map(|size| [Form::light(size), Form::fast(size)]).map(|form| (form, 2));
        let forms = Form::table(Some(8)).into_iter().map(|form| (form, NETWORKS.len())).chain(others);
        std::thread::scope(|scope| {
            let forms: Vec<_> = forms.map(|(form, networks)| scope.spawn(move || in_form(form, networks))).collect();
            let environments = scope.spawn(in_every_environment);
            let linked = forms.into_iter().chain([environments]).flat_map(|thread| thread.join().unwrap());
            linked.chain(of_textbook_policies()).collect()
        })
    })
}

/// Kernels in which a textbook policy acts.
fn of_textbook_policies() -> Vec<(String, Linked)> {
    let textbook = [("SimpleRegulator", TextbookPolicy::LinearGaussian), ("TwoAction", TextbookPolicy::Clamp)];
    let of = |(name, policy): (&str, TextbookPolicy)| {
        let env = Environment::load(name).unwrap();
        let parameters = Parameters::default();
        let space = &env.spec().action_space;
        let kernels = Kernels {
            form: Form::PLAIN,
            parameters: &parameters,
            space,
            exploration: Exploration::default(),
            keeps: false,
            agents: 1,
        };
        let estimates = Sums::ALL.map(|sums| kernels.estimate(&env, policy, sums));
        let climbs = [Combine::Mean, Combine::LeaveOneOut].map(|combine| kernels.climb(&env, policy, combine));
        let named = |kernel: manyworlds::Result<Program>| {
            let kernel = kernel.and_then(|kernel| kernel.link()).unwrap_or_else(|error| panic!("{name}: {error}"));
            (format!("{} of {name}", kernel.name()), kernel)
        };
        estimates.into_iter().chain(climbs).map(named).collect::<Vec<_>>()
    };
    textbook.into_iter().flat_map(of).collect()
}

/// Kernels that an environment shapes, for each of them, with everything normalised; of real numbers squashed too, with
/// state-dependent exploration and without. Gradients know nothing of an environment but its actions: they are linked for
/// the first of each kind.
fn in_every_environment() -> Vec<(String, Linked)> {
    let own = [MASKED, UNEVEN].map(|text| Environment::from_source("Own", "own.wgsl", text).unwrap());
    let mut kinds = Vec::new();
    let mut all = Vec::new();
    for env in Environment::names().map(|name| Environment::load(name).unwrap()).chain(own) {
        let config = |squash, use_sde| Config { squash, use_sde, ..Config::default() };
        for config in [config(false, false), config(true, false), config(true, true)] {
            if config.check_for(&env).is_ok() {
                let space = &env.spec().action_space;
                let kind = (std::mem::discriminant(space), space.masked(), config.squash, config.use_sde);
                let new = !kinds.contains(&kind);
                kinds.push(kind);
                all.extend(of_environment(&env, config.exploration(&env), new));
            }
        }
    }
    all
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

fn of_environment(env: &Environment, exploration: Exploration, learns: bool) -> Vec<(String, Linked)> {
    let (space, features) = (&env.spec().action_space, env.spec().observation_dim);
    let mut parameters = Parameters::default();
    let (actor, free) = ([features, 12, space.outputs(exploration)], space.free_outputs(exploration));
    let actor = parameters.add_policy("actor", &actor, Activation::Tanh, free, 0.0);
    parameters.add("critic", &[features, 12, 1], Activation::Tanh);
    parameters.normalise(Normalise { features, observations: true, rewards: true });
    let kernels = Kernels { form: Form::TILED, parameters: &parameters, space, exploration, keeps: true, agents: 1 };
    let mut linked = vec![kernels.rollout(env, actor), kernels.evaluate(env, actor)];
    if learns {
        linked.extend([
            kernels.gradient(actor, Objective::PpoClip),
            kernels.gradient(actor, Objective::PpoKl),
            kernels.gradient(actor, Objective::PolicyGradient),
            kernels.untiled().gradient(actor, Objective::Fisher),
        ]);
    }
    // these know nothing of how a policy explores
    if exploration == Exploration::default() {
        linked.extend([
            kernels.reset(env),
            kernels.step(env),
            kernels.pool(env),
            kernels.restart(env),
            kernels.discount_rewards(),
            kernels.along(Recursion::Gae, OverTime::Walk),
            kernels.along(Recursion::Gae, OverTime::Scan),
            kernels.merge_moments(),
        ]);
    }
    let named = |kernel: manyworlds::Result<Program>| {
        let kernel = kernel
            .and_then(|kernel| kernel.link())
            .unwrap_or_else(|error| panic!("{}, {exploration:?}: {error}", env.name()));
        (format!("{} of {}, {exploration:?}", kernel.name(), env.name()), kernel)
    };
    linked.into_iter().map(named).collect()
}

/// Hidden layers of every kind: one, three with a wide middle, the default ones, and such that go through memory.
const NETWORKS: [(&[u32], Activation); 4] = [
    (&[7], Activation::Relu),
    (&[130, 20, 5], Activation::Tanh),
    (&[64, 64], Activation::Tanh),
    (&[5, 130], Activation::Relu),
];

/// Actors and critics that learn from replay: each kind of actor with one of the networks.
fn of_replay(form: Form, hidden: &[u32], activation: Activation, number: usize) -> Vec<manyworlds::Result<Program>> {
    let log_std = [-5.0, 2.0];
    let (name, decision, spread, judges, process) = [
        ("Pendulum-v1", Decision::Squashed { log_std }, Spread::Clamped { log_std }, 2, false),
        ("CartPole-v1", Decision::Gumbel, Spread::Free, 2, false),
        ("Pendulum-v1", Decision::Deterministic { smoothed: true }, Spread::None, 1, false),
        ("Pendulum-v1", Decision::Deterministic { smoothed: false }, Spread::None, 1, true),
    ][number];
    let env = Environment::load(name).unwrap();
    let space = &env.spec().action_space;
    let exploration = Exploration { squash: space.is_box(), spread, ..Exploration::default() };
    let seen = env.spec().observation_dim;
    let widths = |inputs, outputs| [&[inputs][..], hidden, &[outputs][..]].concat();
    let (mut actors, mut critics) = (Parameters::default(), Parameters::default());
    actors.add("actor", &widths(seen, space.outputs(exploration)), activation);
    critics.add("critic", &widths(seen + space.words().max(space.choices()), 1), activation);
    let of = |parameters, agents| Kernels { form, parameters, space, exploration, keeps: false, agents };
    let (actor, critic) = (of(&actors, 1), of(&critics, 2));
    let kernels = OffPolicyKernels { actor, critic, decision, noise: Noise::Relative, twins: 2, judges, process };
    vec![
        kernels.interact(&env),
        kernels.remember(),
        kernels.draw(),
        kernels.outputs(),
        kernels.choose(),
        kernels.next_value(),
        kernels.critic_gradient(),
        kernels.slopes(),
        kernels.actor_gradient(),
        OffPolicyKernels::learn(&actor, Optimizer::Adam, 0),
        kernels.finish_step(),
        kernels.finish_block(),
        kernels.reschedule_block(),
        actor.evaluate(&env, 0),
    ]
}

/// What depends on networks for the first few of them, and what does not for the first.
fn in_form(form: Form, networks: usize) -> Vec<(String, Linked)> {
    let env = Environment::load("CartPole-v1").unwrap();
    let mut everything = Vec::new();
    for (number, &(hidden, activation)) in NETWORKS[..networks].iter().enumerate() {
        let mut parameters = Parameters::default();
        let widths = |outputs| [&[4][..], hidden, &[outputs][..]].concat();
        let actor = parameters.add("actor", &widths(2), activation);
        let critic = parameters.add("critic", &widths(1), activation);
        let kernels = Kernels {
            form,
            parameters: &parameters,
            space: &env.spec().action_space,
            exploration: Exploration::default(),
            keeps: true,
            agents: 1,
        };
        let untiled = kernels.untiled();
        let mut linked = vec![
            kernels.rollout(&env, actor),
            kernels.evaluate(&env, actor),
            kernels.value(critic),
            kernels.gradient(actor, Objective::PpoClip),
            kernels.gradient(critic, Objective::Value),
            kernels.weight_gradient(actor, Objective::PpoClip),
            kernels.weight_gradient(critic, Objective::Value),
            untiled.gradient(actor, Objective::Fisher),
            untiled.surrogate(actor),
            kernels.log_ratio(actor),
            kernels.gradient(actor, Objective::Score),
            kernels.traced().gradient(actor, Objective::Score),
            kernels.traced().weight_gradient(actor, Objective::Squares { weighted: true }),
        ];
        if number == 0 {
            linked.extend(beside_networks(&kernels, &env));
        }
        linked.extend(of_replay(form, hidden, activation, number));
        for kernel in linked {
            let kernel = kernel.and_then(|kernel| kernel.link());
            let kernel = kernel.unwrap_or_else(|error| panic!("{form:?} {hidden:?}: {error}"));
            everything.push((format!("{} in {form:?}, hidden {hidden:?}", kernel.name()), kernel));
        }
    }
    everything
}

/// Kernels that know of networks at most how many parameters they have.
fn beside_networks(kernels: &Kernels, env: &Environment) -> Vec<manyworlds::Result<Program>> {
    let (all, actor) = (kernels.parameters.span([]), kernels.parameters.span([0]));
    let mut linked = vec![
        kernels.reset(env),
        kernels.sum_slices(all),
        kernels.advance(),
        kernels.descend(Optimizer::Adam, all),
        kernels.descend(Optimizer::RmsProp, all),
        kernels.descend(Optimizer::Sgd, all),
        kernels.finish_update(),
        kernels.finish_fit(),
        kernels.reschedule(),
        kernels.conjugate_begin(actor),
        kernels.conjugate_step(actor),
        kernels.conjugate_end(actor),
        kernels.propose(actor),
        kernels.judge(),
        kernels.subtract_baseline(actor),
    ];
    let returns = Estimator::ALL.into_iter().flat_map(|estimator| estimator.recursions(true, false));
    let importance = [Importance::Full, Importance::Causal, Importance::FirstOrder, Importance::PerDecision];
    let weights = importance.into_iter().flat_map(|importance| importance.recursions().iter().copied());
    let mut recursions: Vec<Recursion> = Vec::new();
    for recursion in returns.chain(weights) {
        if !recursions.contains(&recursion) {
            recursions.push(recursion);
        }
    }
    for way in [OverTime::Walk, OverTime::Scan] {
        linked.extend(recursions.iter().map(|&recursion| kernels.along(recursion, way)));
    }
    linked.extend(Reduction::ALL.map(|reduction| kernels.reduce(reduction)));
    linked
}

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
        // all stages left; what learns leaves one of the default limit of 8 free
        let full = ["pool", "interact", "finish update", "finish block"];
        let most = if full.iter().any(|kernel| name.starts_with(kernel)) { 8 } else { 7 };
        assert!(storage <= most, "{name} binds {storage} storage buffers, at most {most} are allowed");
    }
}

/// Every file of a slot is in a kernel, line by line.
#[test]
fn every_choice_of_every_slot_is_linked() {
    let missing = |path: &&str| {
        let text = manyworlds::shader::built_in_text(path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap().trim());
        let code: Vec<&str> = code.filter(|line| !line.is_empty() && !line.contains('@')).collect();
        let holds = |kernel: &Linked| code.iter().all(|line| kernel.source().contains(line));
        !every_kernel().iter().any(|(_, kernel)| holds(kernel))
    };
    let slots = manyworlds::shader::built_in().filter(|path| path.starts_with("slot/"));
    let missing: Vec<&str> = slots.filter(missing).collect();
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
fn every_file_of_the_shader_folder_is_built_in() {
    fn files(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let mut found = Vec::new();
    files(std::path::Path::new(root), &mut found);
    let mut found: Vec<&str> =
        found.iter().map(|path| path.strip_prefix(&root.replace('\\', "/")).unwrap().trim_start_matches('/')).collect();
    found.sort_unstable();
    let mut known: Vec<&str> = manyworlds::shader::built_in().collect();
    known.sort_unstable();
    assert_eq!(found, known, "src/shader/parts.rs must list exactly the files under shaders/");
}

#[test]
fn shared_structs_lie_in_wgsl_as_they_do_in_rust() {
    use manyworlds::layout::{Blocks, Climb, Columns, Estimate, Metrics, Progress, Run, Span, Window, Worlds};
    use manyworlds::shader::{Program, SharedStruct};
    fn check<T: SharedStruct>() {
        let linked = Program::new(T::NAME)
            .shared::<T>()
            .source("use.wgsl", &format!("@group(0) @binding(0) var<uniform> x: {};", T::NAME))
            .link()
            .unwrap();
        let (_, kind) = linked.module().types.iter().find(|(_, kind)| kind.name.as_deref() == Some(T::NAME)).unwrap();
        let naga::TypeInner::Struct { members, span } = &kind.inner else { panic!("{} is no struct", T::NAME) };
        assert_eq!(*span as usize, size_of::<T>(), "size of {}", T::NAME);
        assert_eq!(members.len(), T::FIELDS.len(), "fields of {}", T::NAME);
        for (member, (name, _, offset)) in members.iter().zip(T::FIELDS) {
            assert_eq!(
                (member.name.as_deref(), member.offset as usize),
                (Some(*name), *offset),
                "field of {}",
                T::NAME
            );
        }
    }
    check::<Run>();
    check::<Progress>();
    check::<Metrics>();
    check::<Span>();
    check::<Worlds>();
    check::<Columns>();
    check::<Window>();
    check::<Blocks>();
    check::<Estimate>();
    check::<Climb>();
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
