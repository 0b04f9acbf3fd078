//! Shaders without a GPU: every part is built in, every kernel links in every form, and naga can translate it.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::programs::{every_kernel, every_program};
use manyworlds::shader::Program;
use std::collections::{HashMap, HashSet};

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
