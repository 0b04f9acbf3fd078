//! A policy as a header of C.

use super::trial::Trial;
use super::{Exported, Lines, number, numbers};
use crate::error::Result;
use crate::train::{Bounds, Dense, Layer, MOST_NORMALISED, Policy};

/// The deterministic policy as a header of C99 that C++11 takes too: `float` only, no allocation, nothing but `tanhf` of the
/// library. Names begin with that of the environment:
///
/// ```text
///   NAME_act(const float observation[d], int action[k])                                  the number of an action for each choice
///   NAME_act(const float observation[d], const unsigned char allowed[n], int action[k])  the same where there are masks
///   NAME_act(const float observation[d], float action[n])                                real numbers
///   NAME_outputs(const float observation[d], float logits[n])                            what the network makes; or mean[n]
///   NAME_self_test(void)                                                                 0, or the place that differs from this
///                                                                                        program
/// ```
///
/// # Errors
/// Those of [`Policy::layers`], and [`crate::Error::Observation`] where the network overflows.
pub fn c(policy: &Policy) -> Result<String> {
    let exported = Exported::new(policy)?;
    let trial = Trial::of(&exported)?;
    let mut source = Source { text: Lines::default(), exported: &exported };
    source.beginning();
    source.weights();
    source.outputs();
    source.act();
    source.self_test(&trial);
    source.text.line("#endif");
    Ok(source.text.0)
}

struct Source<'a> {
    text: Lines,
    exported: &'a Exported<'a>,
}

impl Source<'_> {
    /// An array that does not change.
    fn constant(&mut self, kind: &str, name: &str, length: usize, values: &str) {
        let name = self.exported.name(name);
        self.text.line(&format!("static const {kind} {name}[{length}] = {{\n    {values}\n}};\n"));
    }

    fn beginning(&mut self) {
        self.text.line("/*");
        let about = self.exported.about("The deterministic policy");
        let usage = [
            String::new(),
            format!(
                "Call {} with an observation. {} gives what the network makes,",
                self.exported.name("act"),
                self.exported.name("outputs")
            ),
            format!("and {} is 0 where this file computes what it should.", self.exported.name("self_test")),
        ];
        for line in about.iter().chain(&usage) {
            // nothing in a name ends the comment, or begins another one
            let line = line.replace("*/", "* /").replace("/*", "/ *");
            self.text.line(format!(" * {line}").trim_end());
        }
        self.text.line(" */");
        let guard = format!("MANYWORLDS_{}_H", self.exported.prefix.to_uppercase());
        self.text.line(&format!("#ifndef {guard}\n#define {guard}\n\n#include <math.h>\n"));
    }

    fn weights(&mut self) {
        for layer in &self.exported.network {
            match layer {
                Layer::Normalise { mean, scale } => {
                    self.constant("float", "mean", mean.len(), &numbers(mean));
                    self.constant("float", "scale", scale.len(), &numbers(scale));
                }
                Layer::Dense(Dense { number, weight, bias, .. }) => {
                    self.constant("float", &format!("weight_{number}"), weight.len(), &numbers(weight));
                    self.constant("float", &format!("bias_{number}"), bias.len(), &numbers(bias));
                }
                _ => {}
            }
        }
        if let Layer::Clip(Bounds { low, high }) | Layer::Squash(Bounds { low, high }) = &self.exported.head {
            self.constant("float", "low", low.len(), &numbers(low));
            self.constant("float", "high", high.len(), &numbers(high));
        }
    }

    fn outputs(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let (dense, made) = (self.exported.name("dense"), self.exported.outputs_name());
        let signature =
            format!("static inline void {dense}(const float *weight, const float *bias, int inputs, int outputs,");
        self.text.line(&signature);
        self.text.line(&format!("{}const float *x, float *y)", " ".repeat(signature.find('(').unwrap_or(0) + 1)));
        self.text.line(
            "{
    int i, o;
    for (o = 0; o < outputs; ++o) {
        float sum = bias[o];
        for (i = 0; i < inputs; ++i) {
            sum += weight[o * inputs + i] * x[i];
        }
        y[o] = sum;
    }
}
",
        );
        let widest = self.exported.widest();
        self.text.line("/* What the network makes of an observation. */");
        self.text.line(&format!(
            "static inline void {}(const float observation[{features}], float {made}[{outputs}])",
            self.exported.name("outputs")
        ));
        // a single layer writes where the outputs go
        let other = if self.exported.dense().count() > 1 { format!(", y[{widest}]") } else { String::new() };
        self.text.line(&format!("{{\n    float x[{widest}]{other};\n    int i;"));
        self.text.line(&format!("    for (i = 0; i < {features}; ++i) {{"));
        self.text.line("        x[i] = observation[i];\n    }");
        let mut width = features;
        let (mut here, mut there) = ("x", "y");
        let last = self.exported.network.len() - 1;
        for (place, layer) in self.exported.network.iter().enumerate() {
            match layer {
                Layer::Normalise { .. } => {
                    let (mean, scale, most) =
                        (self.exported.name("mean"), self.exported.name("scale"), number(MOST_NORMALISED));
                    self.each(
                        width,
                        &[
                            &format!("{here}[i] = ({here}[i] - {mean}[i]) * {scale}[i];"),
                            &format!(
                                "{here}[i] = {here}[i] < -{most} ? -{most} : {here}[i] > {most} ? {most} : {here}[i];"
                            ),
                        ],
                    );
                }
                Layer::Dense(Dense { number, inputs, outputs, .. }) => {
                    let target = if place == last { made } else { there };
                    let (weight, bias) = (
                        self.exported.name(&format!("weight_{number}")),
                        self.exported.name(&format!("bias_{number}")),
                    );
                    self.text.line(&format!("    {dense}({weight}, {bias}, {inputs}, {outputs}, {here}, {target});"));
                    (here, there, width) = (there, here, *outputs);
                }
                Layer::Tanh => self.each(width, &[&format!("{here}[i] = tanhf({here}[i]);")]),
                Layer::Relu => self.each(width, &[&format!("{here}[i] = {here}[i] > 0.0f ? {here}[i] : 0.0f;")]),
                Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => {}
            }
        }
        self.text.line("}\n");
    }

    /// A loop over the numbers of a layer.
    fn each(&mut self, width: usize, statements: &[&str]) {
        self.text.line(&format!("    for (i = 0; i < {width}; ++i) {{"));
        for statement in statements {
            self.text.line(&format!("        {statement}"));
        }
        self.text.line("    }");
    }

    fn act(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let (act, made) = (self.exported.name("act"), self.exported.outputs_name());
        let call = format!("    {}(observation, {made});", self.exported.name("outputs"));
        let words = self.exported.action_words();
        let bounds = match &self.exported.head {
            Layer::Argmax { .. } => {
                self.choose();
                return;
            }
            head => head,
        };
        self.text.line("/* The action for an observation, within its bounds. */");
        self.text
            .line(&format!("static inline void {act}(const float observation[{features}], float action[{words}])"));
        self.text.line(&format!("{{\n    float {made}[{outputs}];\n    int i;\n{call}"));
        let (low, high) = (self.exported.name("low"), self.exported.name("high"));
        let a = if matches!(bounds, Layer::Squash(_)) {
            format!("0.5f * ({low}[i] + {high}[i]) + 0.5f * ({high}[i] - {low}[i]) * tanhf({made}[i])")
        } else {
            format!("{made}[i]")
        };
        self.each(
            words,
            &[
                &format!("const float a = {a};"),
                &format!("action[i] = a < {low}[i] ? {low}[i] : a > {high}[i] ? {high}[i] : a;"),
            ],
        );
        self.text.line("}\n");
    }

    fn choose(&mut self) {
        let Exported { features, outputs, .. } = *self.exported;
        let words = self.exported.action_words();
        let starts = self.exported.starts();
        let masked = self.exported.masked();
        let starts: Vec<String> = starts.iter().map(u32::to_string).collect();
        self.constant("int", "start", starts.len(), &starts.join(", "));
        let (mask, better) = if masked {
            self.text.line(
                "/* The action of each choice for an observation, of those that are allowed; -1 where none is. */",
            );
            (
                format!("const unsigned char allowed[{outputs}], "),
                "allowed[i] && (best < 0 || logits[i] > logits[best])",
            )
        } else {
            self.text.line("/* The action of each choice for an observation, the first of equals. */");
            (String::new(), "best < 0 || logits[i] > logits[best]")
        };
        let (act, start) = (self.exported.name("act"), self.exported.name("start"));
        self.text
            .line(&format!("static inline void {act}(const float observation[{features}], {mask}int action[{words}])"));
        self.text.line(&format!(
            "{{\n    float logits[{outputs}];\n    int c, i;\n    {}(observation, logits);",
            self.exported.name("outputs")
        ));
        self.text.line(&format!("    for (c = 0; c < {words}; ++c) {{"));
        self.text.line(&format!("        int best = -1;\n        for (i = {start}[c]; i < {start}[c + 1]; ++i) {{"));
        self.text.line(&format!("            if ({better}) {{"));
        self.text.line(&format!(
            "                best = i;\n            }}\n        }}\n        action[c] = best < 0 ? -1 : best - {start}[c];\n    }}\n}}\n"
        ));
    }

    fn self_test(&mut self, trial: &Trial) {
        let Exported { features, outputs, .. } = *self.exported;
        let (words, made, box_) =
            (self.exported.action_words(), self.exported.outputs_name(), self.exported.space().is_box());
        let narrow = |pairs: &[(f64, f64)], second: bool| -> Vec<f32> {
            // bounds are rounded upwards, and say 0 for nothing
            pairs.iter().map(|(value, off)| if second { (off * 1.000_001) as f32 } else { *value as f32 }).collect()
        };
        self.text
            .line("/*\n * Whether this file computes what the program did that wrote it: 0, or the place of the first");
        self.text.line(" * number that differs, counted from 1:");
        self.text.line(&format!(" * the {outputs} outputs of the network, then the numbers of the action.\n */"));
        self.text.line(&format!("static inline int {}(void)\n{{", self.exported.name("self_test")));
        let mut list = |kind: &str, name: &str, length: usize, values: &str| {
            let values = values.replace('\n', "\n    ");
            self.text.line(&format!("    static const {kind} {name}[{length}] = {{\n        {values}\n    }};"));
        };
        list("float", "observation", features, &numbers(&trial.observation));
        list("float", "expected", outputs, &numbers(&narrow(&trial.outputs, false)));
        list("float", "within", outputs, &numbers(&narrow(&trial.outputs, true)));
        let mask = if trial.allowed.is_empty() {
            ""
        } else {
            let flags: Vec<&str> = trial.allowed.iter().map(|&flag| if flag { "1" } else { "0" }).collect();
            list("unsigned char", "allowed", outputs, &flags.join(", "));
            "allowed, "
        };
        if box_ {
            list("float", "wanted", words, &numbers(&narrow(&trial.action, false)));
            list("float", "near", words, &numbers(&narrow(&trial.action, true)));
        } else if trial.decided {
            let places: Vec<String> = trial.action.iter().map(|(action, _)| format!("{action:.0}")).collect();
            list("int", "wanted", words, &places.join(", "));
        }
        let kind = if box_ { "float" } else { "int" };
        self.text.line(&format!("    float {made}[{outputs}];\n    {kind} action[{words}];\n    int i;"));
        self.text.line(&format!("    {}(observation, {made});", self.exported.name("outputs")));
        // written so that a NaN differs
        self.each(
            outputs,
            &[
                &format!("const float off = {made}[i] - expected[i];"),
                "if (!(off <= within[i] && -off <= within[i])) {",
                "    return 1 + i;",
                "}",
            ],
        );
        self.text.line(&format!("    {}(observation, {mask}action);", self.exported.name("act")));
        if box_ {
            self.each(
                words,
                &[
                    "const float off = action[i] - wanted[i];",
                    "if (!(off <= near[i] && -off <= near[i])) {",
                    &format!("    return {} + i;", 1 + outputs),
                    "}",
                ],
            );
        } else if trial.decided {
            self.each(words, &["if (action[i] != wanted[i]) {", &format!("    return {} + i;", 1 + outputs), "}"]);
        } else {
            self.text.line("    /* two actions are as good as each other here: either may be taken */");
        }
        self.text.line("    return 0;\n}\n");
    }
}
