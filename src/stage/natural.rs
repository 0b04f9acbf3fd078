//! The natural gradient's step: conjugate gradients on products with the policy's Fisher matrix, then a line search.

use super::{AdvantageMoments, Elements, Learner, Portion, Reduced, forward, one_workgroup};
use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Recording};
use crate::kernels::{Kernels, Objective, Reduction};
use crate::layout::{Columns, LineSearch, TrustRegion};
use crate::plan::Plan;
use crate::shader::Program;

/// From the gradient of the loss of one network to its new parameters; nothing comes back to the host on the way.
#[derive(Clone, Debug)]
pub struct Natural {
    recording: Recording,
    /// Portion with the Fisher matrix: its gradient is F p.
    pub fisher: Learner,
    /// What the next product is taken with: p, `[agent][word]`.
    pub direction: Buffer<f32>,
    /// Where each agent's search has come to, `[agent]`.
    pub search: Buffer<LineSearch>,
    /// `[agent][x, residual, old parameters][word of the network]`
    pub solver: Buffer<f32>,
    /// Mean surrogate and mean KL divergence of what was measured, `[agent][candidate]`, the old parameters first.
    pub trials: Buffer<[f32; 2]>,
}

impl Natural {
    /// The step for the gradient of a learner of the policy `network`, and the moments that its advantages have. `kernels`: those of the products
    /// ([`Kernels::untiled`]).
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        network: usize,
        agents: &Agents,
        batch: &Batch,
        learner: &Learner,
        moments: &AdvantageMoments,
        products: Portion,
        trust: TrustRegion,
    ) -> Result<Self> {
        let (count, span) = (agents.count, learner.span);
        let (agent, words) = (("agents", u64::from(count)), ("parameters", 4 * u64::from(span.count)));
        let solver: Buffer<f32> = plan.buffer("solver", &[agent, ("vectors", 3), words], "hidden")?;
        let learned = ("parameters", u64::from(kernels.parameters.learned()));
        let direction: Buffer<f32> = plan.buffer("direction", &[agent, learned], "hidden")?;
        let search: Buffer<LineSearch> = plan.buffer("search", &[agent], "the number of agents")?;
        let candidates = ("candidates", u64::from(trust.candidates.max(1)) + 1);
        let trials = plan.buffer("trials", &[agent, candidates], "backtrack_iters")?;
        let trust_uniform = plan.uniform("trust", &trust);
        let buffers = batch
            .buffers(&agents.buffers())
            .with("mw_trust_region", &trust_uniform)
            .with("mw_line_search", &search)
            .with("mw_solver", &solver)
            .with("mw_direction", &direction)
            .with("mw_gradient", &learner.gradient)
            .with("mw_trials", &trials);
        let turns = 3 * u64::from(span.count.div_ceil(kernels.form.workgroup));
        let mut recording = Recording::default();

        // x ≈ (F + damping)⁻¹ g
        let fisher_agents = agents.apart(plan, products.run)?;
        let fisher_buffers = batch.buffers(&fisher_agents.buffers()).with("mw_direction", &direction);
        let objective = [(network, Objective::Fisher)];
        let fisher = Learner::new(plan, kernels, &fisher_agents, &fisher_buffers, products.slicing, &objective)?;
        let solving = buffers.instead("mw_progress", &fisher_agents.progress);
        let solve = |plan: &mut Plan, program: Program, buffers: &Buffers| {
            let kernel = plan.kernel(program);
            one_workgroup(plan, kernel, count, turns, buffers)
        };
        recording.extend(&solve(plan, kernels.conjugate_begin(span)?, &solving));
        let product = solving.instead("mw_gradient", &fisher.gradient);
        let step = solve(plan, kernels.conjugate_step(span)?, &product);
        for _ in 0..trust.iterations {
            fisher.record(&mut recording);
            recording.extend(&step);
        }
        recording.extend(&solve(plan, kernels.conjugate_end(span)?, &buffers));

        // θ + fraction · √(2δ/xᵀFx) x, the longest first
        let samples = ("samples", u64::from(trust.samples));
        let measures: Buffer<[f32; 2]> = plan.buffer("measures", &[agent, samples], "num_envs")?;
        let buffers = buffers
            .with("mw_observed", &batch.observations)
            .with("mw_measures", &measures)
            .with("mw_moments", &moments.moments);
        let columns = Columns { count: trust.samples, ..Columns::default() };
        let kernel = plan.kernel(kernels.surrogate(network)?);
        let mut measure = forward(plan, kernels, kernel, network, count, columns, &buffers)?;
        let elements = Elements::from(trust.samples);
        let sums = Reduced::new(plan, kernels, Reduction::Measures, Reduction::Sums, count, elements, &buffers)?;
        sums.record(&mut measure);
        let judge = plan.kernel(kernels.line_search()?);
        measure.push(&plan.pass(judge, count, 1, 0, &buffers.with("mw_measured", &sums.result)));
        let kernel = plan.kernel(kernels.propose(span)?);
        let mut propose = Recording::default();
        propose.push(&plan.pass(kernel, count, span.count.into(), 0, &buffers));

        recording.extend(&measure);
        for _ in 0..trust.candidates.max(1) {
            recording.extend(&propose);
            recording.extend(&measure);
        }
        recording.extend(&propose); // back to the old ones where none was accepted
        Ok(Self { recording, fisher, direction, search, solver, trials })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
