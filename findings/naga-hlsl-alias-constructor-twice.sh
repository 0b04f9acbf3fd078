#!/bin/sh
# naga 30.0.1: an alias of a scalar type makes its HLSL define a function twice, which no HLSL compiler takes.
#
# `alias Lane = f32;` becomes a type of its own in naga's module, and so do arrays of it. For DX12 naga writes a constructor
# function for each array type that is constructed, named after what the elements are in HLSL: `array<f32, 4>` and
# `array<Lane, 4>` are two types with one name, and the function is written for both, with the same signature. The module
# is valid WGSL, naga validates it, and the SPIR-V and MSL of it are fine; DXC and FXC refuse a redefinition. wgpu hands this
# text to them, so a pipeline that works on Vulkan and Metal fails on DX12. Remedy: one spelling of a type in a module, or
# merge equal types in naga's module before it is handed over.
#
# Seen with naga 30.0.1, Rust 1.95, x86-64 Linux:
#   Lane: 2 definitions of Constructarray2_float_
#   f32: 1
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be had or built.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "twice"
version = "0.0.0"
edition = "2021"

[dependencies]
naga = { version = "=30.0.1", features = ["wgsl-in", "hlsl-out"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
use naga::back::hlsl;
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn main() {
    for element in ["Lane", "f32"] {
        let text = format!(
            "alias Lane = f32;
             @group(0) @binding(0) var<storage, read_write> data: array<f32>;
             fn pair(x: f32) -> array<f32, 2> {{ return array<f32, 2>(x, x + 1.0); }}
             fn lanes(x: f32) -> array<{element}, 2> {{ return array<{element}, 2>(x * 2.0, x); }}
             @compute @workgroup_size(1) fn main() {{ data[0] = pair(data[1])[0] + lanes(data[2])[1]; }}"
        );
        let module = naga::front::wgsl::parse_str(&text).expect("it is WGSL");
        let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).expect("it is valid");
        let mut out = String::new();
        let options = hlsl::Options::default();
        let pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut out, &options, &pipeline).write(&module, &info, None).expect("HLSL can be written");
        let made = out.lines().filter(|line| line.contains(" Constructarray2_float_(") && !line.contains("return")).count();
        println!("{element}: {made} definitions of Constructarray2_float_");
    }
}
RUST
cargo build --quiet --manifest-path "$folder/Cargo.toml" || exit 2
seen=$("$folder/target/debug/twice")
echo "$seen"
case $seen in
"Lane: 2 definitions"*"f32: 1 definitions"*) echo "as described" ;;
*)
	echo "not as described"
	exit 1
	;;
esac
