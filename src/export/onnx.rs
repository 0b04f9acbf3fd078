//! A policy as an ONNX graph.
//!
//! ```text
//!   observation float [N, d] ─► Sub, Mul, Max, Min ─► Gemm ─► Tanh or Relu ─► … ─► Gemm ─► logits, or mean   float [N, n]
//!     choices:       logits ─► Where (mask bool [N, n], where the environment has masks) ─► ArgMax ─► action int64 [N] or [N, k]
//!     real numbers:  mean ─► Tanh, Mul, Add where they are squashed ─► Max, Min                     ─► action float [N, n]
//! ```
//!
//! The graph asks for the oldest opset whose operators promise this: 8 for real numbers (Min and Max of different shapes), 12 for
//! choices (ArgMax takes the first of equals), in IR 4 (initialisers that are no inputs). Of the messages of `onnx.proto`, what is
//! written here is declared here.

use super::Exported;
use crate::error::Result;
use crate::train::{Dense, Layer, MOST_NORMALISED, Policy};
use prost::Message;

/// Initialisers need not be inputs.
const IR_VERSION: i64 = 4;
/// Min and Max take different shapes; Gemm takes a bias of one row.
const OPSET_OF_NUMBERS: i64 = 8;
/// ArgMax is held to the first of equals.
const OPSET_OF_CHOICES: i64 = 12;

/// `TensorProto.DataType`.
const FLOAT: i32 = 1;
const INT64: i32 = 7;
const BOOL: i32 = 9;
/// `AttributeProto.AttributeType`.
const ATTRIBUTE_INT: i32 = 2;
const ATTRIBUTE_INTS: i32 = 7;

/// The deterministic policy as the bytes of an ONNX model: inputs `observation` `[N, d]` and, where the environment has masks,
/// `mask` `[N, n]`, a flag for each action; outputs `action` (`[N]` of one choice, `[N, k]` of k choices, `[N, n]` real numbers),
/// and `logits` or `mean`, what the network makes. Its properties have names, spaces and what the policy came from.
///
/// # Errors
/// Those of [`Policy::layers`].
pub fn onnx(policy: &Policy) -> Result<Vec<u8>> {
    let exported = Exported::new(policy)?;
    let mut graph = Graph { name: exported.prefix.clone(), ..Graph::default() };
    let mut x = "observation".to_owned();
    let hidden = exported.network.len() - 1;
    for (place, layer) in exported.network.iter().enumerate() {
        let name = (place == hidden).then(|| exported.outputs_name());
        x = graph.layer(layer, &x, name);
    }
    graph.head(&exported.head, &x);

    let (features, outputs) = (exported.features, exported.outputs);
    graph.input.push(Value::of("observation", FLOAT, &[features]));
    if exported.masked() {
        graph.input.push(Value::of("mask", BOOL, &[outputs]));
    }
    let (kind, shape) = match &exported.head {
        Layer::Argmax { counts, .. } if counts.len() == 1 => (INT64, vec![]),
        Layer::Argmax { counts, .. } => (INT64, vec![counts.len()]),
        _ => (FLOAT, vec![outputs]),
    };
    graph.output = vec![Value::of("action", kind, &shape), Value::of(exported.outputs_name(), FLOAT, &[outputs])];
    let version = if exported.space().is_box() { OPSET_OF_NUMBERS } else { OPSET_OF_CHOICES };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "manyworlds".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: exported.about("The deterministic policy").join("\n"),
        graph: Some(graph),
        opset_import: vec![Opset { domain: String::new(), version }],
        metadata_props: exported.facts().into_iter().map(|(key, value)| Entry { key: key.to_owned(), value }).collect(),
    };
    Ok(model.encode_to_vec())
}

impl Graph {
    /// Adds a layer that is no head; gives the name of what it makes: this one, or one of its own.
    fn layer(&mut self, layer: &Layer, x: &str, name: Option<&str>) -> String {
        let own = |of: &str| name.unwrap_or(of).to_owned();
        match layer {
            Layer::Normalise { mean, scale } => {
                let width = mean.len();
                let mean = self.floats("normaliser.mean", &[width], mean);
                let scale = self.floats("normaliser.scale", &[width], scale);
                let least = self.floats("normaliser.least", &[], &[-MOST_NORMALISED]);
                let most = self.floats("normaliser.most", &[], &[MOST_NORMALISED]);
                self.node("Sub", &[x, &mean], "normaliser.centred");
                self.node("Mul", &["normaliser.centred", &scale], "normaliser.scaled");
                self.node("Max", &["normaliser.scaled", &least], "normaliser.held");
                self.node("Min", &["normaliser.held", &most], &own("normaliser.observation"))
            }
            Layer::Dense(Dense { number, inputs, outputs, weight, bias }) => {
                let weight = self.floats(&format!("actor.{number}.weight"), &[*outputs, *inputs], weight);
                let bias = self.floats(&format!("actor.{number}.bias"), &[*outputs], bias);
                let made = self.node("Gemm", &[x, &weight, &bias], &own(&format!("actor.{number}")));
                self.set("transB", 1);
                made
            }
            Layer::Tanh => self.node("Tanh", &[x], &own(&format!("{x}.tanh"))),
            Layer::Relu => self.node("Relu", &[x], &own(&format!("{x}.relu"))),
            Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => x.to_owned(),
        }
    }

    /// Adds a head, which makes `action`.
    fn head(&mut self, head: &Layer, x: &str) {
        match head {
            Layer::Argmax { counts, masked } => {
                let mut logits = x.to_owned();
                if *masked {
                    let forbidden = self.floats("forbidden", &[], &[f32::NEG_INFINITY]);
                    logits = self.node("Where", &["mask", &logits, &forbidden], "allowed");
                }
                if counts.len() == 1 {
                    self.node("ArgMax", &[&logits], "action");
                    self.set("axis", 1);
                    self.set("keepdims", 0);
                    return;
                }
                let parts: Vec<String> = (0..counts.len()).map(|choice| format!("choice.{choice}")).collect();
                self.node("Split", &[&logits], "");
                self.set("axis", 1);
                self.set_list("split", counts.iter().map(|&count| i64::from(count)).collect());
                if let Some(split) = self.node.last_mut() {
                    split.output.clone_from(&parts);
                }
                let best: Vec<String> = parts.iter().map(|part| self.best_of(part)).collect();
                self.node("Concat", &best.iter().map(String::as_str).collect::<Vec<_>>(), "action");
                self.set("axis", 1);
            }
            Layer::Clip(bounds) => self.hold(&bounds.low, &bounds.high, x),
            Layer::Squash(bounds) => {
                // as the device has it: the middle of the bounds, and half of their distance
                let wide = |low: &f32, high: &f32| (f64::from(*low), f64::from(*high));
                let each = || bounds.low.iter().zip(&bounds.high).map(|(low, high)| wide(low, high));
                let centre: Vec<f32> = each().map(|(low, high)| (0.5 * (low + high)) as f32).collect();
                let half: Vec<f32> = each().map(|(low, high)| (0.5 * (high - low)) as f32).collect();
                let centre = self.floats("action.centre", &[centre.len()], &centre);
                let half = self.floats("action.half", &[half.len()], &half);
                self.node("Tanh", &[x], "action.tanh");
                self.node("Mul", &["action.tanh", &half], "action.scaled");
                self.node("Add", &["action.scaled", &centre], "action.squashed");
                self.hold(&bounds.low, &bounds.high, "action.squashed");
            }
            Layer::Normalise { .. } | Layer::Dense(_) | Layer::Tanh | Layer::Relu => {}
        }
    }

    fn best_of(&mut self, part: &str) -> String {
        let best = self.node("ArgMax", &[part], &format!("{part}.best"));
        self.set("axis", 1);
        self.set("keepdims", 1);
        best
    }

    fn hold(&mut self, low: &[f32], high: &[f32], x: &str) {
        let low = self.floats("action.low", &[low.len()], low);
        let high = self.floats("action.high", &[high.len()], high);
        self.node("Max", &[x, &low], "action.above");
        self.node("Min", &["action.above", &high], "action");
    }

    /// Adds a node of one output; gives the output's name, which is the node's too.
    fn node(&mut self, operator: &str, inputs: &[&str], output: &str) -> String {
        self.node.push(Node {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("{operator}.{}", self.node.len()),
            op_type: operator.to_owned(),
            attribute: Vec::new(),
        });
        output.to_owned()
    }

    /// Gives the last node an attribute that is one number.
    fn set(&mut self, name: &str, value: i64) {
        self.give(Attribute { name: name.to_owned(), i: Some(value), ints: Vec::new(), kind: ATTRIBUTE_INT });
    }

    /// Gives the last node an attribute that is a list of numbers.
    fn set_list(&mut self, name: &str, values: Vec<i64>) {
        self.give(Attribute { name: name.to_owned(), i: None, ints: values, kind: ATTRIBUTE_INTS });
    }

    fn give(&mut self, attribute: Attribute) {
        if let Some(node) = self.node.last_mut() {
            node.attribute.push(attribute);
        }
    }

    /// Adds an initialiser; gives its name.
    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.initializer.push(Tensor {
            dims: shape.iter().map(|&size| (size as u64).cast_signed()).collect(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name.to_owned()
    }
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(string, tag = "3")]
    producer_version: String,
    #[prost(string, tag = "6")]
    doc_string: String,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<Opset>,
    #[prost(message, repeated, tag = "14")]
    metadata_props: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Opset {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    /// 0 has to be written too.
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(int64, repeated, tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    kind: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Message)]
struct Kind {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorKind>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorKind {
    #[prost(int32, tag = "1")]
    element: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    parameter: Option<String>,
}

impl Value {
    /// `[N, shape…]` of an element.
    fn of(name: &str, element: i32, shape: &[usize]) -> Self {
        let batch = Dimension { value: None, parameter: Some("N".to_owned()) };
        let fixed = shape.iter().map(|&size| Dimension { value: Some((size as u64).cast_signed()), parameter: None });
        let shape = Shape { dim: [batch].into_iter().chain(fixed).collect() };
        let tensor = TensorKind { element, shape: Some(shape) };
        Self { name: name.to_owned(), kind: Some(Kind { tensor: Some(tensor) }) }
    }
}
