//! What naga says of a text that is no module.

use super::locate::{before, statement, tokens};
use super::{Told, conversion};
use crate::error::nearest;
use naga::front::wgsl::ParseError;
use std::ops::Range;

/// Most names of an author that a misspelt one is compared with.
const MOST_NAMES: usize = 2048;
/// Names of WGSL and of the engine that authors use.
const KNOWN: [&str; 60] = [
    "rng_u32",
    "rng_uniform",
    "rng_range",
    "rng_below",
    "rng_normal",
    "sin_",
    "cos_",
    "exp_",
    "log_",
    "tanh_",
    "wrap_",
    "Rng",
    "Action",
    "ActionMask",
    "Outcome",
    "Observation",
    "State",
    "abs",
    "acos",
    "all",
    "any",
    "asin",
    "atan",
    "atan2",
    "bitcast",
    "ceil",
    "clamp",
    "cross",
    "degrees",
    "distance",
    "dot",
    "exp2",
    "floor",
    "fma",
    "fract",
    "inverseSqrt",
    "length",
    "log2",
    "max",
    "min",
    "mix",
    "normalize",
    "pow",
    "radians",
    "reflect",
    "round",
    "saturate",
    "select",
    "sign",
    "smoothstep",
    "sqrt",
    "step",
    "tan",
    "trunc",
    "transpose",
    "array",
    "bool",
    "vec2",
    "vec3",
    "vec4",
];
/// What people from other languages write, and what WGSL has.
const ELSEWHERE: [(&str, &str); 27] = [
    ("clip", "clamp(x, low, high)"),
    ("PI", "a constant of your own: const PI: f32 = 3.14159265;"),
    ("pi", "a constant of your own: const PI: f32 = 3.14159265;"),
    ("self", "(*s), the state that env_step is given"),
    ("this", "(*s), the state that env_step is given"),
    ("float", "f32"),
    ("double", "f32"),
    ("int", "i32"),
    ("uint", "u32"),
    ("boolean", "bool"),
    ("True", "true"),
    ("False", "false"),
    ("random", "rng_uniform(rng)"),
    ("rand", "rng_uniform(rng)"),
    ("randint", "rng_below(rng, n)"),
    ("randn", "rng_normal(rng)"),
    ("fabs", "abs(x)"),
    ("ln", "log_(x)"),
    ("arctan2", "atan2(y, x)"),
    ("arctan", "atan(x)"),
    ("power", "pow(x, y)"),
    ("mod", "the operator %"),
    ("fmod", "the operator %"),
    ("where", "select(no, yes, condition)"),
    ("np", "functions without a prefix, such as clamp or abs"),
    ("math", "functions without a prefix, such as clamp or abs"),
    ("None", "a number or a flag in State, since WGSL has no empty value"),
];

/// An error of the parser. `own` is the author's part of the text, where there is one.
pub(in crate::shader) fn of_parsing(error: &ParseError, text: &str, own: Option<Range<usize>>) -> Told {
    let first = error.labels().next().map(|(span, label)| (span.to_range(), label.to_owned()));
    let (place, label) = first.unwrap_or((None, String::new()));
    let plain = Told { place: place.clone(), message: error.message().to_owned(), label };
    match place {
        Some(place) => at_a_place(error, text, place.clone()).unwrap_or(plain),
        None => nowhere(error, text, own).unwrap_or(plain),
    }
}

/// An error whose place naga knows.
fn at_a_place(error: &ParseError, text: &str, place: Range<usize>) -> Option<Told> {
    let message = error.message();
    let marked = text.get(place.clone())?;
    let told = |message: String| Some(Told { place: Some(place.clone()), message, label: String::new() });
    let last = || before(text, place.start).next();
    if message.starts_with("no definition in scope for identifier") {
        if let Some((_, instead)) = ELSEWHERE.iter().find(|(name, _)| *name == marked) {
            return told(format!("WGSL has no `{marked}`; write {instead}"));
        }
        let own = words_of_the_author(text, marked);
        let near = nearest(marked, KNOWN.into_iter().chain(own.iter().copied()));
        let near = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        return told(format!("nothing is called `{marked}` here{near}"));
    }
    if message.starts_with("invalid field accessor") {
        // names of fields and of components
        let all = tokens(text);
        let fields = all.windows(2).filter(|pair| pair[1].1 == ":").map(|pair| pair[0].1);
        let near = nearest(marked, fields.filter(|name| !name.starts_with("mw_")));
        let near = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        return told(format!("there is no field `{marked}`{near}"));
    }
    if message.starts_with("invalid left-hand side of assignment") {
        let name =
            tokens(marked).into_iter().find(|(_, word)| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))?.1;
        let function = text[..place.start].rfind("\nfn ").unwrap_or(0);
        let words = tokens(&text[function..place.start]);
        let made =
            words.windows(2).rev().find(|pair| pair[1].1 == name && matches!(pair[0].1, "let" | "const" | "(" | ","));
        return match made.map(|pair| pair[0].1) {
            Some("let") => {
                told(format!("`{name}` was made with `let`, which never changes; make it with `var {name} = …`"))
            }
            Some("(" | ",") => {
                told(format!("`{name}` is given as a value, which never changes; change a copy: `var copy = {name};`"))
            }
            _ => None,
        };
    }
    if message.starts_with("the operand of the `*` operator must be a pointer") {
        if marked.starts_with('*') {
            return told("WGSL has no `**`; write x * x, or pow(x, y)".to_owned());
        }
        if let Some((name, field)) = marked.split_once('.') {
            return told(format!("a dot binds closer than `*`; write (*{name}).{field}"));
        }
        return told(format!("`{marked}` is no pointer; leave the `*` away"));
    }
    if message.starts_with("the operand of the `&` operator must be a reference") {
        return told("this is a pointer or a value already; leave the `&` away".to_owned());
    }
    if message.starts_with("expected assignment or increment/decrement") {
        return match last() {
            Some((at, "elif" | "elsif" | "elseif")) => {
                let place = Some(at..place.start);
                Some(Told { place, message: "WGSL writes this `else if`".to_owned(), label: String::new() })
            }
            Some((at, kind @ ("int" | "uint" | "float" | "double" | "bool" | "f32" | "i32" | "u32"))) => {
                let message = format!("a variable is declared by `var {marked} = …;`, not by `{kind} {marked}`");
                Some(Told { place: Some(at..place.end), message, label: String::new() })
            }
            _ => None,
        };
    }
    if message.starts_with("expected `;`") {
        if marked == "?" {
            return told("WGSL has no `? :`; write select(no, yes, condition)".to_owned());
        }
        let (at, word) = last()?;
        if ["++", "--", "^", "!"].contains(&marked) {
            return None;
        }
        let end = at + word.len();
        return Some(Told {
            place: Some(end..end + 1),
            message: "a `;` is missing".to_owned(),
            label: "here".to_owned(),
        });
    }
    if message.starts_with("expected `{`") && marked == "=" {
        return told("a condition compares by `==`; `=` assigns".to_owned());
    }
    if message.starts_with("this operation is not supported in a const context") {
        return told("a `const` is known before anything runs, and this is not; write `let`".to_owned());
    }
    if message.starts_with("increment/decrement operation requires") {
        return told("`++` and `--` are for i32 and u32; write x += 1.0".to_owned());
    }
    if message.ends_with("is a reserved keyword") {
        return told(format!("`{marked}` is a word of WGSL; choose another name"));
    }
    // automatic conversions cannot convert elements of `i32` to `f32`
    if let Some(types) = message.strip_prefix("automatic conversions cannot convert ") {
        let mut quoted = types.split('`').skip(1).step_by(2);
        let (found, wanted) = (quoted.next()?, quoted.next()?);
        return told(format!("{wanted} is wanted here, and this is {found}{}", conversion(found, wanted)));
    }
    // the type of `k` is expected to be `f32`, but got `u32`
    if let Some(types) = message.strip_prefix("the type of ") {
        let mut quoted = types.split('`').skip(1).step_by(2);
        let (name, wanted, found) = (quoted.next()?, quoted.next()?, quoted.next()?);
        return told(format!(
            "`{name}` is declared as {wanted}, and its value is {found}{}",
            conversion(found, wanted)
        ));
    }
    // wrong type passed as argument #1 to `sin`
    let typed = message
        .strip_prefix("wrong type passed as argument #")
        .or(message.strip_prefix("inconsistent type passed as argument #"))?;
    let (number, function) = typed.split_once(" to ")?;
    let kinds: Vec<&str> = error
        .notes()
        .filter_map(|note| note.strip_prefix("allowed type: "))
        .filter(|kind| {
            !kind.contains("f16")
                && !kind.contains("f64")
                && !kind.contains("i64")
                && !kind.contains("u64")
                && !kind.contains("Abstract")
        })
        .collect();
    let found = error
        .labels()
        .find_map(|(_, label)| label.strip_prefix("argument #")?.split_once("has type `")?.1.split('`').next());
    let found = found.map_or_else(String::new, |found| format!(" and is {found}"));
    let kinds = if kinds.is_empty() { "another type".to_owned() } else { kinds.join(", ") };
    told(format!(
        "argument {number} of {function} must be {kinds}{found}; WGSL converts nothing by itself, write f32(…), i32(…) or u32(…)"
    ))
}

/// An error whose place is to be looked for.
fn nowhere(error: &ParseError, text: &str, own: Option<Range<usize>>) -> Option<Told> {
    let message = error.message();
    let fails = |text: &str| {
        naga::front::wgsl::parse_str(text)
            .is_err_and(|error| error.labels().len() == 0 && similar(error.message(), message))
    };
    let place = statement(text, own?, &fails);
    let marked = place.clone().map_or("", |place| &text[place]);
    let told = |message: String| Some(Told { place: place.clone(), message, label: String::new() });
    if let Some(operands) = message.strip_prefix("Incompatible operands: ") {
        let kind = operands.split(['(', ',', ' ']).nth(1).unwrap_or("a number");
        let sign = match operands.split('(').next() {
            Some("LogicalAnd") => "&&",
            Some("LogicalOr") => "||",
            _ => {
                return told(format!(
                    "this operation is not for these types ({operands}); WGSL converts nothing by itself"
                ));
            }
        };
        return told(format!(
            "`{sign}` takes two bools, and this one is {kind}; compare it first, as in `x > 0 {sign} …`"
        ));
    }
    if message.starts_with("Invalid access into expression") {
        if marked.contains("action[") {
            return told("an Action of ACTION_COUNT is one u32, without [ ]; write `action`".to_owned());
        }
        return told("what has no parts is taken apart here, by [ ] or by a dot".to_owned());
    }
    place.as_ref()?;
    told(message.to_owned())
}

/// Whether two messages are the same but for numbers of expressions.
fn similar(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    plain(a) == plain(b)
}

/// Names that a text declares, but for those of the engine.
fn words_of_the_author<'a>(text: &'a str, but: &str) -> Vec<&'a str> {
    let all = tokens(text);
    let declared = all.windows(2).filter(|pair| {
        matches!(pair[0].1, "let" | "var" | "const" | "override" | "fn" | "struct" | "alias") || {
            // an argument or a field
            all.len() > 2 && pair[1].1 == ":"
        }
    });
    let name = |pair: &[(usize, &'a str)]| if pair[1].1 == ":" { pair[0].1 } else { pair[1].1 };
    let mut names: Vec<&str> =
        declared.map(name).filter(|name| *name != but && !name.to_lowercase().starts_with("mw")).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST_NAMES);
    names
}
