//! What each kernel of an update costs, counted from its shapes, and what it reaches of the adapter's ceilings.

use super::work::{RUNS, Run, Work, limit};
use super::{Case, layout, span};
use crate::algo::OnPolicy;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Form, Gpu, PassTime, Recording};
use crate::kernels::Kernels;
use crate::layout::{TERMS, program};
use crate::nn::{Activation, Network, form_constants};
use crate::plan::{Plan, Target};
use serde::Serialize;

/// What an adapter can do at most, as two kernels that do nothing else find it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ceilings {
    /// 10⁹ multiplications and additions per second.
    pub gflops: f64,
    /// 10⁹ bytes per second that a copy reads and writes.
    pub gbytes: f64,
}

/// One kernel of an update.
#[derive(Clone, Debug, Serialize)]
pub struct KernelReport {
    /// Its name.
    pub kernel: String,
    /// Dispatches in an update.
    pub dispatches: u32,
    /// Milliseconds of an update.
    pub ms: f64,
    /// Its share of the update's time.
    pub share: f64,
    /// Arithmetic operations of an update, where they are counted.
    pub operations: Option<f64>,
    /// Bytes of an update that it must read and write, caches aside.
    pub bytes: Option<f64>,
    /// 10⁹ operations per second.
    pub gflops: Option<f64>,
    /// 10⁹ bytes per second.
    pub gbytes: Option<f64>,
    /// The larger of the fractions of the two ceilings.
    pub of_ceiling: Option<f64>,
    /// Updates of which the fastest is reported; one where an update is long.
    pub runs: usize,
    /// Share of an update's time that was timed, as in [`Measured`](super::Measured).
    pub timed_share: f64,
}

/// Measures the ceilings.
///
/// # Errors
/// [`Error::NoTimestamps`] where the adapter has none, and those of [`Plan::build`] and [`Gpu::profile`].
pub fn ceilings(gpu: &Gpu) -> Result<Ceilings> {
    const ROUNDS: u32 = 4096;
    let threads: u64 = if gpu.is_software() { 1 << 12 } else { 1 << 20 };
    let vectors: u64 = 1 << if gpu.is_software() { 20 } else { 22 };
    let plain = |name: &str| program(name, &form_constants(Form::PLAIN));

    let mut plan = Plan::new(Target::of(gpu));
    let words = plan.filled("words", &[("vectors", 4)], "nothing", || vec![[0.5f32; 4]; 4])?;
    let kernel = plain("multiply add")?.word("MW_ROUNDS", ROUNDS).part("check/multiply_add.wgsl")?;
    let kernel = plan.kernel(kernel);
    let mut arithmetic = Recording::default();
    let buffers = Buffers::default().with("mw_words", &words);
    arithmetic.push(&plan.pass(kernel, 1, threads, u64::from(ROUNDS / 8), &buffers));

    let kernel = plan.kernel(plain("copy")?.part("check/copy.wgsl")?);
    let mut make = |label| -> Result<Buffer<[f32; 4]>> { plan.buffer(label, &[("vectors", vectors)], "nothing") };
    let buffers = Buffers::default().with("mw_source", &make("source")?).with("mw_target", &make("target")?);
    let mut copy = Recording::default();
    copy.push(&plan.pass(kernel, 1, vectors, 0, &buffers));
    plan.build(gpu)?;

    let mut best = Ceilings { gflops: 0.0, gbytes: 0.0 };
    for _ in 0..RUNS {
        let (a, b) = (profile(gpu, &arithmetic)?, profile(gpu, &copy)?);
        let operations = threads as f64 * f64::from(ROUNDS) * 24.0 * 2.0;
        best.gflops = best.gflops.max(operations / a[0].time.as_secs_f64() * 1e-9);
        best.gbytes = best.gbytes.max(vectors as f64 * 32.0 / b[0].time.as_secs_f64() * 1e-9);
    }
    Ok(best)
}

/// The times of a recording's kernels.
fn profile(gpu: &Gpu, recording: &Recording) -> Result<Vec<PassTime>> {
    gpu.profile(recording)?.ok_or_else(|| Error::NoTimestamps { adapter: gpu.info().name.clone() })
}

/// Times the kernels of updates of this shape, slowest first: of the fastest of five updates after a warm-up, or of fewer and
/// in part where they take more than three times `seconds`, as [`Prepared::measure`](super::Prepared::measure) does.
///
/// # Errors
/// [`Error::NoTimestamps`] where the adapter has none, [`Error::Setting`] where `seconds` is not from 0 to 3600, and as
/// [`Case::check`], [`OnPolicy::new`] and [`Gpu::profile`].
pub fn kernel_report(
    gpu: &Gpu,
    env: &Environment,
    case: &Case,
    ceilings: Ceilings,
    seconds: f64,
) -> Result<Vec<KernelReport>> {
    span(seconds)?;
    case.check()?;
    let mut plan = Plan::new(Target::of(gpu));
    let (ppo, minibatch) = OnPolicy::plan_update(&mut plan, env, &case.config(), 1)?;
    plan.build(gpu)?;
    gpu.submit(ppo.rollout.reset())?;
    gpu.wait()?;
    let work = Work::with(ppo.update().clone(), minibatch);
    let limit = limit(seconds);
    let in_part = || work.run(limit, |recording| profile(gpu, recording));
    let total = |run: &Run| run.kernels.iter().map(|kernel| kernel.time.as_secs_f64()).sum::<f64>();
    let (mut best, mut runs) = (in_part()?, 0);
    let mut spent = 0.0;
    if RUNS as f64 * best.seconds > limit && gpu.is_software() {
        (runs, spent) = (1, best.seconds * best.timed_share);
    }
    while runs == 0 || runs < RUNS && spent < limit {
        let run = in_part()?;
        spent += run.seconds * run.timed_share;
        if runs == 0 || total(&run) < total(&best) {
            best = run;
        }
        runs += 1;
    }
    let shortest = total(&best);
    let mut report: Vec<KernelReport> = (best.kernels)
        .into_iter()
        .map(|time| {
            let seconds = time.time.as_secs_f64();
            let cost = cost(gpu, &time.kernel, env, case, &ppo);
            let rate = |count: Option<f64>| count.map(|count| count / seconds * 1e-9);
            let (gflops, gbytes) = (rate(cost.map(|c| c.operations)), rate(cost.map(|c| c.bytes)));
            let of = |rate: Option<f64>, ceiling: f64| rate.map_or(0.0, |rate| rate / ceiling);
            KernelReport {
                kernel: time.kernel,
                dispatches: time.dispatches,
                ms: seconds * 1e3,
                share: seconds / shortest,
                operations: cost.map(|c| c.operations),
                bytes: cost.map(|c| c.bytes),
                gflops,
                gbytes,
                of_ceiling: cost.map(|_| of(gflops, ceilings.gflops).max(of(gbytes, ceilings.gbytes))),
                runs,
                timed_share: best.timed_share,
            }
        })
        .collect();
    report.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    Ok(report)
}

#[derive(Clone, Copy)]
struct Cost {
    operations: f64,
    bytes: f64,
}

/// Operations of a forward pass of one sample: two for each weight, one for each bias, and what the activation takes.
fn forward(network: &Network) -> f64 {
    let widths = network.widths();
    let activation = match network.activation() {
        Activation::Tanh => 22.0, // clamp, square, two polynomials of degree 4, a product and a quotient
        Activation::Relu => 1.0,
    };
    let layers = widths.windows(2).map(|pair| 2.0 * f64::from(pair[0] * pair[1]) + f64::from(pair[1]));
    layers.sum::<f64>() + activation * widths[1..widths.len() - 1].iter().map(|&w| f64::from(w)).sum::<f64>()
}

/// Operations for the weights of one sample: the products δ uᵀ and their sums.
fn products(network: &Network) -> f64 {
    network.widths().windows(2).map(|pair| 2.0 * f64::from(pair[0] * pair[1])).sum()
}

/// Operations of a backward pass through the data: all layers but the first.
fn backward(network: &Network) -> f64 {
    products(network) - 2.0 * f64::from(network.widths()[0] * network.widths()[1])
}

/// What a kernel costs in an update. The arithmetic of environments is not counted.
fn cost(gpu: &Gpu, kernel: &str, env: &Environment, case: &Case, ppo: &OnPolicy) -> Option<Cost> {
    const WORD: f64 = 4.0;
    let layout = layout(env, case);
    let [actor, critic] = [0, 1].map(|n| &layout.networks()[n]);
    let run = &ppo.agents.run;
    let batch = f64::from(run.batch_size);
    let features = f64::from(env.spec().observation_dim);
    let finals = f64::from(run.num_envs) * f64::from(run.bootstrap_slots);
    let words = f64::from(layout.learned());
    let epochs = f64::from(ppo.epochs());
    let minibatches = epochs * f64::from(run.num_minibatches);
    let partials = minibatches * f64::from(run.minibatch_size.div_ceil(run.slice)) * words;
    let kernels = Kernels::new(gpu.form(), &layout, &env.spec().action_space, case.config().exploration(env));
    // where another kernel sums the weight gradients, this one leaves units and deltas; run layer by layer, deltas of outputs
    let (summed, layered) = (kernels.summed(), kernels.layered());
    let units = |network: &Network| network.widths().iter().map(|&w| f64::from(w)).sum::<f64>();
    let passes = epochs * batch;
    let gradient = |network: &Network, rows: f64| {
        if layered {
            let outputs = f64::from(network.widths()[network.widths().len() - 1]);
            return Cost { operations: 0.0, bytes: WORD * passes * (rows + 2.0 * outputs) };
        }
        Cost {
            operations: passes * (forward(network) + backward(network) + if summed { products(network) } else { 0.0 }),
            bytes: WORD * passes * (features + rows + if summed { 0.0 } else { 2.0 * units(network) })
                + if summed { WORD * partials / 2.0 } else { 0.0 },
        }
    };
    Some(match kernel {
        "rollout" => Cost { operations: batch * forward(actor), bytes: WORD * batch * (features + 4.0) },
        "layer forward" => Cost {
            operations: passes * (forward(actor) + forward(critic)) + (batch + finals) * forward(critic),
            bytes: 2.0 * WORD * (passes * (units(actor) + units(critic)) + (batch + finals) * units(critic)),
        },
        "layer backward" => Cost {
            operations: passes * (backward(actor) + backward(critic)),
            bytes: 3.0 * WORD * passes * (units(actor) + units(critic)),
        },
        "value" if layered => Cost { operations: 0.0, bytes: 2.0 * WORD * (batch + finals) },
        "value" => {
            Cost { operations: (batch + finals) * forward(critic), bytes: WORD * (batch + finals) * (features + 1.0) }
        }
        "gae" => Cost { operations: 6.0 * batch, bytes: WORD * batch * 6.0 },
        "gradient actor" => gradient(actor, 3.0),
        "gradient critic" => gradient(critic, 2.0),
        "gradient actor and critic" => {
            let (actor, critic) = (gradient(actor, 3.0), gradient(critic, 2.0));
            Cost { operations: actor.operations + critic.operations, bytes: actor.bytes + critic.bytes }
        }
        "weight gradient actor" | "weight gradient critic" => {
            let network = if kernel.ends_with("actor") { actor } else { critic };
            Cost {
                operations: epochs * batch * products(network),
                bytes: WORD * (epochs * batch * 2.0 * units(network) + partials / 2.0),
            }
        }
        "sum slices" => {
            let terms = minibatches * f64::from(run.minibatch_threads) * f64::from(TERMS);
            Cost { operations: partials + terms, bytes: WORD * (partials + terms + minibatches * words) }
        }
        "adam" => Cost { operations: 14.0 * minibatches * words, bytes: WORD * 7.0 * minibatches * words },
        "reduce advantages" => Cost { operations: 6.0 * epochs * batch, bytes: WORD * epochs * batch },
        "reduce targets" => Cost { operations: 14.0 * batch, bytes: WORD * 4.0 * batch },
        _ => return None,
    })
}
