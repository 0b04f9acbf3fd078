//! A policy as a function of WGSL, for shaders of other programs.

use super::{Exported, number, numbers};
use crate::error::Result;
use crate::train::{Bounds, Dense, Layer, MOST_NORMALISED, Policy};

/// tanh, since that of a driver may be coarse, or NaN for large numbers: Cephes' polynomial, and exp.
const TANH: &str = "fn NAME_tanh(x: f32) -> f32 {
    let z = x * x;
    var p = -5.70498872745e-3 * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    let large = 1.0 - 2.0 / (exp(2.0 * min(abs(x), 20.0)) + 1.0);
    return select(select(-large, large, x > 0.0), p * z * x + x, abs(x) < 0.625);
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
    let mut text = String::new();
    for line in exported.about("The deterministic policy") {
        text += format!("// {line}").trim_end();
        text.push('\n');
    }
    text += "//\n// Put it into a shader as it is. Weights are module constants.\n\n";
    let mut source = Source { text, exported: &exported };
    source.weights();
    source.outputs();
    source.act();
    Ok(source.text)
}

struct Source<'a> {
    text: String,
    exported: &'a Exported<'a>,
}

impl Source<'_> {
    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    fn name(&self, of: &str) -> String {
        format!("{}_{of}", self.exported.prefix)
    }

    fn constant(&mut self, name: &str, values: &[f32]) {
        let name = self.name(name);
        self.line(&format!("const {name} = array<f32, {}>(\n    {}\n);", values.len(), numbers(values)));
    }

    fn weights(&mut self) {
        for layer in &self.exported.network {
            match layer {
                Layer::Normalise { mean, scale } => {
                    self.constant("mean", mean);
                    self.constant("scale", scale);
                }
                Layer::Dense(Dense { number, weight, bias, .. }) => {
                    self.constant(&format!("weight_{number}"), weight);
                    self.constant(&format!("bias_{number}"), bias);
                }
                _ => {}
            }
        }
        if let Layer::Clip(Bounds { low, high }) | Layer::Squash(Bounds { low, high }) = &self.exported.head {
            self.constant("low", low);
            self.constant("high", high);
        }
        self.line("");
        let head = [&self.exported.head];
        if self.exported.network.iter().chain(head).any(|layer| matches!(layer, Layer::Tanh | Layer::Squash(_))) {
            self.line(&TANH.replace("NAME", &self.exported.prefix));
        }
    }

    fn outputs(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let tanh = self.name("tanh");
        self.line("/// What the network makes of an observation.");
        self.line(&format!(
            "fn {}(observation: array<f32, {features}>) -> array<f32, {outputs}> {{\n    var x = observation;",
            self.name("outputs")
        ));
        let mut x = "x".to_owned();
        let mut width = features;
        for layer in &self.exported.network {
            match layer {
                Layer::Normalise { .. } => {
                    let (mean, scale, most) = (self.name("mean"), self.name("scale"), number(MOST_NORMALISED));
                    self.each(width, &format!("{x}[i] = clamp(({x}[i] - {mean}[i]) * {scale}[i], -{most}, {most});"));
                }
                Layer::Dense(Dense { number, inputs, outputs, .. }) => {
                    let y = format!("x{}", number + 1);
                    let (weight, bias) = (self.name(&format!("weight_{number}")), self.name(&format!("bias_{number}")));
                    self.line(&format!("    var {y}: array<f32, {outputs}>;"));
                    self.line(&format!("    for (var o = 0u; o < {outputs}u; o++) {{\n        var sum = {bias}[o];"));
                    self.line(&format!(
                        "        for (var i = 0u; i < {inputs}u; i++) {{ sum += {weight}[o * {inputs}u + i] * {x}[i]; }}"
                    ));
                    self.line(&format!("        {y}[o] = sum;\n    }}"));
                    (x, width) = (y, *outputs);
                }
                Layer::Tanh => self.each(width, &format!("{x}[i] = {tanh}({x}[i]);")),
                Layer::Relu => self.each(width, &format!("{x}[i] = max({x}[i], 0.0);")),
                Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => {}
            }
        }
        self.line(&format!("    return {x};\n}}\n"));
    }

    fn each(&mut self, width: usize, statement: &str) {
        self.line(&format!("    for (var i = 0u; i < {width}u; i++) {{ {statement} }}"));
    }

    fn act(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let (words, act, made) = (self.exported.action_words(), self.name("act"), self.name("outputs"));
        let Layer::Argmax { counts, masked } = &self.exported.head else {
            self.line("/// The action for an observation, within its bounds.");
            self.line(&format!("fn {act}(observation: array<f32, {features}>) -> array<f32, {words}> {{"));
            self.line(&format!("    var a = {made}(observation);"));
            let (low, high) = (self.name("low"), self.name("high"));
            if matches!(self.exported.head, Layer::Squash(_)) {
                let tanh = self.name("tanh");
                let middle = format!("0.5 * ({low}[i] + {high}[i])");
                self.each(words, &format!("a[i] = {middle} + 0.5 * ({high}[i] - {low}[i]) * {tanh}(a[i]);"));
            }
            self.each(words, &format!("a[i] = clamp(a[i], {low}[i], {high}[i]);"));
            self.line("    return a;\n}");
            return;
        };
        let (mask, allowed) =
            if *masked { (format!(", allowed: array<bool, {outputs}>"), "may[i] && ") } else { (String::new(), "") };
        let what = if *masked { "of those that are allowed; the first where none is" } else { "the first of equals" };
        let single = counts.len() == 1;
        let kind = if single { "u32".to_owned() } else { format!("array<u32, {words}>") };
        self.line(&format!("/// The action of each choice for an observation, {what}."));
        self.line(&format!("fn {act}(observation: array<f32, {features}>{mask}) -> {kind} {{"));
        self.line(&format!("    var logits = {made}(observation);\n    var action: array<u32, {words}>;"));
        if *masked {
            self.line("    var may = allowed;");
        }
        let starts = self.exported.starts();
        for (choice, pair) in starts.windows(2).enumerate() {
            let [start, end] = [pair[0], pair[1]];
            self.line(&format!("    var best{choice} = {end}u;\n    for (var i = {start}u; i < {end}u; i++) {{"));
            // the last index is never read where nothing was found yet
            self.line(&format!(
                "        if {allowed}(best{choice} == {end}u || logits[i] > logits[min(best{choice}, {}u)]) {{ best{choice} = i; }}",
                end - 1
            ));
            self.line(&format!(
                "    }}\n    action[{choice}] = select(best{choice} - {start}u, 0u, best{choice} == {end}u);"
            ));
        }
        self.line(if single { "    return action[0];\n}" } else { "    return action;\n}" });
    }
}
