//! The natural gradient's step: conjugate gradients on products with the policy's Fisher matrix, then a line search.

use super::{AdvantageMoments, Elements, Learner, Portion, Reduced, forward, one_workgroup};
use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, Recording};
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
    /// The step for the gradient of a learner of the policy `network`, and the moments that its advantages have. `products` are
    /// those of [`Kernels::untiled`].
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
        let fisher =
            Learner::new(plan, &kernels.untiled(), &fisher_agents, &fisher_buffers, products.slicing, &objective)?;
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
        let surrogate = kernels.surrogate(network)?;
        let line_search = plan.kernel(kernels.line_search(span)?);
        let elements = Elements::from(trust.samples);
        let mut places = [search, plan.buffer("search", &[agent], "the number of agents")?];
        // measures what is there and puts the next in its place; where the search stands goes from one buffer to the other
        let mut of_places = |now: usize| -> Result<Recording> {
            let [now, next] = [&places[now], &places[1 - now]];
            let buffers = buffers.instead("mw_line_search", now).with("mw_line_search_next", next);
            let mut tried = forward(plan, kernels, &surrogate, network, count, columns, &buffers)?;
            let sums = Reduced::partial(plan, kernels, Reduction::Measures, count, elements, &buffers)?;
            sums.record(&mut tried);
            if !plan.target().rank.is_alone() {
                // sums of as many samples on every rank: means of them are those of all
                tried.exchange(Exchange::new(vec![Exchanged::whole(&sums.result, Joined::Mean)]));
            }
            let turns = sums.result.len() as u64 / u64::from(count * kernels.form.workgroup) + 1;
            let buffers = buffers.with("mw_measured", &sums.result);
            tried.push(&plan.pass(line_search, count, span.count.into(), turns, &buffers));
            Ok(tried)
        };
        let tries = [of_places(0)?, of_places(1)?];
        // the old parameters, and every candidate; back to the old ones where none was accepted
        for n in 0..=trust.candidates.max(1) as usize {
            recording.extend(&tries[n % 2]);
            places.swap(0, 1);
        }
        let [search, _] = places;
        Ok(Self { recording, fisher, direction, search, solver, trials })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
