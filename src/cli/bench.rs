//! `manyworlds bench`

use super::drivers::Work;
use super::say::{print, print_json, reader_left, say};
use super::{AdapterArgument, foreign};
use crate::algo::sizes;
use crate::bench::{
    Case, Measured, Mode, Prepared, ReplayCase, ReplayMeasured, break_even, ceilings, kernel_report, measure_replay,
    one_core, span,
};
use crate::cli::ExitCode;
use crate::config::Algo;
use crate::curves::{OneCore, check_picture, draw_throughput};
use crate::env::Environment;
use crate::error::shown;
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

#[derive(clap::Args)]
pub struct Bench {
    /// Name of a built-in environment, or path of a .wgsl file
    #[arg(long, default_value = "CartPole-v1")]
    env: String,
    /// Worlds side by side; each number is measured
    #[arg(long, value_delimiter = ',', default_value = "1024,4096,65536")]
    num_envs: Vec<u32>,
    /// step: random actions, nothing stored; rollout: actor and critic, all that PPO needs is stored; train: whole
    /// updates of PPO, 4 epochs of 4 minibatches
    #[arg(long, value_delimiter = ',', default_value = "step,rollout,train")]
    modes: Vec<Mode>,
    /// Steps of each world in a rollout
    #[arg(long, default_value_t = 128)]
    num_steps: u32,
    /// Widths of the hidden layers of actor and critic
    #[arg(long, value_delimiter = ',', default_value = "64,64")]
    net: Vec<u32>,
    /// Seconds that the timed runs of one combination take together: at least five runs if they take no more than three
    /// times that, else fewer, and where one takes more, a part of it that stands for the whole
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Instead: every kernel of an update with its share of the time and what it reaches of this adapter's ceilings
    #[arg(long)]
    kernels: bool,
    /// Instead: gradient steps of ddpg, td3 and sac on replayed transitions, and what steps of worlds cost beside them
    #[arg(long, conflicts_with = "kernels")]
    replay: bool,
    /// Transitions of such a gradient step
    #[arg(long, default_value_t = 256)]
    batch_size: u32,
    /// Draw steps per second against worlds, with the number of worlds from which on the adapter is faster than one core: a .svg or
    /// .png file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kernels", "replay"])]
    plot: Option<PathBuf>,
    /// Print one JSON object for each combination, or kernel, on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Bench {
    /// What all combinations ask a processor for.
    pub fn work(&self) -> Work {
        if self.replay {
            let case = ReplayCase { algo: Algo::Sac, num_envs: 1, batch_size: self.batch_size, net: self.net.clone() };
            return case.config().map_or(Work::default(), |config| Work::from(&config));
        }
        let works = self.num_envs.iter().map(|&num_envs| {
            let case = Case { mode: Mode::Train, num_envs, num_steps: self.num_steps, net: self.net.clone() };
            Work::from(&case.config())
        });
        let all = Work { small: true, wide: true, ..Work::default() };
        works.fold(all, |all, work| Work { small: all.small && work.small, wide: all.wide && work.wide, ..all })
    }

    pub fn run(self) -> Result<ExitCode> {
        span(self.seconds)?;
        self.plot.iter().try_for_each(|path| check_picture(path))?;
        let env = foreign::load(&self.env, &[], &self.adapter)?;
        if self.replay {
            return self.replay(&env);
        }
        let mut cases = Vec::new();
        let kernels_only = [Mode::Train];
        for &mode in if self.kernels { &kernels_only[..] } else { &self.modes } {
            for &num_envs in &self.num_envs {
                let case = Case { mode, num_envs, num_steps: self.num_steps, net: self.net.clone() };
                case.check()?;
                cases.push(case);
            }
        }
        let largest = cases.iter().try_fold(0, |most, case| Ok::<_, Error>(case.largest_buffer(&env)?.max(most)))?;
        let gpu = self.adapter.open(largest)?;
        say(format_args!("{}; {}", gpu.info().name, gpu.form()));
        if self.kernels {
            return self.kernels(&gpu, &env);
        }
        if !self.json {
            print(format_args!(
                "{:8} {:>9} {:>6}  {:>12} {:>12} {:>12}  {:>5} {:>5} {:>8} {:>8}",
                "mode", "worlds", "steps", "min /s", "median /s", "max /s", "runs", "timed", "setup s", "peak MB"
            ))?;
        }
        let (mut all, mut last) = (Vec::new(), None);
        for case in &cases {
            let named = format!("{} of {} worlds × {} steps", name(case.mode), case.num_envs, case.num_steps);
            let compiling = format!("{named}: compiling kernels; that is once, the driver keeps them");
            let running = format!("{named}: running it for the first time");
            let measured = said_if_long(&compiling, || Prepared::new(&gpu, &env, case))
                .and_then(|prepared| said_if_long(&running, || prepared.measure(self.seconds)));
            let measured = match measured {
                Ok(measured) => measured,
                // what does not fit is no reason to leave out the rest
                Err(error @ Error::TooLarge { .. }) => {
                    say(format_args!("{} worlds left out: {error}", case.num_envs));
                    last = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.json {
                print_json(&measured)?;
            } else {
                print(format_args!("{}", row(&measured)))?;
            }
            all.push(measured);
            if reader_left() {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if let (true, Some(error)) = (all.is_empty(), last) {
            return Err(error);
        }
        let wanted = (!self.json || self.plot.is_some()) && self.modes.contains(&Mode::Step);
        let mut core = None;
        if let Some(steps_per_s) = wanted.then(|| one_core(&env, 0.5)).flatten() {
            let told = format!("one processor core makes {} steps/s in plain Rust", rounded(steps_per_s));
            let break_even = break_even(&gpu, &env, steps_per_s, 0.1)?;
            core = Some(OneCore { steps_per_s, break_even });
            match break_even {
                _ if self.json => {}
                Some(worlds) => print(format_args!("{told}; this adapter beats it from {worlds} worlds on"))?,
                None => print(format_args!("{told}; this adapter does not beat it"))?,
            }
        }
        if let Some(path) = &self.plot {
            draw_throughput(&shown(env.name()), &gpu.info().name, &all, core, &[path])?;
            say(format_args!("wrote {}", shown(path.display())));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn replay(&self, env: &Environment) -> Result<ExitCode> {
        let (mut cases, mut last) = (Vec::new(), None);
        for algo in Algo::ALL.into_iter().filter(|algo| algo.is_off_policy()) {
            for &num_envs in &self.num_envs {
                let case = ReplayCase { algo, num_envs, batch_size: self.batch_size, net: self.net.clone() };
                // an environment that an algorithm does not have is left out
                match case.config()?.check_for(env) {
                    Ok(()) => cases.push(case),
                    Err(error) => {
                        say(format_args!("{} left out: {error}", algo.name()));
                        last = Some(error);
                    }
                }
            }
        }
        if let (true, Some(error)) = (cases.is_empty(), last) {
            return Err(error);
        }
        let mut largest = 0;
        for case in &cases {
            largest = sizes(&case.config()?, env, 1)?.largest().max(largest);
        }
        let gpu = self.adapter.open(largest)?;
        if !self.json {
            print(format_args!(
                "{:6} {:>9} {:>6} {:>9}  {:>10} {:>12} {:>10}  {:>10} {:>7}",
                "algo", "worlds", "batch", "net", "min /s", "median /s", "max /s", "dispatches", "worlds"
            ))?;
        }
        for case in &cases {
            let named = format!("{} of {} worlds: compiling kernels, filling a ring", case.algo.name(), case.num_envs);
            let measured = said_if_long(&named, || measure_replay(&gpu, env, case, self.seconds))?;
            let ReplayMeasured { algo, num_envs, batch_size, net, updates_per_s, .. } = &measured;
            if self.json {
                print_json(&measured)?;
            } else {
                print(format_args!(
                    "{algo:6} {num_envs:>9} {batch_size:>6} {net:>9}  {:>10} {:>12} {:>10}  {:>10.1} {:>6.1}%",
                    rounded(updates_per_s.min),
                    rounded(updates_per_s.median),
                    rounded(updates_per_s.max),
                    measured.dispatches_per_update,
                    100.0 * measured.worlds_share
                ))?;
            }
            if reader_left() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn kernels(&self, gpu: &crate::gpu::Gpu, env: &Environment) -> Result<ExitCode> {
        let ceilings = ceilings(gpu)?;
        say(format_args!("ceilings: {:.1} GFLOP/s multiply-add, {:.1} GB/s copy", ceilings.gflops, ceilings.gbytes));
        let (mut some, mut last) = (false, None);
        for &num_envs in &self.num_envs {
            let case = Case { mode: Mode::Train, num_envs, num_steps: self.num_steps, net: self.net.clone() };
            let named = format!("an update of {num_envs} worlds: compiling kernels, timing them");
            let report = said_if_long(&named, || kernel_report(gpu, env, &case, ceilings, self.seconds));
            let report = match report {
                Ok(report) => report,
                Err(error @ Error::TooLarge { .. }) => {
                    say(format_args!("{num_envs} worlds left out: {error}"));
                    last = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            some = true;
            if !self.json {
                let share = report.first().map_or(1.0, |kernel| kernel.timed_share);
                let part = if share < 1.0 { format!("; {:.0}% of it timed", 100.0 * share) } else { String::new() };
                print(format_args!("an update of {num_envs} worlds × {} steps{part}", self.num_steps))?;
                print(format_args!(
                    "{:24} {:>4} {:>9} {:>6} {:>9} {:>8} {:>8} {:>7} {:>8}",
                    "kernel", "n", "ms", "share", "GFLOP", "GB", "GFLOP/s", "GB/s", "ceiling"
                ))?;
            }
            for kernel in report {
                if self.json {
                    let mut value = serde_json::to_value(&kernel).unwrap_or_default();
                    value["num_envs"] = num_envs.into();
                    value["num_steps"] = self.num_steps.into();
                    value["ceiling_gflops"] = ceilings.gflops.into();
                    value["ceiling_gbytes"] = ceilings.gbytes.into();
                    value["adapter"] = gpu.info().name.clone().into();
                    print(format_args!("{value}"))?;
                    continue;
                }
                let number = |x: Option<f64>, scale: f64, digits: usize| {
                    x.map_or("-".to_owned(), |x| format!("{:.digits$}", x * scale))
                };
                print(format_args!(
                    "{:24} {:>4} {:>9.3} {:>5.1}% {:>9} {:>8} {:>8} {:>7} {:>8}",
                    kernel.kernel,
                    kernel.dispatches,
                    kernel.ms,
                    100.0 * kernel.share,
                    number(kernel.operations, 1e-9, 3),
                    number(kernel.bytes, 1e-9, 4),
                    number(kernel.gflops, 1.0, 1),
                    number(kernel.gbytes, 1.0, 2),
                    kernel.of_ceiling.map_or("-".to_owned(), |x| format!("{:.0}%", 100.0 * x)),
                ))?;
            }
            if reader_left() {
                break;
            }
        }
        if let (false, Some(error)) = (some, last) {
            return Err(error);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Does something, and says what as soon as it has taken as long as a reader wonders.
fn said_if_long<T>(what: &str, work: impl FnOnce() -> T) -> T {
    const WONDERS: Duration = Duration::from_secs(3);
    std::thread::scope(|scope| {
        let (done, waits) = channel::<()>();
        scope.spawn(move || {
            if waits.recv_timeout(WONDERS) == Err(RecvTimeoutError::Timeout) {
                say(format_args!("{what}"));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

fn name(mode: Mode) -> String {
    serde_json::to_value(mode).ok().and_then(|mode| Some(mode.as_str()?.to_owned())).unwrap_or_default()
}

fn row(measured: &Measured) -> String {
    let Measured { num_envs, num_steps, steps_per_s, runs, setup_s, .. } = measured;
    format!(
        "{:8} {num_envs:>9} {num_steps:>6}  {:>12} {:>12} {:>12}  {runs:>5} {:>4.0}% {setup_s:>8.2} {:>8}",
        name(measured.mode),
        rounded(steps_per_s.min),
        rounded(steps_per_s.median),
        rounded(steps_per_s.max),
        100.0 * measured.timed_share,
        measured.peak_rss_mb.map_or("-".to_owned(), |mb| format!("{mb:.0}")),
    )
}

/// Three digits and a unit.
fn rounded(x: f64) -> String {
    let (value, unit) = match x {
        x if x >= 1e9 => (x / 1e9, " G"),
        x if x >= 1e6 => (x / 1e6, " M"),
        x if x >= 1e3 => (x / 1e3, " k"),
        x => (x, ""),
    };
    let digits = if value >= 100.0 { 0 } else { 1 + usize::from(value < 10.0) };
    format!("{value:.digits$}{unit}")
}
