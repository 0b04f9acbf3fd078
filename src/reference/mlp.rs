//! A multilayer perceptron over one flat parameter vector.
//!
//! ```text
//!   a_0 = input,   z_l = W_l a_l + b_l,   a_{l+1} = f(z_l),   the last layer without f
//!
//!   δ_L = d_loss_d_output,   d_loss_d_W_l = δ a_lᵀ,   d_loss_d_b_l = δ
//!   d_loss_d_a_l = W_lᵀ δ,   δ of the layer before = f'(z) ⊙ d_loss_d_a_l
//! ```
//!
//! Parameters lie as `W0[out][in]` row-major, `b0[out]`, `W1`, `b1`, …; a gradient likewise.
//! f' is taken from the activation: 1 − a² for tanh, 1 where a > 0 for relu (0 at the kink too, as in `PyTorch`).

/// The function after every hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// max(0, z).
    Relu,
}

impl Activation {
    /// The activation `a = f(z)`.
    pub fn apply(self, z: f64) -> f64 {
        match self {
            Self::Tanh => z.tanh(),
            Self::Relu => z.max(0.0),
        }
    }

    /// `f'(z)`, written in `a = f(z)`.
    pub fn d_a_d_z(self, a: f64) -> f64 {
        match self {
            Self::Tanh => 1.0 - a * a,
            Self::Relu => f64::from(u8::from(a > 0.0)),
        }
    }
}

/// Widths, activation and parameters of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// `[inputs, hidden…, outputs]`, at least two.
    pub widths: Vec<usize>,
    /// After every hidden layer, none after the output layer.
    pub activation: Activation,
    /// `W0[out][in]`, `b0[out]`, `W1`, `b1`, … in one vector of [`Mlp::parameter_count`].
    pub parameters: Vec<f64>,
}

/// Where one layer lies in the flat parameter vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Width of the layer's input.
    pub inputs: usize,
    /// Width of the layer's output.
    pub outputs: usize,
    /// Offset of `W[0][0]`; `W[o][i]` is at `weight + o * inputs + i`.
    pub weight: usize,
    /// Offset of `b[0]`.
    pub bias: usize,
}

impl Mlp {
    /// The layers of a network with these widths, first to last.
    pub fn layers(widths: &[usize]) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut weight = 0;
        for pair in widths.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            let bias = weight + inputs * outputs;
            layers.push(Layer { inputs, outputs, weight, bias });
            weight = bias + outputs;
        }
        layers
    }

    /// Number of parameters of a network with these widths: Σ (in + 1) · out.
    pub fn parameter_count(widths: &[usize]) -> usize {
        widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// The activations of every layer for one sample: the input first, the output last.
    ///
    /// `input` is `[inputs]`; layer `l` of the answer is `[widths[l]]`.
    pub fn forward(&self, input: &[f64]) -> Vec<Vec<f64>> {
        self.check();
        assert_eq!(input.len(), self.widths[0], "length of the input");
        let layers = Self::layers(&self.widths);
        let mut activations = vec![input.to_vec()];
        for (l, layer) in layers.iter().enumerate() {
            let hidden = l + 1 < layers.len();
            let below = &activations[l];
            let above = (0..layer.outputs)
                .map(|o| {
                    let row = &self.parameters[layer.weight + o * layer.inputs..][..layer.inputs];
                    let dot: f64 = row.iter().zip(below).map(|(w, a)| w * a).sum();
                    let z = self.parameters[layer.bias + o] + dot;
                    if hidden { self.activation.apply(z) } else { z }
                })
                .collect();
            activations.push(above);
        }
        activations
    }

    /// The network's output for one sample: the last of [`Mlp::forward`].
    pub fn output(&self, input: &[f64]) -> Vec<f64> {
        self.forward(input).pop().unwrap_or_default()
    }

    /// Gradients of a loss for one sample, by the parameters (flat) and by the input.
    ///
    /// `activations` come from [`Mlp::forward`]; `d_loss_d_output` is `[outputs]`.
    pub fn backward(&self, activations: &[Vec<f64>], d_loss_d_output: &[f64]) -> (Vec<f64>, Vec<f64>) {
        self.check();
        assert_eq!(activations.len(), self.widths.len(), "layers of activations");
        let layers = Self::layers(&self.widths);
        let mut gradient = vec![0.0; self.parameters.len()];
        let mut delta = d_loss_d_output.to_vec();
        for (l, layer) in layers.iter().enumerate().rev() {
            let below = &activations[l];
            assert_eq!(below.len(), layer.inputs, "activations of layer {l}");
            assert_eq!(delta.len(), layer.outputs, "gradient of layer {l}'s output");
            let mut d_loss_d_below = vec![0.0; layer.inputs];
            for (o, d) in delta.iter().enumerate() {
                let row = layer.weight + o * layer.inputs;
                for i in 0..layer.inputs {
                    gradient[row + i] = d * below[i];
                    d_loss_d_below[i] += d * self.parameters[row + i];
                }
                gradient[layer.bias + o] = *d;
            }
            if l > 0 {
                for (d, a) in d_loss_d_below.iter_mut().zip(below) {
                    *d *= self.activation.d_a_d_z(*a);
                }
            }
            delta = d_loss_d_below;
        }
        (gradient, delta)
    }

    fn check(&self) {
        assert!(self.widths.len() >= 2, "widths are [inputs, hidden…, outputs]");
        assert_eq!(
            self.parameters.len(),
            Self::parameter_count(&self.widths),
            "number of parameters for widths {:?}",
            self.widths
        );
    }
}
