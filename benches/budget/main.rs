//! Budgets of the kernels that GPUs get, without a GPU: `make gpu-budget`.
//!
//! Mesa's driver for AMD's GPUs compiles for any of them without having it. Every kernel of the cases of `budgets.toml` is
//! planned for a GPU, written as SPIR-V as wgpu does it, and compiled; the driver says how many registers, spills and waves
//! came of it, and this program whether that is within the budgets.
//!
//! Its drivers for NVIDIA's and Intel's GPUs do so with a library of Mesa's in place of the kernel. They say other things,
//! which are printed and not judged: `make gpu-budget-all`.
//!
//! `cargo bench --bench budget -- navi21` judges for one GPU of [`DEVICES`]. `--drivers FOLDER` before that is a folder
//! of `debian13.sh`, which has those other drivers; with it, all GPUs are meant where none is named.
//! Exit status: 0 all is within its budget, 1 something is not, 2 there is no such GPU, 3 the driver is missing.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod budgets;
mod device;
mod spirv;
mod vulkan;

use budgets::{Budgets, Case};
use device::{DEVICES, Device};
use manyworlds::algo;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::plan::{Description, KernelDescription, Target};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Why nothing could be judged.
struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    fn new(status: u8, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<manyworlds::Error> for Failure {
    fn from(error: manyworlds::Error) -> Self {
        Self::new(1, error.to_string())
    }
}

fn main() -> ExitCode {
    // cargo adds --bench
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments == [device::COMPILE] {
        return device::compile();
    }
    let (folder, names) = match &*arguments {
        [option, folder, names @ ..] if option == "--drivers" => (Some(Path::new(folder)), names),
        names => (None, names),
    };
    match judge(names, folder) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            ExitCode::from(failure.status)
        }
    }
}

/// Whether all is within its budget on these devices, those with budgets, or with a folder all, where none is named.
fn judge(names: &[String], folder: Option<&Path>) -> Result<bool, Failure> {
    let budgets = Budgets::read()?;
    let devices = wanted(names, folder.is_some())?;
    for device in &devices {
        // what is missing is told before minutes of work
        device.compile(&[], folder)?;
    }
    let started = Instant::now();
    let plans = in_parallel(&budgets.cases, plan).into_iter().collect::<Result<Vec<_>, Failure>>()?;
    let (kernels, places) = distinct(&plans);
    let modules = in_parallel(&kernels, |kernel| spirv::translate(kernel)).into_iter().collect::<Result<Vec<_>, _>>();
    let modules = modules.map_err(|message| Failure::new(1, message))?;
    println!("{} kernels written as SPIR-V in {:.0} s", kernels.len(), started.elapsed().as_secs_f64());

    let mut broken = Vec::new();
    let mut notes = Vec::new();
    for (case, plan) in budgets.cases.iter().zip(&plans) {
        case.judge_dispatches(plan, &mut broken, &mut notes);
    }
    for device in devices {
        let started = Instant::now();
        let answer = device.compile(&modules, folder)?;
        println!("\n{}: {}, in {:.0} s", device.title(), answer.says, started.elapsed().as_secs_f64());
        let recorded = answer.says.contains(&budgets.driver);
        for ((case, plan), places) in budgets.cases.iter().zip(&plans).zip(&places) {
            let mut compiled = Vec::new();
            for (kernel, place) in plan.kernels.iter().zip(places) {
                let statistics = answer.kernels[*place].as_ref();
                let statistics = statistics.map_err(|error| Failure::new(1, format!("{}: {error}", kernel.name)))?;
                compiled.push((kernel.name.as_str(), statistics));
            }
            println!("\n{}", case.heading(plan));
            budgets.judge(case, device, &compiled, recorded, &mut broken, &mut notes)?;
        }
    }
    for (title, lines) in [("could be stricter", &notes), ("BROKEN", &broken)] {
        if !lines.is_empty() {
            println!("\n{title} (benches/budget/budgets.toml):\n  {}", lines.join("\n  "));
        }
    }
    if broken.is_empty() {
        println!("\nall within their budgets");
    }
    Ok(broken.is_empty())
}

fn wanted(names: &[String], all: bool) -> Result<Vec<&'static Device>, Failure> {
    if names.is_empty() {
        return Ok(DEVICES.iter().filter(|device| all || device.driver.judged).collect());
    }
    let known = |name: &String| {
        DEVICES.iter().find(|device| device.name == name).ok_or_else(|| {
            let all: Vec<&str> = DEVICES.iter().map(|device| device.name).collect();
            Failure::new(2, format!("there is no GPU '{name}'; there are: {}", all.join(", ")))
        })
    };
    names.iter().map(known).collect()
}

/// What an agent of this case runs on a GPU.
fn plan(case: &Case) -> Result<Description, Failure> {
    let env = Environment::load(&case.env)?;
    let config = Config::resolve(env.name(), &case.algo, None, &case.settings)?;
    Ok(algo::describe(Target::GPU, &config, &env, &[config.seed])?)
}

/// Each kernel once, and where each plan's kernels are among them.
fn distinct<'a>(plans: &'a [Description]) -> (Vec<&'a KernelDescription>, Vec<Vec<usize>>) {
    let mut kernels = Vec::new();
    let mut known = HashMap::new();
    let mut place = |kernel: &'a KernelDescription| {
        let values: Vec<(&str, u64)> =
            kernel.overrides.iter().map(|(name, value)| (&**name, value.to_bits())).collect();
        *known.entry((kernel.wgsl.as_str(), values)).or_insert_with(|| {
            kernels.push(kernel);
            kernels.len() - 1
        })
    };
    let mut places = Vec::new();
    for plan in plans {
        places.push(plan.kernels.iter().map(&mut place).collect());
    }
    (kernels, places)
}

/// What `work` makes of each item, by as many threads as there are cores, in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((place, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, items.get(n)?)))
                {
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
