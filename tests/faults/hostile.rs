//! Environments that mean harm, or were never meant as such: refused in bounded time and memory, in words.

use super::harness::{Draw, Plan, Running, Score, Verdict, ensure, manyworlds};
use std::time::Duration;

/// Limits that the trial gets: seconds of processor time, and GiB.
const TRIAL: (u64, u64) = (5, 1);
/// What all processes together may take: reading, the trial with what is lent it past its limit, and its start.
const TIME: Duration = Duration::from_secs(TRIAL.0 + 10);
const MEMORY: u64 = (TRIAL.1 << 30) + (300 << 20);

/// An environment whose parts can be put in the place of sound ones.
struct Parts {
    before: String,
    state: String,
    reset: String,
    step: String,
    observe: String,
    mask: String,
}

impl Parts {
    fn sound() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            before: String::new(),
            state: text("x: f32"),
            reset: text("return State(rng_uniform(rng));"),
            step: text("(*s).x += 0.5; return Outcome((*s).x, false);"),
            observe: text("return Observation(s.x);"),
            mask: String::new(),
        }
    }

    fn text(&self) -> String {
        let Self { before, state, reset, step, observe, mask } = self;
        format!(
            "{before}
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 10u;
struct State {{ {state} }}
fn env_reset(rng: ptr<function, Rng>) -> State {{ {reset} }}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{ {step} }}
fn env_observe(s: State) -> Observation {{ {observe} }}
{mask}
"
        )
    }
}

fn with(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::sound();
    change(&mut parts);
    parts.text().into_bytes()
}

fn before(text: impl Into<String>) -> Vec<u8> {
    with(|parts| parts.before = text.into())
}

fn step(text: &str) -> Vec<u8> {
    with(|parts| parts.step = format!("{text} {}", parts.step))
}

/// All that is refused, by name.
fn environments(draw: &mut Draw) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: Vec<u8>| all.push((name.to_owned(), text));
    // loops without end, in every function, in every form
    for (form, text) in [
        ("loop", "loop { x += 1.0; if x < 0.0 { break; } }"),
        ("while", "while x > 0.0 { x += 1.0; }"),
        ("for", "for (var i = 0u; x > 0.0; i++) { x += 1.0; }"),
        ("continuing", "loop { x += 1.0; continuing { break if x < 0.0; } }"),
        ("nested loops", "for (var i = 0u; i < 200u; i++) { for (var j = 0u; j < 200u; j++) { x += 1.0; } }"),
        ("helper", "x = turn(x);"),
    ] {
        let helper = "fn turn(from: f32) -> f32 { var x = from; while x > 0.0 { x += 1.0; } return x; }\n";
        let make = |change: &dyn Fn(&mut Parts)| {
            with(|parts| {
                parts.before = if form == "helper" { helper.to_owned() } else { String::new() };
                change(parts);
            })
        };
        add(
            &format!("{form} in step"),
            make(&|p| p.step = format!("var x = 1.0 + (*s).x; {text} return Outcome(x, false);")),
        );
        add(&format!("{form} in reset"), make(&|p| p.reset = format!("var x = 1.0; {text} return State(x);")));
        add(
            &format!("{form} in observe"),
            make(&|p| p.observe = format!("var x = 1.0; {text} return Observation(x);")),
        );
        let mask = |text: &str| {
            format!(
                "fn env_action_mask(s: State) -> ActionMask {{ var x = 1.0 + abs(s.x); {text} return ActionMask(true, x > 0.0); }}"
            )
        };
        add(&format!("{form} in mask"), make(&|p| p.mask = mask(text)));
    }
    // sizes
    for n in [100_000_u128, 1_000_000_000, 4_294_967_295, 18_446_744_073_709_551_616] {
        add(
            &format!("a state of {n} numbers"),
            with(|p| {
                p.state = format!("x: f32, y: array<f32, {n}>");
                "var s: State; s.x = rng_uniform(rng); return s;".clone_into(&mut p.reset);
            }),
        );
        add(
            &format!("a variable of {n} numbers"),
            step(&format!("var y: array<f32, {n}>; y[u32((*s).x)] = 1.0; (*s).x += y[7];")),
        );
        add(&format!("a private variable of {n} numbers"), before(format!("var<private> big: array<f32, {n}>;")));
        add(&format!("shared memory of {n} numbers"), before(format!("var<workgroup> big: array<f32, {n}>;")));
        add(
            &format!("arrays of arrays of {n}"),
            before(format!("struct Deep {{ a: array<array<array<f32, {n}>, {n}>, {n}> }}\nvar<private> deep: Deep;")),
        );
        add(
            &format!("{n} numbers of an observation"),
            with(|p| p.before = format!("const MORE: array<f32, {n}> = array<f32, {n}>();")),
        );
    }
    for name in ["OBSERVATION_DIM", "ACTION_COUNT"] {
        for n in ["0u", "4294967295u", "1000000000u", "-1", "1.5", "1u / 0u", "u32(1e30)", name] {
            let text = String::from_utf8(with(|_| {})).unwrap();
            let old = if name == "ACTION_COUNT" { "ACTION_COUNT: u32 = 2u" } else { "OBSERVATION_DIM: u32 = 1u" };
            add(&format!("{name} = {n}"), text.replace(old, &format!("{name}: u32 = {n}")).into_bytes());
        }
    }
    // depth
    for n in [1_000, 20_000] {
        let nest = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
        add(&format!("{n} parentheses"), step(&format!("let y = {};", nest("(", "1.0", ")"))));
        add(&format!("{n} blocks"), step(&nest("{", "", "}")));
        add(&format!("{n} conditions"), step(&nest("if (*s).x > 0.0 {", "", "}")));
        add(&format!("{n} loops"), step(&nest("loop {", "", "break; }")));
        // WGSL allows these, however many
        add(&format!("{MAY_PASS}: {n} signs"), step(&format!("let y = {}(*s).x;", "- ".repeat(n))));
        add(&format!("{MAY_PASS}: {n} negations"), step(&format!("let y = {}true;", "!".repeat(n))));
        add(&format!("{n} arrays"), before(format!("alias A = {};", nest("array<", "f32", ", 1>"))));
        add(&format!("{n} calls"), step(&format!("let y = {};", nest("abs(", "(*s).x", ")"))));
        add(&format!("{n} indices"), step(&format!("var a: array<u32, 2>; let y = {};", nest("a[", "0u", "]"))));
        add(
            &format!("{n} choices of else"),
            step(&format!("if (*s).x < 0.0 {{}} {}", "else if (*s).x > 1.0 { }".repeat(n))),
        );
        add(&format!("{n} comments in comments"), before(nest("/*", "", "*/") + "/*"));
        let chain: String = (0..n).map(|i| format!("fn f{i}() -> f32 {{ return f{}(); }}\n", i + 1)).collect();
        add(
            &format!("{n} functions that call each other"),
            before(chain + &format!("fn f{n}() -> f32 {{ return 1.0; }}")),
        );
        let constants: String = (1..n).map(|i| format!("const c{i}: u32 = c{} + 1u;\n", i - 1)).collect();
        add(
            &format!("{n} constants of constants and one without"),
            before("const c0 = none;\n".to_owned() + &constants),
        );
    }
    // circles
    add("recursion", before("fn f(x: f32) -> f32 { return f(x) + 1.0; }"));
    add("mutual recursion", before("fn f(x: f32) -> f32 { return g(x); }\nfn g(x: f32) -> f32 { return f(x); }"));
    add("recursion of its own functions", step("_ = env_step(s, action, rng);"));
    add("constants in a circle", before("const A = B;\nconst B = A;"));
    add("types in a circle", before("struct A { b: B }\nstruct B { a: A }"));
    add("aliases in a circle", before("alias A = B;\nalias B = A;"));
    add("a state of itself", with(|p| "x: f32, y: State".clone_into(&mut p.state)));
    // what sees other worlds, or the outside
    for call in [
        "subgroupAdd((*s).x)",
        "subgroupBroadcastFirst((*s).x)",
        "subgroupShuffle((*s).x, 1u)",
        "subgroupMax((*s).x)",
        "subgroupExclusiveAdd((*s).x)",
        "subgroupShuffleXor((*s).x, 1u)",
        "quadSwapX((*s).x)",
        "quadBroadcast((*s).x, 0u)",
        "dpdx((*s).x)",
        "f32(mw_spin())",
        "f32(mw_seed)",
        "f32(arrayLength(&mw_out))",
        "textureLoad(t, vec2(0), 0).x",
    ] {
        add(call, step(&format!("(*s).x = {call};")));
    }
    for call in ["workgroupBarrier", "storageBarrier", "subgroupBarrier", "textureBarrier"] {
        add(call, step(&format!("{call}();")));
    }
    for text in [
        "enable subgroups;",
        "enable f16;",
        "enable wgpu_ray_query;",
        "requires readonly_and_readwrite_storage_textures;",
        "@group(0) @binding(0) var<storage, read_write> mine: array<u32>;",
        "@group(0) @binding(0) var<uniform> mine: vec4<u32>;",
        "var<private> kept: f32;",
        "var<workgroup> kept: atomic<u32>;",
        "@group(3) @binding(0) var t: texture_2d<f32>;",
        "var<push_constant> mine: u32;",
        "@compute @workgroup_size(1) fn main() {}",
        "@fragment fn main() {}",
        "@compute @workgroup_size(1024, 1024, 1024) fn main() {}",
        "fn mw_spin() -> bool { return true; }",
        "const_assert false;",
        "fn env_reset() {}",
        "struct Outcome { x: f32 }",
        "alias f32 = u32;",
        "fn abs(x: f32) -> f32 { return x; }",
        "const X = 1 / 0;",
        "const X: u32 = 4294967296;",
        "const X = 1e40f;",
        "const X = 0x1p+10000f;",
        "override X: u32 = 1u / 0u;",
        "const X = array<u32, 4>()[9];",
        "diagnostic(error, derivative_uniformity);",
        "@unroll for",
        "@bind",
        "const X = vec4(1, 2)[7];",
        "#include </etc/passwd>",
        "import \"/etc/passwd\";",
        "fn f() { return 1; }",
    ] {
        add(text, before(text));
    }
    // bytes
    for n in [0, 1, 100, 10_000, 262_144, 262_145] {
        add(&format!("{n} bytes of noise"), (0..n).map(|_| draw.next() as u8).collect());
        let signs = b"{}()<>[];:,.@&*+-/=!|^%0u1.fx \n";
        add(&format!("{n} signs of noise"), (0..n).map(|_| signs[draw.below(signs.len() as u64) as usize]).collect());
        add(&format!("{n} zeros"), vec![0; n]);
    }
    let sound = with(|_| {});
    add("a mark of another encoding", [b"\xff\xfe", &sound[..]].concat());
    add("a zero in the middle", [&sound[..80], b"\0", &sound[80..]].concat());
    add("16 MB of comment", [&sound[..], &b"// more\n".repeat(2 << 20)].concat());
    add("an escape sequence", before("const \u{1b}[2J = 1;"));
    add("a turned text", before("const \u{202e}x = none;"));
    add("a name of 200,000 letters", before(format!("const {} = none;", "x".repeat(200_000))));
    add("a number of 200,000 digits", before(format!("const X: u32 = {};", "9".repeat(200_000))));
    add("an ELF file", std::fs::read("/proc/self/exe").map(|bytes| bytes[..200_000].to_vec()).unwrap());
    add("a sound one cut short", sound[..sound.len() / 2].to_vec());
    add("20,000 statements", step(&"(*s).x = sin_((*s).x) + 1.0;\n".repeat(9_000)));
    add(
        "a switch of 9,000 cases",
        step(&format!(
            "switch u32((*s).x) {{ {} default: {{}} }}",
            (0..9_000).map(|i| format!("case {i}u: {{ (*s).x = {i}.0; }}\n")).collect::<String>()
        )),
    );
    // one bit of a sound one: some are still sound, which the judge allows
    for _ in 0..60 {
        let mut bytes = sound.clone();
        let at = draw.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << draw.below(8);
        add(&format!("{MAY_PASS}: a bit of byte {at}"), bytes);
    }
    all
}

/// Names of those that can be sound begin so.
const MAY_PASS: &str = "perhaps sound";

pub fn inject(plan: &Plan, score: &mut Score) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.wgsl");
    let out = folder.path().join("out");
    let mut draw = Draw(plan.seed);
    for (n, (name, text)) in plan.some(14, environments(&mut draw)).into_iter().enumerate() {
        std::fs::write(&file, text).unwrap();
        // in turns, since all of them begin with the same trial
        let arguments = [
            &["trace", "--steps", "1"][..],
            &["check-env"],
            &["train", "--out", out.to_str().unwrap(), "--set", "total_timesteps=512"],
        ];
        let mut command = manyworlds(arguments[n % 3]);
        command.arg(&file).env("MANYWORLDS_TRIAL_SECONDS", TRIAL.0.to_string());
        command.env("MANYWORLDS_TRIAL_MEMORY", TRIAL.1.to_string()).current_dir(folder.path());
        if n % 3 == 2 {
            command.args([
                "--set",
                "num_envs=64",
                "--set",
                "num_steps=8",
                "--set",
                "hidden=[8]",
                "--set",
                "eval_episodes=8",
            ]);
        }
        let may_pass = name.starts_with(MAY_PASS);
        let ended = Running::start(command).end();
        // a check that fails is exit code 1 of check-env, and no error
        let verdict = if may_pass && ended.code != Some(2) {
            ensure(ended.code.is_some_and(|code| code < 2), || ended.shown())
        } else {
            ended
                .is_sound(&[2])
                .and_then(|()| bounded(&ended))
                .and_then(|()| ensure(!out.exists(), || "a directory is left".to_owned()))
        };
        let _ = std::fs::remove_dir_all(&out);
        score.judge(format!("{name} ({})", arguments[n % 3][0]), verdict);
    }
}

fn bounded(ended: &super::harness::Ended) -> Verdict {
    ensure(ended.processor <= TIME, || format!("more than {TIME:?}: {}", ended.shown()))?;
    ensure(ended.peak <= MEMORY, || format!("more than {MEMORY} bytes: {}", ended.shown()))?;
    ensure(ended.err.len() < 20_000, || format!("{} bytes of error", ended.err.len()))
}
