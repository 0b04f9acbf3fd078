//! Measurements: environment steps per second, and what each kernel of an update reaches of the adapter's ceilings.

mod kernels;
mod off_policy;
mod work;

pub use kernels::{Ceilings, KernelReport, ceilings, kernel_report};
pub use off_policy::{ReplayCase, ReplayMeasured, measure_replay};

use crate::algo::OnPolicy;
use crate::algo::{networks, sizes};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, Recording};
use crate::kernels::Kernels;
use crate::nn::Parameters;
use crate::plan::{Description, Plan, Target};
use crate::reference::cartpole;
use crate::stage::RandomSteps;
use crate::train::peak_rss_mb;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use work::{RUNS, Work, limit, wants_more};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Random actions and automatic resets; nothing is stored but what worlds count of their episodes.
    Step,
    /// The policy acts, the critic values, and all that PPO needs is stored.
    Rollout,
    /// Whole updates of PPO.
    Train,
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "step" => Ok(Self::Step),
            "rollout" => Ok(Self::Rollout),
            "train" => Ok(Self::Train),
            _ => Err(format!("there is no mode '{text}'; there are: step, rollout, train")),
        }
    }
}

/// One combination.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is measured.
    pub mode: Mode,
    /// Worlds side by side.
    pub num_envs: u32,
    /// Steps of each world in a recording.
    pub num_steps: u32,
    /// Widths of the hidden layers of actor and critic.
    pub net: Vec<u32>,
}

impl Case {
    /// Settings of a training run of this shape: 4 epochs of 4 minibatches, the rest as by default.
    pub fn config(&self) -> Config {
        Config {
            num_envs: self.num_envs,
            num_steps: self.num_steps,
            hidden: self.net.clone(),
            num_minibatches: 4,
            update_epochs: 4,
            eval_episodes: 1,
            // long work, so that every mode has the form of the kernels that is fastest once it is compiled
            total_timesteps: u64::MAX >> 16,
            ..Config::default()
        }
    }

    /// Refuses what cannot be measured.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("num_envs", self.num_envs), ("num_steps", self.num_steps)] {
            if value == 0 {
                return Err(Error::setting(name, "0 is not allowed; it must be at least 1"));
            }
        }
        match self.mode {
            Mode::Step => RandomSteps::check(self.num_steps),
            _ => self.config().check(),
        }
    }

    /// Bytes of the largest buffer that the case needs, which has to be one that can be measured ([`Case::check`]).
    ///
    /// # Errors
    /// [`Error::Setting`] where something cannot be.
    pub fn largest_buffer(&self, env: &Environment) -> Result<u64> {
        let worlds = u64::from(self.num_envs) * u64::from(env.world_words()) * 4;
        match self.mode {
            Mode::Step => Ok(worlds),
            _ => Ok(sizes(&self.config(), env, 1)?.largest()),
        }
    }
}

/// Smallest, median and largest of some runs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// Median.
    pub median: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of these values, of which there is at least one.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        Self { min: at(0), median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), max: at(last) }
    }
}

/// What came out; one line of `bench --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// What was measured.
    pub mode: Mode,
    /// Name of the environment.
    pub env: String,
    /// Worlds side by side.
    pub num_envs: u32,
    /// Steps of each world in a recording.
    pub num_steps: u32,
    /// Widths of the hidden layers, such as `64,64`.
    pub net: String,
    /// Steps of all worlds per second.
    pub steps_per_s: Spread,
    /// Timed runs; one where a run is long.
    pub runs: usize,
    /// Share of a run's time that was timed: 1, or less where it would take so long that an update ended after some of its
    /// minibatches; the others are counted as taking as long as those.
    pub timed_share: f64,
    /// Seconds from nothing to the first result: kernels linked and compiled, buffers made, one recording run.
    pub setup_s: f64,
    /// Largest resident memory of the process so far, in MB (10⁶ bytes), where the system tells.
    pub peak_rss_mb: Option<f64>,
    /// Name of the adapter.
    pub adapter: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
}

/// A combination that is ready to be timed.
#[derive(Debug)]
pub struct Prepared<'a> {
    gpu: &'a Gpu,
    env: &'a Environment,
    case: &'a Case,
    work: Work,
    began: Instant,
}

/// Measures one combination: all of [`Prepared::new`] and [`Prepared::measure`].
///
/// # Errors
/// Theirs.
pub fn measure(gpu: &Gpu, env: &Environment, case: &Case, seconds: f64) -> Result<Measured> {
    span(seconds)?;
    Prepared::new(gpu, env, case)?.measure(seconds)
}

impl<'a> Prepared<'a> {
    /// Compiles what a combination needs.
    ///
    /// # Errors
    /// As [`Case::check`] and [`OnPolicy::new`].
    pub fn new(gpu: &'a Gpu, env: &'a Environment, case: &'a Case) -> Result<Self> {
        case.check()?;
        let began = Instant::now();
        let work = prepare(gpu, env, case)?;
        gpu.wait()?;
        Ok(Self { gpu, env, case, work, began })
    }

    /// A warm-up, then timed runs: five, or as many as fill `seconds` together. Where five take more than three times that,
    /// as many as do not; and where one does, it is one, and an update then ends after some of its minibatches
    /// ([`Measured::timed_share`]). Where a processor plays the GPU a long run needs no warm-up: kernels were compiled before.
    ///
    /// # Errors
    /// [`Error::Setting`] where `seconds` is not from 0 to 3600, and those of [`Gpu::submit`].
    pub fn measure(&self, seconds: f64) -> Result<Measured> {
        span(seconds)?;
        let Self { gpu, env, case, work, began } = self;
        let in_part = || work.run(limit(seconds), |recording| seconds_of(gpu, recording, 1).map(|_| Vec::new()));
        let first = in_part()?;
        let setup_s = began.elapsed().as_secs_f64();

        let steps = f64::from(case.num_envs) * f64::from(case.num_steps);
        let long = RUNS as f64 * first.seconds > limit(seconds);
        let (mut rates, mut spent, mut timed_share) = (Vec::new(), 0.0, 1.0);
        if long {
            // drivers of GPUs may leave work to the first dispatch; where a processor plays one, we do that before
            let mut run = if gpu.is_software() { first } else { in_part()? };
            loop {
                rates.push(steps / run.seconds);
                spent += run.seconds * run.timed_share;
                timed_share = run.timed_share.min(timed_share);
                if !wants_more(rates.len(), spent, seconds) {
                    break;
                }
                run = in_part()?;
            }
        } else {
            // a run repeats the recording, so that the host's part of the time does not count
            let once = seconds_of(gpu, &work.all, 1)?;
            let repeats = (seconds / RUNS as f64 / once.max(1e-9)).clamp(1.0, 1e6) as u32;
            while wants_more(rates.len(), spent, seconds) {
                let run = seconds_of(gpu, &work.all, repeats)?;
                rates.push(steps * f64::from(repeats) / run);
                spent += run;
            }
        }
        let net: Vec<String> = case.net.iter().map(u32::to_string).collect();
        Ok(Measured {
            mode: case.mode,
            env: env.name().to_owned(),
            num_envs: case.num_envs,
            num_steps: case.num_steps,
            net: net.join(","),
            steps_per_s: Spread::of(&rates),
            runs: rates.len(),
            timed_share,
            setup_s,
            peak_rss_mb: peak_rss_mb(),
            adapter: gpu.info().name.clone(),
            backend: gpu.info().backend.to_string(),
            driver: gpu.driver(),
        })
    }
}

/// How long timed runs take together.
///
/// # Errors
/// [`Error::Setting`] where it is not from 0 to 3600 seconds.
pub fn span(seconds: f64) -> Result<Duration> {
    let refused = || Error::setting("seconds", format!("{seconds} is not allowed; it must be from 0 to 3600"));
    Duration::try_from_secs_f64(seconds).ok().filter(|span| span.as_secs_f64() <= 3600.0).ok_or_else(refused)
}

/// What comes before the work of a case, and the work.
fn plan(plan: &mut Plan, env: &Environment, case: &Case) -> Result<(Recording, Work)> {
    let config = case.config();
    match case.mode {
        Mode::Step => {
            let form = plan.target().forms.of_work(u64::MAX);
            let kernels = Kernels::of_worlds(form, &env.spec().action_space);
            let stage = RandomSteps::new(plan, &kernels, env, 1, case.num_envs, case.num_steps)?;
            Ok((stage.reset().clone(), Work::of(stage.steps().clone())))
        }
        Mode::Rollout => {
            let [begin, rollout] = OnPolicy::plan_rollout(plan, env, &config, 1)?;
            Ok((begin, Work::of(rollout)))
        }
        Mode::Train => {
            let (ppo, minibatch) = OnPolicy::plan_update(plan, env, &config, 1)?;
            Ok((ppo.rollout.reset().clone(), Work::with(ppo.update().clone(), minibatch)))
        }
    }
}

/// The work of a case, ready to be run again and again.
fn prepare(gpu: &Gpu, env: &Environment, case: &Case) -> Result<Work> {
    let mut planned = Plan::new(Target::of(gpu));
    let (begin, work) = plan(&mut planned, env, case)?;
    planned.build(gpu)?;
    gpu.submit(&begin)?;
    Ok(work)
}

/// The plan of a case, written down: recordings `begin`, once, and `work`, which is measured. It needs no device.
///
/// # Errors
/// Those of [`Case::check`] and [`Plan::describe`], and [`Error::TooLarge`] where the target cannot bind a buffer.
pub fn describe(target: Target, env: &Environment, case: &Case) -> Result<Description> {
    case.check()?;
    let mut planned = Plan::new(target);
    let (begin, work) = plan(&mut planned, env, case)?;
    planned.describe(&[("begin", &begin), ("work", &work.all)], &[])
}

/// Wall time of some repetitions. One submission holds enough of them to keep the host out of it.
fn seconds_of(gpu: &Gpu, work: &Recording, repeats: u32) -> Result<f64> {
    const PASSES: usize = 4096;
    let most = (PASSES / work.passes().len().max(1)).max(1) as u32;
    let began = Instant::now();
    let mut left = repeats;
    while left > 0 {
        let now = left.min(most);
        let mut all = Recording::default();
        for _ in 0..now {
            all.extend(work);
        }
        gpu.submit(&all)?;
        left -= now;
    }
    gpu.wait()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Steps per second of one processor core, in plain Rust with random actions and automatic resets; for environments of
/// which the reference has a step.
pub fn one_core(env: &Environment, seconds: f64) -> Option<f64> {
    if env.name() != "CartPole-v1" {
        return None;
    }
    let mut word = 1u32;
    let mut state = [0.01f64; 4];
    let (mut length, mut steps) = (0u32, 0u64);
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < seconds {
        for _ in 0..10_000 {
            word = word.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            let step = cartpole::step(state, word >> 31);
            length += 1;
            let ended = step.terminated || length >= 500;
            state = if ended { [0.01; 4] } else { step.state };
            length = if ended { 0 } else { length };
        }
        steps += 10_000;
    }
    // the sum keeps the loop from being dropped
    (state.iter().sum::<f64>().is_finite()).then(|| steps as f64 / began.elapsed().as_secs_f64())
}

/// The smallest number of worlds, of powers of two, at which [`Mode::Step`] beats `rate` steps per second.
///
/// # Errors
/// As [`measure`].
pub fn break_even(gpu: &Gpu, env: &Environment, rate: f64, seconds: f64) -> Result<Option<u32>> {
    for power in 4..=20 {
        let case = Case { mode: Mode::Step, num_envs: 1 << power, num_steps: 128, net: vec![] };
        if measure(gpu, env, &case, seconds)?.steps_per_s.median > rate {
            return Ok(Some(case.num_envs));
        }
    }
    Ok(None)
}

/// The layout of a case's networks.
fn layout(env: &Environment, case: &Case) -> Parameters {
    networks(&case.config(), env)
}
