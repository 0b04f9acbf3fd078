//! A policy as a function of WGSL, for shaders of other programs.
//!
//! Weights are literals in straight code. Arrays of constants that loops go through were tried: Mesa's software driver, which makes
//! a ladder of branches of every such access, had not compiled two layers of 64 after eight minutes. Written out, they take 2 s.

use super::{Exported, Lines, number};
use crate::error::Result;
use crate::train::{Bounds, Dense, Layer, MOST_NORMALISED, Policy};

/// tanh, since that of a driver may be coarse, or NaN for large numbers: Cephes' polynomial, and exp.
const TANH: &str = "fn NAME_tanh(x: vec4<f32>) -> vec4<f32> {
    let z = x * x;
    var p = z * -5.70498872745e-3 + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    let large = 1.0 - 2.0 / (exp(2.0 * min(abs(x), vec4<f32>(20.0))) + 1.0);
    return select(select(-large, large, x > vec4<f32>(0.0)), p * z * x + x, abs(x) < vec4<f32>(0.625));
}
";

/// The deterministic policy as WGSL without bindings or an entry point, `f32` only. Names begin with that of the environment, so
/// that several policies go into one shader:
///
/// ```text
///   fn NAME_act(observation: array<f32, d>) -> u32                                     one choice
///   fn NAME_act(observation: array<f32, d>) -> array<u32, k>                           k choices
///   fn NAME_act(observation: array<f32, d>, allowed: array<bool, n>) -> …              the same where the environment has masks
///   fn NAME_act(observation: array<f32, d>) -> array<f32, n>                           real numbers
///   fn NAME_outputs(observation: array<f32, d>) -> array<f32, n>                       what the network makes
/// ```
///
/// # Errors
/// Those of [`Policy::layers`].
pub fn wgsl(policy: &Policy) -> Result<String> {
    let exported = Exported::new(policy)?;
    let products: usize = exported.dense().map(|dense| dense.inputs * dense.outputs).sum();
    let mut text = Lines::default();
    let cost = [
        String::new(),
        format!("Put it into a shader as it is. All {products} weights are written out: no array is indexed by a"),
        "number that only the device knows, which drivers copy to each invocation's memory, or to a branch".to_owned(),
        "for each place. A compiler has to go through all of them, so let wide networks read theirs from a".to_owned(),
        "buffer.".to_owned(),
    ];
    for line in exported.about("The deterministic policy").iter().chain(&cost) {
        text.line(format!("// {line}").trim_end());
    }
    text.line("");
    let mut source = Source { text, exported: &exported };
    source.outputs();
    source.act();
    Ok(source.text.0)
}

struct Source<'a> {
    text: Lines,
    exported: &'a Exported<'a>,
}

impl Source<'_> {
    fn outputs(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let tanh = self.exported.name("tanh");
        let layers = || self.exported.network.iter().chain([&self.exported.head]);
        if layers().any(|layer| matches!(layer, Layer::Tanh | Layer::Squash(_))) {
            self.text.line(&TANH.replace("NAME", &self.exported.prefix));
        }
        self.text.line("/// What the network makes of an observation.");
        let name = self.exported.name("outputs");
        self.text.line(&format!("fn {name}(observation: array<f32, {features}>) -> array<f32, {outputs}> {{"));
        let (mut x, mut width) = ("x".to_owned(), features);
        let mut seen: Vec<String> = (0..features).map(|i| format!("observation[{i}]")).collect();
        seen.resize(features.next_multiple_of(4), "0.0".to_owned());
        for (v, numbers) in seen.chunks(4).enumerate() {
            self.text.line(&format!("    var x{v} = vec4<f32>({});", numbers.join(", ")));
        }
        for layer in &self.exported.network {
            match layer {
                Layer::Normalise { mean, scale } => {
                    let (means, scales) = (vectors(mean), vectors(scale));
                    for (v, (mean, scale)) in means.iter().zip(&scales).enumerate() {
                        let most = number(MOST_NORMALISED);
                        self.text.line(&format!(
                            "    {x}{v} = clamp(({x}{v} - {mean}) * {scale}, vec4<f32>(-{most}), vec4<f32>({most}));"
                        ));
                    }
                }
                Layer::Dense(dense) => {
                    let y = format!("x{}_", dense.number + 1);
                    self.dense(dense, &x, &y);
                    (x, width) = (y, dense.outputs);
                }
                Layer::Tanh => self.each(width, |v| format!("{x}{v} = {tanh}({x}{v});")),
                Layer::Relu => self.each(width, |v| format!("{x}{v} = max({x}{v}, vec4<f32>());")),
                Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => {}
            }
        }
        let parts: Vec<String> = (0..outputs).map(|o| format!("{x}{}[{}]", o / 4, o % 4)).collect();
        self.text.line(&format!("    return array<f32, {outputs}>({});\n}}\n", parts.join(", ")));
    }

    /// A statement for every four numbers of a layer.
    fn each(&mut self, width: usize, statement: impl Fn(usize) -> String) {
        for v in 0..width.div_ceil(4) {
            self.text.line(&format!("    {}", statement(v)));
        }
    }

    /// Four units by four numbers at a time.
    fn dense(&mut self, dense: &Dense, x: &str, y: &str) {
        let Dense { inputs, outputs, weight, bias, .. } = dense;
        for (v, bias) in vectors(bias).iter().enumerate() {
            self.text.line(&format!("    var {y}{v} = {bias};"));
            for u in 0..inputs.div_ceil(4) {
                let at = |o: usize, i: usize| if o < *outputs && i < *inputs { weight[o * inputs + i] } else { 0.0 };
                let columns = (4 * u..4 * u + 4).flat_map(|i| (4 * v..4 * v + 4).map(move |o| (o, i)));
                let columns: Vec<String> = columns.map(|(o, i)| number(at(o, i))).collect();
                self.text.line(&format!("    {y}{v} += mat4x4<f32>({}) * {x}{u};", columns.join(", ")));
            }
        }
    }

    fn act(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let (words, act, made) =
            (self.exported.action_words(), self.exported.name("act"), self.exported.name("outputs"));
        let (low, high) = match &self.exported.head {
            Layer::Argmax { counts, masked } => return self.choose(counts, *masked),
            Layer::Clip(Bounds { low, high }) | Layer::Squash(Bounds { low, high }) => (low, high),
            Layer::Normalise { .. } | Layer::Dense(_) | Layer::Tanh | Layer::Relu => return,
        };
        self.text.line("/// The action for an observation, within its bounds.");
        self.text.line(&format!("fn {act}(observation: array<f32, {features}>) -> array<f32, {words}> {{"));
        self.text.line(&format!("    let mean = {made}(observation);"));
        let squash = matches!(self.exported.head, Layer::Squash(_));
        let tanh = self.exported.name("tanh");
        let mut parts = Vec::new();
        for (i, (low, high)) in low.iter().zip(high).enumerate() {
            let half = |sign: f64| number((0.5 * (f64::from(*high) + sign * f64::from(*low))) as f32);
            let a = if squash {
                format!("{} + {} * {tanh}(vec4<f32>(mean[{i}])).x", half(1.0), half(-1.0))
            } else {
                format!("mean[{i}]")
            };
            parts.push(format!("\n        clamp({a}, {}, {})", number(*low), number(*high)));
        }
        self.text.line(&format!("    return array<f32, {outputs}>({});\n}}", parts.join(",")));
    }

    fn choose(&mut self, counts: &[u32], masked: bool) {
        let Exported { features, outputs, .. } = *self.exported;
        let (act, made) = (self.exported.name("act"), self.exported.name("outputs"));
        let mask = if masked { format!(", allowed: array<bool, {outputs}>") } else { String::new() };
        let what = if masked { "of those that are allowed; the first where none is" } else { "the first of equals" };
        let kind = if counts.len() == 1 { "u32".to_owned() } else { format!("array<u32, {}>", counts.len()) };
        self.text.line(&format!("/// The action of each choice for an observation, {what}."));
        self.text.line(&format!("fn {act}(observation: array<f32, {features}>{mask}) -> {kind} {{"));
        self.text.line(&format!("    let logits = {made}(observation);"));
        let mut first = 0;
        for (choice, count) in counts.iter().enumerate() {
            let (best, most, any) = (format!("best{choice}"), format!("most{choice}"), format!("any{choice}"));
            self.text.line(&format!("    var {best} = 0u;"));
            if masked {
                self.text.line(&format!("    var {any} = false;\n    var {most} = 0.0;"));
            } else {
                self.text.line(&format!("    var {most} = logits[{first}];"));
            }
            for i in u32::from(!masked)..*count {
                let z = first + i;
                if masked {
                    self.text.line(&format!(
                        "    if allowed[{z}] & (!{any} | (logits[{z}] > {most})) {{ {best} = {i}u; {most} = logits[{z}]; {any} = true; }}"
                    ));
                } else {
                    self.text.line(&format!("    if logits[{z}] > {most} {{ {best} = {i}u; {most} = logits[{z}]; }}"));
                }
            }
            first += count;
        }
        let all: Vec<String> = (0..counts.len()).map(|choice| format!("best{choice}")).collect();
        if let [single] = &all[..] {
            self.text.line(&format!("    return {single};\n}}"));
        } else {
            self.text.line(&format!("    return {kind}({});\n}}", all.join(", ")));
        }
    }
}

/// Numbers as vectors of four, the last filled up with zeros.
fn vectors(values: &[f32]) -> Vec<String> {
    let vector = |values: &[f32]| {
        let four = (0..4).map(|i| number(values.get(i).copied().unwrap_or(0.0)));
        format!("vec4<f32>({})", four.collect::<Vec<_>>().join(", "))
    };
    values.chunks(4).map(vector).collect()
}
