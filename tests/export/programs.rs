//! What other programs make of exported policies.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::cases::Case;
use crate::support::python::python;
use crate::support::{call, kernel, ok};
use manyworlds::export;
use manyworlds::train::Policy;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// What a program makes of observations: `[world][output]` and `[world][word]`.
pub struct Made {
    pub outputs: Vec<Vec<f64>>,
    pub actions: Vec<Vec<f64>>,
}

/// What names of a policy begin with in sources: the tests' environments have plain names.
pub fn prefix(policy: &Policy) -> String {
    policy.env.name().to_lowercase().replace('-', "_")
}

fn sizes(policy: &Policy) -> (usize, usize, usize) {
    let spec = policy.env.spec();
    let space = &spec.action_space;
    let outputs = if space.is_box() { space.words() } else { space.choices() };
    (spec.observation_dim as usize, outputs as usize, space.words() as usize)
}

fn rows(numbers: &[f64], width: usize) -> Vec<Vec<f64>> {
    numbers.chunks_exact(width).map(<[f64]>::to_vec).collect()
}

fn read<const N: usize>(path: &Path, number: fn([u8; N]) -> f64) -> Vec<f64> {
    std::fs::read(path).unwrap().as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Puts the observations of a case into a folder: f32 and flags.
fn lay_out(case: &Case, folder: &Path) {
    let name = prefix(&case.policy);
    let bytes: Vec<u8> = case.observations.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(folder.join(format!("{name}.f32")), bytes).unwrap();
    let flags: Vec<u8> = case.allowed.iter().flatten().map(|&flag| u8::from(flag)).collect();
    std::fs::write(folder.join(format!("{name}.mask")), flags).unwrap();
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}:\n{out}\n{err}");
    out
}

/// Through onnxruntime, after the checker of onnx; a line of its properties each.
pub fn by_onnx(cases: &[Case]) -> Vec<(Made, String)> {
    let folder = tempfile::tempdir().unwrap();
    for case in cases {
        lay_out(case, folder.path());
        let path = folder.path().join(format!("{}.onnx", prefix(&case.policy)));
        std::fs::write(path, ok(export::onnx(&case.policy))).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/models.py");
    let names = cases.iter().map(|case| prefix(&case.policy));
    let told = succeed(Command::new(python("onnx, onnxruntime")).arg(script).arg(folder.path()).args(names));
    let made = |(case, line): (&Case, &str)| {
        let (name, (_, outputs, words)) = (prefix(&case.policy), sizes(&case.policy));
        let of = |ending: &str| read(&folder.path().join(format!("{name}.{ending}")), f64::from_le_bytes);
        (Made { outputs: rows(&of("outputs"), outputs), actions: rows(&of("action"), words) }, line.to_owned())
    };
    cases.iter().zip(told.lines()).map(made).collect()
}

/// Through one program of C that includes all headers, built without a warning; C++ takes it too.
pub fn by_c(cases: &[Case]) -> Vec<Made> {
    let folder = tempfile::tempdir().unwrap();
    let mut main = "#include <stdio.h>\n#include <string.h>\n".to_owned();
    let mut calls = String::new();
    for case in cases {
        lay_out(case, folder.path());
        let (name, (features, outputs, words)) = (prefix(&case.policy), sizes(&case.policy));
        std::fs::write(folder.path().join(format!("{name}.h")), ok(export::c(&case.policy))).unwrap();
        let space = &case.policy.env.spec().action_space;
        let kind = if space.is_box() { "float" } else { "int" };
        let mask = if space.masked() { "allowed, " } else { "" };
        // guards let a header be included twice
        let _ = write!(
            main,
            "#include \"{name}.h\"
#include \"{name}.h\"
static int run_{name}(void)
{{
    float observation[{features}], outputs[{outputs}], wide[{words}];
    unsigned char allowed[{outputs}];
    {kind} action[{words}];
    int i;
    FILE *in = fopen(\"{name}.f32\", \"rb\"), *flags = fopen(\"{name}.mask\", \"rb\"), *out = fopen(\"{name}.out\", \"wb\");
    if (!in || !flags || !out) {{ return -1; }}
    memset(allowed, 1, sizeof allowed);
    while (fread(observation, sizeof observation, 1, in) == 1) {{
        if ({box_} && fread(allowed, sizeof allowed, 1, flags) != 1) {{ return -1; }}
        {name}_outputs(observation, outputs);
        {name}_act(observation, {mask}action);
        for (i = 0; i < {words}; ++i) {{ wide[i] = (float)action[i]; }}
        fwrite(outputs, sizeof outputs, 1, out);
        fwrite(wide, sizeof wide, 1, out);
    }}
    fclose(in); fclose(flags); fclose(out);
    return {name}_self_test();
}}
",
            box_ = u32::from(!space.is_box())
        );
        let _ = writeln!(calls, "    printf(\"{name} %d\\n\", run_{name}());");
    }
    let _ = writeln!(main, "int main(void)\n{{\n{calls}    return 0;\n}}");
    std::fs::write(folder.path().join("main.c"), main).unwrap();
    let warnings = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"];
    let gcc = |compiler: &str, more: &[&str]| {
        succeed(Command::new(compiler).current_dir(folder.path()).args(warnings).args(more));
    };
    gcc("gcc", &["-std=c99", "-O1", "-o", "main", "main.c", "-lm"]);
    gcc("g++", &["-std=c++11", "-fsyntax-only", "-x", "c++", "main.c"]);
    let told = succeed(Command::new(folder.path().join("main")).current_dir(folder.path()));
    let made = |(case, line): (&Case, &str)| {
        let (name, (_, outputs, words)) = (prefix(&case.policy), sizes(&case.policy));
        assert_eq!(line, format!("{name} 0"), "the self-test of {}", case.name);
        let path = folder.path().join(format!("{name}.out"));
        let all = rows(&read(&path, |bytes| f64::from(f32::from_le_bytes(bytes))), outputs + words);
        let (outputs, actions) = all.into_iter().map(|row| (row[..outputs].to_vec(), row[outputs..].to_vec())).unzip();
        Made { outputs, actions }
    };
    cases.iter().zip(told.lines()).map(made).collect()
}

/// What the self-test of a header gives in a program of its own.
pub fn self_test(policy: &Policy, header: &str) -> String {
    let (folder, name) = (tempfile::tempdir().unwrap(), prefix(policy));
    let main = format!(
        "#include \"policy.h\"\n#include <stdio.h>\nint main(void) {{ printf(\"%d\", {name}_self_test()); return 0; }}\n"
    );
    std::fs::write(folder.path().join("policy.h"), header).unwrap();
    std::fs::write(folder.path().join("main.c"), main).unwrap();
    succeed(Command::new("gcc").current_dir(folder.path()).args(["-std=c99", "-o", "main", "main.c", "-lm"]));
    succeed(&mut Command::new(folder.path().join("main")))
}

/// Through a shader of the test's own.
pub fn by_wgsl(case: &Case) -> Made {
    let (name, (features, outputs, words)) = (prefix(&case.policy), sizes(&case.policy));
    let space = &case.policy.env.spec().action_space;
    let number = if space.is_box() { "bitcast<u32>(action[i])" } else { "action[i]" };
    let (flags, mask) = if space.masked() { (outputs, ", allowed") } else { (0, "") };
    let single = !space.is_box() && space.counts().len() == 1;
    let action = format!("{name}_act(observation{mask})");
    let action = if single { format!("array<u32, 1>({action})") } else { action };
    let source = format!(
        "{}
@bind var<storage, read> test_input: array<u32>;
@bind var<storage, read_write> test_output: array<u32>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {{
    let place = mw_thread(group, groups, local).index;
    if place >= {count}u {{ return; }}
    var observation: array<f32, {features}>;
    for (var i = 0u; i < {features}u; i++) {{ observation[i] = bitcast<f32>(test_input[place * {row}u + i]); }}
    var allowed: array<bool, {outputs}>;
    for (var i = 0u; i < {flags}u; i++) {{ allowed[i] = test_input[place * {row}u + {features}u + i] != 0u; }}
    let outputs = {name}_outputs(observation);
    for (var i = 0u; i < {outputs}u; i++) {{ test_output[place * {made}u + i] = bitcast<u32>(outputs[i]); }}
    let action = {action};
    for (var i = 0u; i < {words}u; i++) {{ test_output[place * {made}u + {outputs}u + i] = {number}; }}
}}",
        ok(export::wgsl(&case.policy)),
        count = case.observations.len(),
        row = features + flags,
        made = outputs + words,
    );
    let input: Vec<u32> = case
        .observations
        .iter()
        .zip(&case.allowed)
        .flat_map(|(observation, allowed)| {
            let flags = allowed[..flags].iter().map(|&flag| u32::from(flag));
            observation.iter().map(|x| x.to_bits()).chain(flags).collect::<Vec<u32>>()
        })
        .collect();
    let count = case.observations.len();
    let got = call(&kernel(&name, &[], &[], &source), count, &input, count * (outputs + words));
    let float = |word: &u32| f64::from(f32::from_bits(*word));
    let of_action = |word: &u32| if space.is_box() { float(word) } else { f64::from(*word) };
    let rows = got.chunks_exact(outputs + words);
    let (outputs, actions) = rows
        .map(|row| (row[..outputs].iter().map(float).collect(), row[outputs..].iter().map(of_action).collect()))
        .unzip();
    Made { outputs, actions }
}
