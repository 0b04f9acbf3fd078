//! The passes of a network that is run layer by layer over the samples of a window (`shaders/layer.wgsl`).

use crate::error::Result;
use crate::gpu::{Buffers, Recording};
use crate::kernels::{Direction, Gate, Kernels};
use crate::layout::Layer;
use crate::nn::LayerPlaces;
use crate::plan::{Kernel, Plan};

/// A network, and which agents' samples it is run for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers<'a> {
    pub kernels: &'a Kernels<'a>,
    /// Its place among the parameters.
    pub network: usize,
    /// Agents that have work, and that every n-th is one of them.
    pub agents: [u32; 2],
    pub gate: Gate,
    /// Vec4s of a row of the trace.
    pub width: u32,
}

impl Layers<'_> {
    /// What it sees of `samples`, by the kernel `observe`, and then the units of every layer.
    pub fn forward(
        &self,
        plan: &mut Plan,
        observe: Kernel,
        samples: u32,
        buffers: &Buffers,
        recording: &mut Recording,
    ) -> Result<()> {
        let layers = self.layers();
        let threads = u64::from(samples) * u64::from(layers[0].inputs);
        recording.push(&plan.pass(observe, self.agents[0], threads, 0, buffers));
        for layer in layers {
            let values = Layer {
                depth: layer.inputs,
                results: layer.outputs,
                from_: layer.below,
                to: layer.above,
                ..self.layer(&layer)
            };
            self.push(plan, Direction::Forward, values, samples, buffers, recording)?;
        }
        Ok(())
    }

    /// How units change in a direction of the parameters; behind [`Layers::forward`].
    pub fn tangents(&self, plan: &mut Plan, samples: u32, buffers: &Buffers, recording: &mut Recording) -> Result<()> {
        for layer in self.layers() {
            let values = Layer {
                depth: layer.inputs,
                results: layer.outputs,
                from_: layer.below,
                tangents: layer.delta_below.unwrap_or(0),
                to: layer.delta_above,
                units: layer.above,
                ..self.layer(&layer)
            };
            self.push(plan, Direction::Tangent, values, samples, buffers, recording)?;
        }
        Ok(())
    }

    /// Deltas from those of the outputs down to the first hidden layer, or where they are wanted to the inputs, in whose
    /// place they lie then.
    pub fn backward(
        &self,
        plan: &mut Plan,
        inputs: bool,
        samples: u32,
        buffers: &Buffers,
        recording: &mut Recording,
    ) -> Result<()> {
        for layer in self.layers().iter().rev().filter(|layer| inputs || layer.delta_below.is_some()) {
            let values = Layer {
                depth: layer.outputs,
                results: layer.inputs,
                from_: layer.delta_above,
                to: layer.delta_below.unwrap_or(0),
                units: layer.below,
                activated: layer.delta_below.is_some().into(),
                ..self.layer(layer)
            };
            self.push(plan, Direction::Backward, values, samples, buffers, recording)?;
        }
        Ok(())
    }

    fn layers(&self) -> Vec<LayerPlaces> {
        self.kernels.parameters.networks()[self.network].layers()
    }

    /// What products of a layer have in common.
    fn layer(&self, layer: &LayerPlaces) -> Layer {
        Layer {
            weights: layer.weights,
            biases: layer.biases,
            activated: layer.activated.into(),
            parameters: self.kernels.parameters.words() / 4,
            learned: self.kernels.parameters.learned() / 4,
            width: self.width,
            agent_step: self.agents[1],
            ..Layer::default()
        }
    }

    fn push(
        &self,
        plan: &mut Plan,
        direction: Direction,
        values: Layer,
        samples: u32,
        buffers: &Buffers,
        recording: &mut Recording,
    ) -> Result<()> {
        let kernel = plan.kernel(self.kernels.layer(self.network, direction, values.results, self.gate)?);
        let buffers = buffers.with("mw_layer", &plan.uniform("layer", &values));
        let threads = self.kernels.layer_threads(values.results, samples);
        recording.push(&plan.pass(kernel, self.agents[0], threads, 2 * u64::from(values.depth) + 1, &buffers));
        Ok(())
    }
}
