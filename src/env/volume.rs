//! How much the values of a file hold, found before naga reads it: naga copies a constant wherever a function uses it, and
//! writes out every zero of an array, so a line can cost it gigabytes.

use super::contract::LARGEST_SPACE;
use super::limits::MEMORY;
use super::scan::{Declaration, File, Kind, tokens};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// Words of all values that a file writes, each as often as it is written.
const LARGEST: u64 = 1 << 20;

/// A word or sign, and where it stands.
type Token<'a> = (usize, &'a str);

/// A constant or a type: what stands for its value, and in which outermost declaration it is known.
#[derive(Clone, Copy)]
struct Known<'a, 'b> {
    kind: Kind,
    value: &'b [Token<'a>],
    scope: usize,
}

/// Where something is known that is declared outermost.
const EVERYWHERE: usize = usize::MAX;

impl File {
    /// Refuses values, and values all together, that hold more than any environment needs.
    pub fn check_volume(&self) -> Result<()> {
        let all: Vec<Token> = tokens(&self.part.text).collect();
        let within = |found: &Declaration| {
            let first = all.partition_point(|(at, _)| *at < found.range.start);
            &all[first..all.partition_point(|(at, _)| *at < found.range.end)]
        };
        let mut volume = Volume { file: self, known: HashMap::new(), words: HashMap::new(), numbers: HashMap::new() };
        for (scope, found) in self.declarations.iter().enumerate() {
            let inside = within(found);
            if found.kind == Kind::Function {
                for (i, _) in inside.iter().enumerate().filter(|(_, (_, word))| *word == "const") {
                    let rest = &inside[i + 1..];
                    let rest = &rest[..rest.iter().position(|(_, sign)| *sign == ";").unwrap_or(rest.len())];
                    if let Some((_, name)) = rest.first() {
                        let known = Known { kind: Kind::Constant, value: value(Kind::Constant, rest), scope };
                        volume.known.entry((scope, name)).or_default().push(known);
                    }
                }
            } else {
                let known = Known { kind: found.kind, value: value(found.kind, inside), scope: EVERYWHERE };
                volume.known.entry((EVERYWHERE, &found.name)).or_default().push(known);
            }
        }
        let mut sum: u64 = 0;
        for (scope, found) in self.declarations.iter().enumerate() {
            sum = sum.saturating_add(volume.of(within(found), scope)?);
            if sum > LARGEST {
                let reason = format!(
                    "the values that are written up to here hold more than {LARGEST} numbers, a constant being counted \
                     wherever it is used; copy a large one into a variable once, or compute what it holds"
                );
                return Err(self.complaint(&found.name, &reason));
            }
        }
        Ok(())
    }
}

/// What stands for the value in a declaration: behind its `=`, or its body.
fn value<'a, 'b>(kind: Kind, tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let opening = if kind == Kind::Struct { "{" } else { "=" };
    let first = tokens.iter().position(|(_, sign)| *sign == opening).map_or(tokens.len(), |at| at + 1);
    &tokens[first..]
}

/// Whether an expression makes a value of several: it calls something.
fn calls(tokens: &[Token]) -> bool {
    let ends = |word: &str| word == ">" || word.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    tokens.windows(2).any(|pair| pair[1].1 == "(" && ends(pair[0].1))
}

struct Volume<'a, 'b> {
    file: &'a File,
    /// By scope and name; a name can be declared twice in the blocks of a function.
    known: HashMap<(usize, &'a str), Vec<Known<'a, 'b>>>,
    /// Words of what is known already; none while they are being counted.
    words: HashMap<(usize, &'a str), Option<u64>>,
    /// Values of constants of whole numbers, in the same way.
    numbers: HashMap<(usize, &'a str), Option<u64>>,
}

impl<'a> Volume<'a, '_> {
    fn refuse(&self, (at, word): Token, reason: &str) -> Error {
        Error::Shader(self.file.part.complain(at, word.len(), &format!("error: {reason}"), ""))
    }

    /// Where a name is declared, as seen from a scope.
    fn place(&self, name: &'a str, scope: usize) -> Option<(usize, &'a str)> {
        [(scope, name), (EVERYWHERE, name)].into_iter().find(|place| self.known.contains_key(place))
    }

    /// Words of all values and types that are written here.
    fn of(&mut self, tokens: &[Token<'a>], scope: usize) -> Result<u64> {
        let (mut sum, mut at) = (0_u64, 0);
        while at < tokens.len() {
            // the name of a member or an argument, or of one that is reached for
            let is_name = tokens.get(at + 1).is_some_and(|(_, sign)| *sign == ":")
                || at.checked_sub(1).is_some_and(|before| tokens[before].1 == ".");
            let (words, next) = if is_name { (1, at + 1) } else { self.at(tokens, at, scope)? };
            sum = sum.saturating_add(words);
            at = next;
        }
        Ok(sum)
    }

    /// Words of what stands at a place, and where it ends.
    fn at(&mut self, tokens: &[Token<'a>], at: usize, scope: usize) -> Result<(u64, usize)> {
        let token @ (_, word) = tokens[at];
        let is = |place: usize, sign: &str| tokens.get(place).is_some_and(|(_, found)| *found == sign);
        if word != "array" || !is(at + 1, "<") || at + 2 >= tokens.len() {
            return Ok((self.named(token, scope)?, at + 1));
        }
        let (element, mut behind) = self.at(tokens, at + 2, scope)?;
        if is(behind, "<") {
            // vec4<f32>
            let length = tokens[behind..].iter().position(|(_, sign)| [">", ",", ";"].contains(sign)).unwrap_or(0);
            behind += length + usize::from(is(behind + length, ">"));
        }
        if !is(behind, ",") {
            return Ok((element, behind)); // naga says what is missing
        }
        let mut depth = 0;
        let ends = |&(_, sign): &Token| {
            depth += i32::from(sign == "(") - i32::from(sign == ")");
            (sign == ">" || sign == ",") && depth <= 0 || [";", "{", "}"].contains(&sign)
        };
        let end = behind + 1 + tokens[behind + 1..].iter().position(ends).unwrap_or(tokens.len() - behind - 1);
        let length = &tokens[behind + 1..end];
        let Some(length) = self.number(length, scope) else {
            let changing = |&&(_, word): &&Token<'a>| {
                let known = self.place(word, scope).and_then(|place| self.known[&place].first().copied());
                known.is_some_and(|known| known.kind == Kind::Override)
            };
            let reason = match length.iter().find(changing) {
                Some((_, name)) => {
                    format!("the length of an array cannot change, and '{name}' is an override; make it a const")
                }
                None => "the length of an array is a whole number, or a const that is made of such with + - * / %"
                    .to_owned(),
            };
            return Err(self.refuse(length.first().copied().unwrap_or(token), &reason));
        };
        let words = element.saturating_mul(length);
        self.check(token, words)?;
        // past a comma, and the bracket
        let close = end + usize::from(is(end, ","));
        Ok((words, close + usize::from(is(close, ">"))))
    }

    fn check(&self, token: Token, words: u64) -> Result<()> {
        if words <= u64::from(MEMORY / 4) {
            return Ok(());
        }
        let bytes = words.saturating_mul(4);
        let reason = format!("'{}' holds {bytes} bytes in one value; at most {MEMORY} are allowed", token.1);
        Err(self.refuse(token, &reason))
    }

    /// Words of what a name stands for.
    fn named(&mut self, token: Token<'a>, scope: usize) -> Result<u64> {
        let (_, word) = token;
        let Some(place) = self.place(word, scope) else {
            let whole = |name: &'static str, volume: &mut Self| {
                let place = volume.known.contains_key(&(EVERYWHERE, name));
                let number = if place { volume.number_of((EVERYWHERE, name)) } else { None };
                number.unwrap_or(1).min(LARGEST_SPACE.into())
            };
            return Ok(match word {
                "Observation" => whole("OBSERVATION_DIM", self),
                "Action" => whole("ACTION_DIM", self),
                "ActionMask" => whole("ACTION_COUNT", self),
                _ if !word.starts_with(|c: char| c.is_alphanumeric() || c == '_') => 0,
                _ if word.starts_with("vec") => 4,
                _ if word.starts_with("mat") => 16,
                _ => 1,
            });
        };
        match self.words.get(&place) {
            Some(Some(words)) => return Ok(*words),
            Some(None) => {
                return Err(self.refuse(token, &format!("'{word}' is declared by itself, a cyclic declaration")));
            }
            None => self.words.insert(place, None),
        };
        let mut sum = 0_u64;
        for known in self.known[&place].clone() {
            let words = match known.kind {
                Kind::Override => 1,
                Kind::Constant if !calls(known.value) => {
                    // what is added or compared has the size of the larger
                    let each = known.value.iter().map(|&token| self.named(token, known.scope));
                    each.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(0)
                }
                _ => self.of(known.value, known.scope)?,
            };
            sum = sum.saturating_add(words);
        }
        self.check(token, sum)?;
        self.words.insert(place, Some(sum));
        Ok(sum)
    }

    /// A whole number that is made of numbers and constants.
    fn number(&mut self, tokens: &[Token<'a>], scope: usize) -> Option<u64> {
        let mut rest = tokens;
        let number = self.sum(&mut rest, scope)?;
        rest.is_empty().then_some(number)
    }

    fn number_of(&mut self, place: (usize, &'a str)) -> Option<u64> {
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        self.numbers.insert(place, None);
        let number = match self.known[&place][..] {
            [Known { kind: Kind::Constant, value, scope }] => {
                let end = value.iter().position(|(_, sign)| *sign == ";").unwrap_or(value.len());
                self.number(&value[..end], scope)
            }
            _ => None,
        };
        self.numbers.insert(place, number);
        number
    }

    fn sum(&mut self, rest: &mut &[Token<'a>], scope: usize) -> Option<u64> {
        let mut left = self.product(rest, scope)?;
        while let Some((_, sign @ ("+" | "-"))) = rest.first() {
            *rest = &rest[1..];
            let right = self.product(rest, scope)?;
            left = if *sign == "+" { left.checked_add(right)? } else { left.checked_sub(right)? };
        }
        Some(left)
    }

    fn product(&mut self, rest: &mut &[Token<'a>], scope: usize) -> Option<u64> {
        let mut left = self.factor(rest, scope)?;
        while let Some((_, sign @ ("*" | "/" | "%"))) = rest.first() {
            *rest = &rest[1..];
            let right = self.factor(rest, scope)?;
            left = match *sign {
                "*" => left.checked_mul(right)?,
                "/" => left.checked_div(right)?,
                _ => left.checked_rem(right)?,
            };
        }
        Some(left)
    }

    fn factor(&mut self, rest: &mut &[Token<'a>], scope: usize) -> Option<u64> {
        let (&(_, word), behind) = rest.split_first()?;
        *rest = behind;
        match word {
            "u32" | "i32" => self.factor(rest, scope),
            "(" => {
                let number = self.sum(rest, scope)?;
                let (&(_, sign), behind) = rest.split_first()?;
                *rest = behind;
                (sign == ")").then_some(number)
            }
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
                let digits = word.trim_end_matches(['u', 'i']);
                match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
                    Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
                    None => digits.parse().ok(),
                }
            }
            _ => {
                let place = self.place(word, scope)?;
                self.number_of(place)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::env::Environment;
    use crate::env::tests::{SMALL, refused};
    use std::fmt::Write;

    /// Each would take naga gigabytes, or for ever.
    #[test]
    fn values_that_explode_are_refused_before_naga_sees_them() {
        let add = |more: &str| format!("{SMALL}\n{more}\n");
        let put = |code: &str| SMALL.replace("(*s).x += 1.0;", code);
        let chain = |keyword: &str, name: &str| {
            let mut text = format!("{keyword} {name}0 = array<f32, 8>();\n");
            for i in 1..12 {
                let _ =
                    writeln!(text, "{keyword} {name}{i} = array({});", vec![format!("{name}{}", i - 1); 8].join(","));
            }
            text
        };
        let aliases = (1..12)
            .fold("alias T0 = f32;\n".to_owned(), |text, i| text + &format!("alias T{i} = array<T{}, 8>;\n", i - 1));
        let structs = (1..40).fold("struct S0 { x: f32 }\n".to_owned(), |text, i| {
            text + &format!("struct S{i} {{ a: S{0}, b: S{0} }}\n", i - 1)
        });
        for (case, text, words) in [
            ("zeros", add("const X = abs(array<f32, 1000000000>());"), "holds 4000000000 bytes"),
            (
                "a sum of zeros",
                put("let y = array<f32, 1000000000>() + array<f32, 1000000000>();"),
                "holds 4000000000 bytes",
            ),
            ("constants of constants", add(&chain("const", "a")), "bytes in one value"),
            ("those in a function", put(&chain("const", "a")), "bytes in one value"),
            ("aliases of arrays", add(&aliases), "bytes in one value"),
            ("structs of structs", add(&(structs + "fn f(s: S39) -> f32 { return 1.0; }")), "bytes in one value"),
            (
                "a product that overflows",
                add("const N = 4294967295u * 4294967295u; alias A = array<f32, N>;"),
                "bytes in one value",
            ),
            (
                "an override's length",
                add("override n: u32 = 4; fn f() { var x: array<f32, n>; }"),
                "'n' is an override",
            ),
            (
                "a length by a function",
                add("alias A = array<f32, max(4u, 1000000000u)>;"),
                "the length of an array is a whole number",
            ),
            ("a length below 0", add("alias A = array<f32, 3u - 4u>;"), "the length of an array is a whole number"),
            ("a division by 0", add("alias A = array<f32, 3u / 0u>;"), "the length of an array is a whole number"),
            ("a struct of itself", add("struct A { b: B } struct B { a: A } fn f(a: A) {}"), "cyclic"),
            ("a length of itself", add("const N = M; const M = N; alias A = array<f32, N>;"), "cyclic"),
            (
                "copies of a table",
                add(&format!(
                    "const T = array<f32, 16000>(); fn f() -> f32 {{ {} return 0.0; }}",
                    "let y = T[7];".repeat(500)
                )),
                "hold more than 1048576 numbers",
            ),
            (
                "giant names",
                SMALL.replace("x: f32", &format!("{}: array<f32, 4000>, x: f32", "n".repeat(100_000))),
                "longer than 128 bytes",
            ),
        ] {
            let started = std::time::Instant::now();
            refused(case, &text, words);
            assert!(started.elapsed().as_secs() < 5, "{case}: it took {:?}", started.elapsed());
        }
    }

    #[test]
    fn what_people_write_is_taken() {
        let sum = |i: u32| format!("const c{i} = (c{0} + c{0}) / 2u; ", i - 1);
        let sums = (1..40).fold("const c0 = 1u; ".to_owned(), |text, i| text + &sum(i));
        for (case, text) in [
            ("lengths", "const N: u32 = 2u * (3u + 0x4u) % 100u; alias A = array<array<vec2<f32>, N>, u32(N / 2)>;"),
            ("a table", "const T = array<f32, 4>(1.0, 2.0, 3.0, 4.0); fn f(i: u32) -> f32 { var t = T; return t[i]; }"),
            ("sums of sums", &sums),
            (
                "names twice",
                "fn f() -> u32 { const a = 1u; const b = a; return b; } fn g() -> u32 { const b = 2u; const a = b; return a; }",
            ),
            ("a name of a member", "struct Q { T: f32 } const T = array<f32, 3>(); fn f(q: Q) -> f32 { return q.T; }"),
            ("a comma at the end", "fn f() { var x: array<f32, 3,>; x[0] = 1.0; }"),
        ] {
            let text = format!("{SMALL}\n{text}\n");
            let read = Environment::from_source(case, "small.wgsl", &text);
            assert!(read.is_ok(), "{case}: {}", read.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
}
