//! Networks: their shapes, where their parameters lie, and how they begin.

mod init;

pub use init::orthogonal;

use crate::error::{Error, Result};
use crate::gpu::Form;
use crate::shader::Constants;
use serde::{Deserialize, Serialize};

/// What follows every hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Hyperbolic tangent.
    #[default]
    Tanh,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// Its part for slot `activation`.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Tanh => "slot/activation/tanh.wgsl",
            Self::Relu => "slot/activation/relu.wgsl",
        }
    }
}

/// A tensor of a network, as it stands in files: `[out][in]` weights and `[out]` biases, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Such as `actor.0.weight`.
    pub name: String,
    /// `[out, in]` or `[out]`.
    pub shape: Vec<usize>,
    /// First word in an agent's parameters.
    pub offset: usize,
    /// Words from one row to the next.
    pub stride: usize,
}

/// A multi-layer perceptron among the parameters of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    widths: Vec<u32>,
    activation: Activation,
    /// First word of each layer's weights and of its biases.
    places: Vec<(u32, u32)>,
    /// How many of the outputs, the last ones, do not depend on the inputs, and how they begin.
    free: (u32, f32),
}

/// The networks of an agent in one buffer `[agent][word]`, and the table of named offsets that files use.
///
/// Rows are padded with zeros to multiples of 4 words (64 where a layer is wider than 64), so that kernels read
/// whole vec4s and blocks; padding stays exactly zero (see `shaders/part/mlp.wgsl`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    networks: Vec<Network>,
    words: u32,
    /// What is normalised.
    normaliser: Normalise,
}

/// Neighbouring vec4s of an agent's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Running moments that stand behind the networks (`shaders/merge_moments.wgsl`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Normalise {
    /// Numbers of an observation.
    pub features: u32,
    /// Whether networks see observations normalised.
    pub observations: bool,
    /// Whether advantages see rewards normalised.
    pub rewards: bool,
}

impl Normalise {
    fn words(self) -> u32 {
        if self.observations || self.rewards { 4 * (self.features + 1) } else { 0 }
    }
}

/// Most units of a layer that `mlp.wgsl` keeps in registers.
pub(crate) const NARROW: u32 = 128;
/// Units whose sums an invocation of `mlp_wide.wgsl` holds; half as many where nobody shares the weights.
const WIDE_ROWS: u32 = 64;
/// Most vec4s of weights that an invocation of `mlp_units.wgsl` holds: its code has four instructions or more for each.
const HELD: u32 = 160;
/// Most vec4s of sums that a thread of `mlp_tile.wgsl` keeps in registers, and most samples of a tile.
const TILE_SUMS: u32 = 24;
const TILE_SAMPLES: u32 = 64;
/// Words of a block of partial gradients: 16 and 32 were fastest (`benches/NOTES.md`).
const PARTIAL_BLOCK: u32 = 32;
/// Most inputs of a first layer that `mlp.wgsl` makes without a loop.
const HEAD_INPUTS: u32 = 16;

/// How a workgroup runs a network on a tile of samples (`part/mlp_tile.wgsl`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Threads of the workgroup.
    pub threads: u32,
    /// Samples of the tile.
    pub samples: u32,
    /// Threads that share four units of a layer.
    groups: Vec<u32>,
    /// Blocks of 4 × 4 weights of a layer that a thread sums.
    blocks: Vec<u32>,
}

/// Where one layer lies, in vec4s: its weights and biases among an agent's parameters, the rest in a row of the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerPlaces {
    /// Padded inputs.
    pub inputs: u32,
    /// Padded outputs.
    pub outputs: u32,
    pub weights: u32,
    pub biases: u32,
    /// Units that it multiplies.
    pub below: u32,
    /// Units that it makes.
    pub above: u32,
    /// Deltas of those that it multiplies; inputs have none.
    pub delta_below: Option<u32>,
    /// Deltas of those that it makes.
    pub delta_above: u32,
    /// Whether the activation follows.
    pub activated: bool,
}

impl Tile {
    /// Loop iterations of an invocation for one tile.
    pub fn iterations(&self, network: &Network) -> u64 {
        let inputs = network.widths[0].div_ceil(4) * self.samples / self.threads + 2;
        let turns: u32 = network.padded_widths().windows(2).map(|pair| pair[0] / 4 + self.samples + pair[1] / 4).sum();
        u64::from(inputs + turns)
    }

    fn constants(&self, constants: &mut Constants) {
        constants.word("MW_TILE_THREADS", self.threads);
        constants.word("MW_TILE_SAMPLES", self.samples);
        constants.words("MW_TILE_GROUPS", self.groups.clone());
        constants.words("MW_TILE_TURNS", self.groups.iter().map(|&n| self.samples.div_ceil(n)).collect::<Vec<_>>());
        let starts = running_sum(&self.blocks.iter().map(|blocks| 4 * blocks).collect::<Vec<_>>());
        constants.word("MW_TILE_SUMS", starts[self.blocks.len()]);
        constants.words("MW_TILE_SUM_START", starts);
        constants.words("MW_TILE_BLOCKS", self.blocks.clone());
    }
}

impl Parameters {
    /// No networks at all.
    pub const NONE: &'static Self = &Self {
        networks: Vec::new(),
        words: 0,
        normaliser: Normalise { features: 0, observations: false, rewards: false },
    };

    /// Adds a network with these widths, inputs first and outputs last; returns its place in the list.
    pub fn add(&mut self, name: &str, widths: &[u32], activation: Activation) -> usize {
        self.add_policy(name, widths, activation, 0, 0.0)
    }

    /// Adds a network whose last `free` outputs do not depend on the inputs and begin as `first`: logarithms of deviations.
    /// They are biases whose weights stay 0.
    pub fn add_policy(&mut self, name: &str, widths: &[u32], activation: Activation, free: u32, first: f32) -> usize {
        let (name, widths) = (name.to_owned(), widths.to_vec());
        let mut network = Network { name, widths, activation, places: Vec::new(), free: (free, first) };
        for pair in network.padded_widths().windows(2) {
            let weight = self.words;
            let bias = weight + pair[0] * pair[1];
            self.words = bias + pair[1];
            network.places.push((weight, bias));
        }
        self.networks.push(network);
        self.networks.len() - 1
    }

    /// Puts running moments behind the networks.
    pub fn normalise(&mut self, normalise: Normalise) {
        self.normaliser = normalise;
    }

    /// What is normalised.
    pub fn normaliser(&self) -> Normalise {
        self.normaliser
    }

    /// The networks in order.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// Words of one agent, padding and running moments included; a multiple of 4.
    pub fn words(&self) -> u32 {
        self.words + self.normaliser.words()
    }

    /// Words of one agent that have gradients: those of the networks, padding included; a multiple of 4.
    pub fn learned(&self) -> u32 {
        self.words
    }

    /// Where neighbouring networks lie; all of them, if none is named.
    pub fn span(&self, networks: impl IntoIterator<Item = usize>) -> Span {
        let named: Vec<usize> = networks.into_iter().collect();
        let begin = |network: usize| self.networks.get(network).map_or(self.words, |network| network.places[0].0) / 4;
        let first = begin(named.iter().copied().min().unwrap_or(0));
        let end = begin(named.iter().copied().max().map_or(self.networks.len(), |last| last + 1));
        Span { first, count: end - first }
    }

    /// Words of one agent in the partial gradient of a slice: whole blocks (see `part/partial.wgsl`).
    pub fn partial_words(&self) -> u32 {
        self.words.next_multiple_of(PARTIAL_BLOCK)
    }

    /// The constants of kernels that touch all parameters of an agent.
    pub(crate) fn own_constants(&self) -> Constants {
        let mut constants = Constants::default();
        constants.word("MW_PARAMETERS", self.words());
        constants.word("MW_LEARNED", self.words);
        constants.word("MW_NORMALISER", self.words / 4);
        constants.word("MW_NORMALISED", self.normaliser.features);
        // vec4s of weights that stay 0: first, end, first, …
        let frozen: Vec<u32> = self.networks.iter().flat_map(Network::frozen).map(|word| word / 4).collect();
        constants.word("MW_FROZEN_RANGES", frozen.len() as u32 / 2);
        constants.words("MW_FROZEN", if frozen.is_empty() { vec![0] } else { frozen });
        constants.word("MW_PARTIAL_BLOCK", PARTIAL_BLOCK);
        constants.word("MW_PARTIAL_BLOCKS", self.partial_words() / PARTIAL_BLOCK);
        constants
    }

    /// The table of named tensors.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut tensors = Vec::new();
        for network in &self.networks {
            for (layer, (pair, &(weight, bias))) in network.widths.windows(2).zip(&network.places).enumerate() {
                let free = network.free_of(layer) as usize;
                let (inputs, outputs) = (pair[0] as usize, pair[1] as usize - free);
                tensors.push(Tensor {
                    name: format!("{}.{layer}.weight", network.name),
                    shape: vec![outputs, inputs],
                    offset: weight as usize,
                    stride: network.padded(pair[0]) as usize,
                });
                tensors.push(Tensor {
                    name: format!("{}.{layer}.bias", network.name),
                    shape: vec![outputs],
                    offset: bias as usize,
                    stride: outputs,
                });
                if free > 0 {
                    let (name, offset) = (format!("{}.log_std", network.name), bias as usize + outputs);
                    tensors.push(Tensor { name, shape: vec![free], offset, stride: free });
                }
            }
        }
        if self.normaliser.words() > 0 {
            // (mean, scale, M2, count) each
            let (features, offset) = (self.normaliser.features as usize, self.words as usize);
            let name = "normaliser.observation".to_owned();
            tensors.push(Tensor { name, shape: vec![features, 4], offset, stride: 4 });
            let (name, offset) = ("normaliser.reward".to_owned(), offset + 4 * features);
            tensors.push(Tensor { name, shape: vec![4], offset, stride: 4 });
        }
        tensors
    }

    /// Name of the tensor that this word of an agent's padded parameters belongs to.
    pub fn tensor_at(&self, word: usize) -> Option<String> {
        let mut tensors = self.tensors().into_iter();
        tensors.find(|tensor| tensor.rows().any(|row| row.contains(&word))).map(|tensor| tensor.name)
    }

    /// Takes the padding out of one agent's parameters: all tensors in table order.
    pub fn compact(&self, padded: &[f32]) -> Vec<f32> {
        self.tensors().iter().flat_map(|tensor| tensor.rows().flat_map(|row| padded[row].iter().copied())).collect()
    }

    /// Puts the padding back; the inverse of [`Parameters::compact`].
    pub fn expand(&self, compact: &[f32]) -> Vec<f32> {
        let mut words = vec![0.0; self.words() as usize];
        let mut rest = compact;
        for row in self.tensors().iter().flat_map(Tensor::rows) {
            let (now, later) = rest.split_at(row.len());
            words[row].copy_from_slice(now);
            rest = later;
        }
        words
    }

    /// First values of one agent: orthogonal matrices with gain √2 for hidden layers and `head_gains` for the output
    /// layers (in the order of the networks), zero biases. Depends on the seed and the shapes only.
    pub fn initial(&self, seed: u32, head_gains: &[f64]) -> Vec<f32> {
        let mut words = vec![0.0; self.words() as usize];
        // nothing was seen yet: mean 0, scale 1
        words[self.words as usize..].iter_mut().skip(1).step_by(4).for_each(|scale| *scale = 1.0);
        for (n, network) in self.networks.iter().enumerate() {
            for (layer, pair) in network.widths.windows(2).enumerate() {
                let last = layer + 2 == network.widths.len();
                let gain = if last { head_gains.get(n).copied().unwrap_or(1.0) } else { std::f64::consts::SQRT_2 };
                let free = network.free_of(layer);
                let (inputs, outputs) = (pair[0] as usize, (pair[1] - free) as usize);
                let bias = network.places[layer].1 as usize + outputs;
                words[bias..bias + free as usize].fill(network.free.1);
                let matrix = orthogonal(outputs, inputs, gain, [seed, n as u32, layer as u32]);
                for (row, values) in matrix.chunks_exact(inputs).enumerate() {
                    let at = network.places[layer].0 as usize + row * network.padded(pair[0]) as usize;
                    words[at..at + inputs].copy_from_slice(values);
                }
            }
        }
        words
    }

    /// The constants that shape the kernels of one network in a form; `backward` says whether a backward pass follows
    /// the forward one.
    pub(crate) fn constants(&self, network: usize, form: Form, backward: bool) -> Constants {
        let network = &self.networks[network];
        let share = form.share_size();
        let layers = network.places.len();
        let widths = network.padded_widths();
        let starts: Vec<u32> = running_sum(&widths)[..=layers].to_vec();
        let units: u32 = widths.iter().sum();
        let delta_start = starts[layers] / 4;
        let columns: Vec<u32> = widths[..layers].iter().map(|width| (width / 4).next_multiple_of(share)).collect();
        let tasks: Vec<u32> =
            (0..layers).map(|layer| widths[layer + 1].div_ceil(form.tile_rows()) * columns[layer]).collect();

        let mut constants = form_constants(form);
        constants.extend(&self.own_constants());
        constants.word("MW_LAYERS", layers as u32);
        constants.words("MW_WIDTHS", widths.clone());
        constants.words("MW_UNIT_START", starts);
        constants.word("MW_UNITS", units);
        constants.word("MW_INPUT_VECTORS", widths[0] / 4);
        let head = !backward && network.head();
        let kept = |layer: usize| layer % 2 == usize::from(head) && layer > 0 && layer < layers;
        let tops: Vec<u32> = (0..layers).map(|layer| if kept(layer) { widths[layer] } else { 0 }).collect();
        let chunks = |vectors: &dyn Fn(u32) -> u32| -> Vec<u32> {
            widths.iter().map(|&width| vectors(width).div_ceil(share)).collect()
        };
        let rows = if share > 1 { WIDE_ROWS } else { WIDE_ROWS / 2 };
        constants.word("MW_WIDE_ROWS", rows);
        constants.word("MW_WIDE_CHUNKS", rows.div_ceil(share));
        constants.word("MW_PAIRS", (layers / 2) as u32);
        constants.word("MW_HEAD", u32::from(head));
        constants.word("MW_TAIL", (layers % 2) as u32 - u32::from(head));
        constants.word("MW_HEAD_CHUNKS", (widths[0] * widths[1] / 4).div_ceil(share));
        constants.word("MW_TOPS", tops.iter().sum::<u32>().max(1));
        constants.words("MW_TOP_START", running_sum(&tops));
        let unit_blocks = chunks(&|width| width / 4);
        let held: Vec<u32> = (0..layers - 1).map(|layer| unit_blocks[layer + 1] * widths[layer]).collect();
        constants.word("MW_HELD", network.held(share));
        constants.words("MW_HELD_START", running_sum(&held));
        constants.words("MW_HELD_BIAS_START", running_sum(&unit_blocks[1..]));
        constants.word("MW_HELD_BIASES", unit_blocks[1..layers].iter().sum::<u32>() + widths[layers] / 4);
        constants.word("MW_MOST_BLOCKS", unit_blocks[1..].iter().copied().max().unwrap_or(1));
        constants.words("MW_UNIT_BLOCKS", unit_blocks);
        constants.words("MW_VECTOR_CHUNKS", chunks(&|width| width / 4));
        constants.words("MW_UNIT_CHUNKS", chunks(&|width| width));
        constants.words("MW_ROW_CHUNKS", chunks(&|width| width + 1));
        constants.word("MW_INPUTS", network.widths[0]);
        // slopes by the inputs are not wanted
        constants.word("MW_SLOPES_FROM", widths[0]);
        constants.word("MW_LAST_DELTAS", 1);
        constants.word("MW_NETWORK_STRIDE", 0);
        constants.word("MW_OUTPUTS", network.widths[layers]);
        constants.words("MW_WEIGHT_START", network.places.iter().map(|place| place.0 / 4).collect::<Vec<_>>());
        constants.words("MW_BIAS_START", network.places.iter().map(|place| place.1 / 4).collect::<Vec<_>>());
        constants.word("MW_DELTA_START", delta_start);
        let outputs_start = delta_start + (units - widths[0]) / 4;
        constants.word("MW_OUTPUT_START", outputs_start);
        constants.word("MW_TRACE_WIDTH", outputs_start + widths[layers] / 4);
        constants.words("MW_TASK_COLUMNS", columns);
        constants.words("MW_TASK_START", running_sum(&tasks));
        constants.word("MW_TASKS", tasks.iter().sum());
        if let Some(tile) = network.tile(form.tile) {
            tile.constants(&mut constants);
        }
        constants.word("MW_TILE_ROWS", form.tile_rows());
        constants.word("MW_TILE_CHUNKS", form.tile_rows() / 4 / share);
        constants
    }
}

/// The constants of a form: `MW_WORKGROUP`, `MW_LANES`, …
pub(crate) fn form_constants(form: Form) -> Constants {
    let mut constants = Constants::default();
    constants.word("MW_WORKGROUP", form.workgroup);
    constants.word("MW_TREE_LEVELS", form.workgroup.ilog2());
    constants.word("MW_LANES", form.lanes);
    constants.word("MW_VECTORS", 1);
    constants.word("MW_SAMPLES", form.lanes);
    constants.word("MW_SHARE", form.share_size());
    constants.word("MW_SHARE_LEVELS", form.share_size().ilog2());
    constants
}

/// Refuses parameters that a policy with `expected` of them cannot have.
///
/// # Errors
/// [`Error::Setting`] where their number is another, or one of them is not finite.
pub(crate) fn check_numbers(parameters: &[f32], expected: usize) -> Result<()> {
    if parameters.len() != expected {
        let reason = format!("{} numbers were given, the policy has {expected}", parameters.len());
        return Err(Error::setting("parameters", reason));
    }
    match parameters.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => {
            Err(Error::setting("parameters", format!("number {place} is {}; all must be finite", parameters[place])))
        }
    }
}

/// 0, a, a + b, …
fn running_sum(values: &[u32]) -> Vec<u32> {
    let sums = values.iter().scan(0, |sum, value| {
        *sum += value;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

impl Network {
    /// The network's name, such as `actor`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Inputs, hidden widths, outputs.
    pub fn widths(&self) -> &[u32] {
        &self.widths
    }

    /// What follows every hidden layer.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Whether every second layer is narrow enough for `mlp.wgsl`, which keeps those in registers.
    pub(crate) fn narrow(&self) -> bool {
        let last = self.widths.len() - 1;
        self.widths.iter().enumerate().all(|(layer, &width)| width <= NARROW || (layer % 2 == 1 && layer < last))
    }

    /// Whether a forward pass alone makes the first layer apart (see `mlp.wgsl`): of an odd number, few inputs, so that
    /// its code, which is not in a loop, stays short.
    fn head(&self) -> bool {
        let (widths, layers) = (self.padded_widths(), self.places.len());
        let narrow = (1..=layers).step_by(2).all(|layer| widths[layer] <= NARROW);
        layers > 1 && layers % 2 == 1 && widths[0] <= HEAD_INPUTS && narrow
    }

    /// Vec4s of weights that an invocation of `mlp_units.wgsl` holds in a subgroup of this size.
    fn held(&self, share: u32) -> u32 {
        let widths = self.padded_widths();
        let last = widths.len() - 2;
        let blocks = |layer: usize| (widths[layer] / 4).div_ceil(share);
        (0..last).map(|layer| blocks(layer + 1) * widths[layer]).sum::<u32>() + self.widths[last + 1] * blocks(last)
    }

    /// Whether a subgroup of this size can run the network together.
    pub(crate) fn fits_units(&self, share: u32) -> bool {
        self.places.len() > 1 && share > 1 && self.held(share) <= HELD
    }

    /// How a workgroup with so many bytes of memory runs the network on a tile; none where the network is too wide.
    pub(crate) fn tile(&self, bytes: u32) -> Option<Tile> {
        let widths = self.padded_widths();
        let samples = (bytes / (4 * self.units() + 4) / 4 * 4).min(TILE_SAMPLES);
        // more threads keep fewer sums each: with 64 of them no GPU's registers hold them all (benches/NOTES.md)
        [256, 64].into_iter().find_map(|threads| {
            let groups: Vec<u32> = widths.iter().map(|width| threads / (width / 4)).collect();
            if samples < 8 || groups.contains(&0) {
                return None;
            }
            let blocks: Vec<u32> = widths.iter().zip(&groups[1..]).map(|(width, n)| (width / 4).div_ceil(*n)).collect();
            let fits = 4 * blocks.iter().sum::<u32>() <= TILE_SUMS;
            fits.then_some(Tile { threads, samples, groups, blocks })
        })
    }

    /// Outputs of a layer that do not depend on its inputs.
    fn free_of(&self, layer: usize) -> u32 {
        if layer + 1 == self.places.len() { self.free.0 } else { 0 }
    }

    /// First and end of the words of their weights.
    fn frozen(&self) -> Vec<u32> {
        let last = self.places.len() - 1;
        let (inputs, outputs) = (self.padded(self.widths[last]), self.widths[last + 1]);
        let row = |row: u32| self.places[last].0 + row * inputs;
        if self.free.0 == 0 { Vec::new() } else { vec![row(outputs - self.free.0), row(outputs)] }
    }

    fn padded(&self, width: u32) -> u32 {
        width.next_multiple_of(if width > 64 && !self.narrow() { 64 } else { 4 })
    }

    /// Whether its layers take as many vec4s as those of another, which has no more outputs, and have the same activation.
    pub(crate) fn as_wide_as(&self, other: &Self) -> bool {
        self.padded_widths() == other.padded_widths()
            && self.activation() == other.activation()
            && self.widths.last() >= other.widths.last()
    }

    fn padded_widths(&self) -> Vec<u32> {
        self.widths.iter().map(|&width| self.padded(width)).collect()
    }

    /// Where each layer lies, among an agent's parameters and in a row of the trace (`Parameters::constants`).
    pub(crate) fn layers(&self) -> Vec<LayerPlaces> {
        let widths: Vec<u32> = self.padded_widths().iter().map(|width| width / 4).collect();
        let starts = running_sum(&widths);
        let last = self.places.len();
        // behind the units come the deltas from layer 1 on, and behind those the outputs
        let delta = |layer: usize| starts[last] + starts[layer] - widths[0];
        let outputs = starts[last] + starts[last + 1] - widths[0];
        let places = |layer: usize| LayerPlaces {
            inputs: widths[layer],
            outputs: widths[layer + 1],
            weights: self.places[layer].0 / 4,
            biases: self.places[layer].1 / 4,
            below: starts[layer],
            above: if layer + 1 < last { starts[layer + 1] } else { outputs },
            delta_below: (layer > 0).then(|| delta(layer)),
            delta_above: delta(layer + 1),
            activated: layer + 1 < last,
        };
        (0..last).map(places).collect()
    }

    /// Units of all layers, padding included.
    pub(crate) fn units(&self) -> u32 {
        self.padded_widths().iter().sum()
    }

    /// Loop iterations of one forward pass of an invocation.
    pub(crate) fn forward_iterations(&self) -> u64 {
        self.padded_widths().windows(2).map(|pair| iterations(pair[0], pair[1], self.narrow())).sum()
    }

    /// Loop iterations of one backward pass of an invocation.
    pub(crate) fn backward_iterations(&self) -> u64 {
        let widths = self.padded_widths();
        // in `mlp.wgsl` four more for each group of four, and each output
        let turns = u64::from(self.units() + self.widths[self.widths.len() - 1]);
        widths[1..].windows(2).map(|pair| iterations(pair[1], pair[0], true)).sum::<u64>() + turns
    }
}

/// Loop iterations of a layer: groups of 4 results in `mlp.wgsl`, or blocks of results by groups of 4 inputs in `mlp_wide.wgsl`.
fn iterations(summed: u32, results: u32, narrow: bool) -> u64 {
    if narrow {
        return u64::from(summed.div_ceil(64)) * u64::from(results / 4 + 1);
    }
    u64::from(results.div_ceil(WIDE_ROWS / 2)) * u64::from(summed / 4 + 1) + 1
}

impl Tensor {
    /// Words of each row in an agent's padded parameters.
    fn rows(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let width = *self.shape.last().unwrap_or(&0);
        let count = if self.shape.len() == 2 { self.shape[0] } else { 1 };
        let (offset, stride) = (self.offset, self.stride);
        (0..count).map(move |row| offset + row * stride..offset + row * stride + width)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
