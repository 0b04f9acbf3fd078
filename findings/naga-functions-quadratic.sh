#!/bin/sh
# naga 30.0.1: reading WGSL takes a time that grows with the square of the number of expressions in one function.
#
# The front end asks for the type of each expression as it appends it, and each time walks the function's whole list of
# expressions up to the first without a type: skipping through an iterator that has no short way. A function four times as long
# takes about thirteen times as long, four functions of the first length four times. Generated shaders, whose loops are
# unrolled into one function, spend nearly all of their set-up there. Remedy: several functions in the place of a long one, and
# fewer expressions: constants as numbers.
#
# Seen with naga 30.0.1, Rust 1.95, x86-64 Linux (milliseconds vary, the ratios hardly):
#   one function of 2000 lines 54 ms, four of them 201 ms, one of 8000 lines 700 ms: 3.5 times the four
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be had or built.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "square"
version = "0.0.0"
edition = "2021"

[dependencies]
naga = { version = "=30.0.1", features = ["wgsl-in"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::time::Instant;

fn function(name: &str, lines: usize) -> String {
    format!("fn {name}(x: f32) -> f32 {{ var a = x;\n{} return a; }}\n", "a = fma(a, 2.0, x + 1.0);\n".repeat(lines))
}

/// Milliseconds of a reading.
fn reading(text: &str) -> f64 {
    let began = Instant::now();
    naga::front::wgsl::parse_str(text).expect("it is WGSL");
    began.elapsed().as_secs_f64() * 1e3
}

fn main() {
    let four = ["f", "g", "h", "i"].iter().map(|name| function(name, 2000)).collect();
    let texts = [function("f", 2000), four, function("f", 8000)];
    let mut shortest = [f64::INFINITY; 3];
    for _ in 0..15 {
        for (shortest, text) in shortest.iter_mut().zip(&texts) {
            *shortest = shortest.min(reading(text));
        }
    }
    let [one, four, long] = shortest;
    let times = long / four;
    println!("one function of 2000 lines {one:.0} ms, four of them {four:.0} ms, one of 8000 lines {long:.0} ms: {times:.1} times the four");
    std::process::exit(i32::from(times < 1.7));
}
RUST
cargo build --release --quiet --manifest-path "$folder/Cargo.toml" || exit 2
if "$folder/target/release/square"; then
	echo "as described"
else
	echo "not as described"
	exit 1
fi
