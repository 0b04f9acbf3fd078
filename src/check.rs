//! Short tests of an adapter: whether it computes what it should.

mod effects;
mod environment;
mod random;
mod seen;
mod warnings;

pub use environment::{CHECK_STEPS, Checked, check_environment};
pub use seen::{Episodes, Moments, Seen};
pub use warnings::{Warning, stem};

use crate::env::ActionSpace;
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Gpu, LOOP_BUDGET, Recording};
use crate::kernels::{Kernels, Reduction};
use crate::nn::form_constants;
use crate::plan::{Plan, Target};
use crate::reference::philox::philox4x32_10;
use crate::shader::Program;
use crate::stage::Reduced;
use serde::Serialize;

/// What a test found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was tested.
    pub name: &'static str,
    /// Whether the adapter can be used.
    pub ok: bool,
    /// What was expected and what came.
    pub detail: String,
}

/// Tests a reduction, the random numbers and the loop budget.
///
/// # Errors
/// Those of [`Plan::build`] and [`Gpu::read`].
pub fn self_test(gpu: &Gpu) -> Result<Vec<Finding>> {
    Ok(vec![reduction(gpu)?, random_numbers(gpu)?, loops(gpu)?])
}

fn reduction(gpu: &Gpu) -> Result<Finding> {
    const COUNT: u32 = 1757;
    let space = ActionSpace::Discrete { count: 1, masked: false };
    let kernels = Kernels::of_worlds(gpu.form_for(0), &space);
    let elements: Vec<[f32; 4]> = (0..COUNT).map(|i| [i as f32, 1.0, -1.0, 0.5]).collect();
    let mut plan = Plan::new(Target::of(gpu));
    let axes = [("elements", u64::from(COUNT))];
    let source = plan.filled("elements", &axes, "nothing", move || elements.clone())?;
    let buffers = Buffers::default().with("mw_partials", &source);
    let sums = Reduced::new(&mut plan, &kernels, Reduction::Sums, Reduction::Sums, 1, COUNT.into(), &buffers)?;
    plan.build(gpu)?;
    let mut work = Recording::default();
    sums.record(&mut work);
    gpu.submit(&work)?;
    let got = gpu.read(&sums.result)?[0];
    let count = COUNT as f32;
    let expected = [count * (count - 1.0) / 2.0, count, -count, count / 2.0]; // exact in f32
    let ok = got.map(f32::to_bits) == expected.map(f32::to_bits);
    Ok(Finding { name: "reduction", ok, detail: format!("sums of {COUNT} elements: {got:?}, expected {expected:?}") })
}

/// Runs a kernel of one workgroup that writes words.
fn words(gpu: &Gpu, name: &str, parts: &[&str], path: &str) -> Result<Vec<u32>> {
    let program = Program::new(name).constants(&form_constants(gpu.form_for(0))).parts(parts)?.part(path)?;
    let mut plan = Plan::new(Target::of(gpu));
    let out: Buffer<u32> = plan.buffer("words", &[("words", 64)], "nothing")?;
    let kernel = plan.kernel(program);
    let mut work = Recording::default();
    // the kernel that tests the loop budget must not be refused for it
    work.push(&plan.pass(kernel, 1, 1, 0, &Buffers::default().with("mw_words", &out)));
    plan.build(gpu)?;
    gpu.submit(&work)?;
    gpu.read(&out)
}

fn random_numbers(gpu: &Gpu) -> Result<Finding> {
    let got = words(gpu, "check random numbers", &["part/random_words.wgsl"], "check/random_words.wgsl")?;
    let wrong = (0..16u32).find(|&i| {
        let counter = [i, 0x243f_6a88 ^ i, 0x85a3_08d3, i << 20];
        let at = 4 * i as usize;
        got[at..at + 4] != philox4x32_10(counter, [0xa409_3822, i])
    });
    let detail = match wrong {
        None => "16 blocks of Philox4x32-10 as on the host".to_owned(),
        Some(i) => format!("block {i} of Philox4x32-10 differs from the host's"),
    };
    Ok(Finding { name: "random numbers", ok: wrong.is_none(), detail })
}

fn loops(gpu: &Gpu) -> Result<Finding> {
    const ASKED: u32 = 100_000;
    let made = words(gpu, "check loops", &[], "check/loops.wgsl")?[0];
    let detail = if made == ASKED {
        format!("{ASKED} iterations of one invocation as asked")
    } else {
        format!("stops after {made} of {ASKED} iterations of one invocation; kernels here stay below {LOOP_BUDGET}")
    };
    // an adapter that stops loops is one that we know of, and stay below
    let ok = made == ASKED || (gpu.is_software() && u64::from(made) >= LOOP_BUDGET);
    Ok(Finding { name: "loop budget", ok, detail })
}
