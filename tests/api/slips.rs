//! The slips of people who write their first environment: each is told in words of theirs, at the line where it is.

use manyworlds::Environment;

const TEMPLATE: &str = include_str!("../../examples/template.wgsl");

/// The template with one text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "the template lacks '{from}'");
    TEMPLATE.replacen(from, to, 1)
}

/// With a line more in `env_step`.
fn put(line: &str) -> String {
    changed("    let push =", &format!("    {line}\n    let push ="))
}

/// With three choices instead of a number, and a line more.
fn choices(line: &str) -> String {
    let bounds = TEMPLATE
        .lines()
        .filter(|line| !["const ACTION_LOW", "const ACTION_HIGH"].iter().any(|name| line.starts_with(name)));
    let text: String = bounds.map(|line| line.to_owned() + "\n").collect();
    let text = text.replace("const ACTION_DIM: u32 = 1u;", "const ACTION_COUNT: u32 = 3u;");
    text.replace("let push = clamp(action[0], -1.0, 1.0);", &format!("{line}\n    let push = f32(action) - 1.0;"))
}

#[test]
fn slips_are_told_in_words_of_their_author_where_they_are() {
    let outcome = "return Outcome(-cost - select(0.0, 100.0, lost), lost);";
    let observation = "return Observation(s.position, s.velocity);";
    // what is changed, what is marked, what is said
    for (text, marked, words) in [
        (
            changed("OBSERVATION_DIM: u32 = 2u", "OBSERVATION_DIM: u32 = 1u"),
            "Observation(s.position",
            "OBSERVATION_DIM is 1, and 2 numbers are observed here; write `const OBSERVATION_DIM: u32 = 2u;`",
        ),
        (
            changed("OBSERVATION_DIM: u32 = 2u", "OBSERVATION_DIM: u32 = 3u"),
            "Observation(s.position",
            "OBSERVATION_DIM is 3, and 2 numbers are observed here",
        ),
        (
            changed(outcome, "return Outcome(-cost, lost, false);"),
            "Outcome(-cost, lost",
            "an Outcome has two parts, Outcome(reward, terminated), and 3 are given",
        ),
        (
            changed(outcome, "return Outcome(lost, -cost);"),
            "Outcome(lost",
            "`reward` of Outcome is f32, and this is bool; write Outcome(reward, terminated)",
        ),
        (
            changed(outcome, "return -cost;"),
            "-cost;",
            "`env_step` returns an Outcome, Outcome(reward, terminated), and this is f32",
        ),
        (changed(outcome, ""), "fn env_step", "`env_step` must return an Outcome"),
        (
            changed(" -> Outcome {", " {"),
            outcome.trim_start_matches("return "),
            "declares no result; write `fn env_step(…) -> Outcome`",
        ),
        (
            changed("return State(position, velocity);", "return State(position);"),
            "State(position);",
            "State has 2 fields (position, velocity), and 1 is given",
        ),
        (
            changed(observation, "return vec2<f32>(s.position, s.velocity);"),
            "vec2<f32>(s",
            "`env_observe` returns an Observation, Observation(…) with OBSERVATION_DIM numbers, and this is vec2<f32>",
        ),
        (
            changed(observation, "return Observation(s.position, s.position > 0.0);"),
            "s.position > 0.0",
            "number 1 of Observation is f32, and this is bool; write select(0.0, 1.0, …)",
        ),
        (
            changed(observation, "s.position = 1.0;\n    return Observation(s.position, s.velocity);"),
            "s.position = 1.0",
            "`s` is given as a value, which never changes; change a copy",
        ),
        (
            choices("if (action) { (*s).velocity = 0.0; }"),
            "action) {",
            "`if` takes a bool, and this is u32; compare it, as in `if action == 1u`",
        ),
        (
            put("if old.position { (*s).velocity = 0.0; }"),
            "old.position {",
            "`if` takes a bool, and this is f32; compare it, as in `if old.position > 0.0`",
        ),
        (
            choices("let pull = action - 1.0;"),
            "action - 1.0",
            "`-` takes two values of one type, and these are u32 and a number with a decimal point; WGSL converts nothing by itself: write f32(…) around the u32",
        ),
        (
            choices("let pull = force * action;"),
            "force * action",
            "`*` takes two values of one type, and these are f32 and u32; WGSL converts nothing by itself: write f32(…) around the u32",
        ),
        (choices("let pull = -action;"), "-action", "`-` is for f32 and i32, and this is u32"),
        (
            choices("if !action { (*s).velocity = 0.0; }"),
            "!action",
            "`!` takes a bool, and this is u32; compare it, as in `action == 0`",
        ),
        (
            choices("if action && 1u { (*s).velocity = 0.0; }"),
            "if action",
            "`&&` takes two bools, and this one is u32; compare it first",
        ),
        (
            choices("let pull = action[0];"),
            "let pull",
            "an Action of ACTION_COUNT is one u32, without [ ]; write `action`",
        ),
        (put("let twice = action * 2.0;"), "action * 2.0", "take one of its numbers, as in action[0]"),
        (
            put("let k: f32 = 1u;"),
            "k: f32",
            "`k` is declared as f32, and its value is u32; WGSL converts nothing by itself: write f32(…)",
        ),
        (
            put("let speed = 1.0;\n    speed = 2.0;"),
            "speed = 2.0",
            "`speed` was made with `let`, which never changes; make it with `var speed = …`",
        ),
        (put("old.position = 2.0;"), "old.position = 2.0", "`old` was made with `let`"),
        (put("*s.position = 2.0;"), "s.position = 2.0", "a dot binds closer than `*`; write (*s).position"),
        (put("let z = old.position ** 2.0;"), "** 2.0", "WGSL has no `**`"),
        (
            put("let z = old.position > 0.0 ? 1.0 : 0.0;"),
            "? 1.0",
            "WGSL has no `? :`; write select(no, yes, condition)",
        ),
        (put("let z = 1.0"), "let z", "a `;` is missing"),
        (put("if old.position = 1.0 { }"), "= 1.0 { }", "a condition compares by `==`"),
        (put("if true { } elif true { }"), "elif", "WGSL writes this `else if`"),
        (put("for (int i = 0; i < 3; i++) { }"), "int i", "a variable is declared by `var i = …;`"),
        (put("for (var i = 0; i < 3u; i++) { }"), "i < 3u", "these are i32 and u32"),
        (put("const k = old.position;"), "old.position;", "write `let`"),
        (put("let new = 1.0;"), "new", "`new` is a word of WGSL; choose another name"),
        (put("var k = 0.0;\n    k++;"), "++;", "write x += 1.0"),
        (put("(*s).positon = 1.0;"), "positon", "there is no field `positon`; did you mean 'position'?"),
        (put("(*s).position = veloctiy;"), "veloctiy", "nothing is called `veloctiy` here; did you mean 'velocity'?"),
        (put("(*s).position = completely_else;"), "completely_else", "nothing is called `completely_else` here"),
        (
            put("(*s).position = clip(old.position, -1.0, 1.0);"),
            "clip(",
            "WGSL has no `clip`; write clamp(x, low, high)",
        ),
        (put("let z: float = 1.0;"), "float", "WGSL has no `float`; write f32"),
        (put("self.position = 1.0;"), "self", "WGSL has no `self`; write (*s)"),
        (changed("rng_range(rng, -1.0, 1.0)", "rng_unifrom(rng)"), "rng_unifrom", "did you mean 'rng_uniform'?"),
        (
            changed("rng_range(rng, -1.0, 1.0)", "rng_range(rng)"),
            "rng_range(rng);",
            "`rng_range` takes 3 arguments (rng, low, high), and 1 is given",
        ),
        (
            changed("rng_range(rng, -1.0, 1.0)", "rng_range(rng, -1.0, 1u)"),
            "1u)",
            "argument 3 of `rng_range` is f32, and this is u32",
        ),
        (changed("rng_range(rng, -1.0, 1.0)", "rng_range(&rng, -1.0, 1.0)"), "&rng", "leave the `&` away"),
        (
            put("let z = select(0.0, 1.0, old.position);"),
            "select(0.0, 1.0, old",
            "comes last and is a bool, and this is f32",
        ),
        (
            put("var a = array<f32, 2>(1.0, 2.0);\n    let z = a[old.position];"),
            "old.position];",
            "an index is an i32 or a u32, and this is f32",
        ),
        (put("var a = array<f32, 2>(1.0, 2.0);\n    let z = a[5];"), "a[5]", "there is no [5] in array<f32, 2>"),
        (put("let z = clamp(old.position, 0.0, 1u);"), "clamp(old", "argument 3 of `clamp` must be f32"),
    ] {
        let error = Environment::from_source("mine.wgsl", "mine.wgsl", &text).expect_err(words);
        let (told, shown) = (error.to_string(), format!("{words}:\n{error}"));
        let at = text.find(marked).unwrap_or_else(|| panic!("'{marked}' is not in the file"));
        let line = text[..at].matches('\n').count() + 1;
        assert!(told.contains(words) && told.contains('^'), "{shown}");
        assert!(told.contains(&format!("mine.wgsl:{line}:")), "line {line} expected: {shown}");
        assert!(!["Expression [", "Function [", "naga"].iter().any(|word| told.contains(word)), "{shown}");
        assert_eq!(error.exit_code(), 2, "{shown}");
    }
}
