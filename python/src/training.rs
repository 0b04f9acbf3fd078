//! Training: trainers that are iterated, and runs that are written into directories.

use crate::device::{self, Own};
use crate::environment::Env;
use crate::failure::{raised, refused};
use crate::policy::{Learned, Returns, json};
use manyworlds::train::{self, Account, Evaluated, Event, Line, Options, RunDirectory, Seeds, Stop};
use manyworlds::{Config, Environment, Init, algo, curves};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, TryLockError};
use std::time::Instant;

/// Settings of an algorithm in an environment with these over them, whose values are Python's.
pub fn resolved(env: &Environment, algo: &str, settings: &Bound<'_, PyDict>) -> PyResult<Config> {
    let mut pairs = Vec::new();
    for (name, value) in settings {
        let name: String = name.extract()?;
        if name == "seed" {
            return Err(refused("'seed': seeds are an argument of their own, and no setting; give seeds=, or seed="));
        }
        pairs.push(format!("{name}={}", toml(&name, &value)?));
    }
    Config::resolve(env.name(), algo, None, &pairs).map_err(raised)
}

/// The value of a setting, as one writes it in TOML or behind `--set`.
fn toml(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(flag.is_true().to_string());
    }
    if let Ok(text) = value.cast::<PyString>() {
        return text.extract();
    }
    if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        // by the number's own words: a subclass may have others
        let plain = if value.is_instance_of::<PyInt>() {
            value.call_method0("__int__")?
        } else {
            value.call_method0("__float__")?
        };
        return plain.repr()?.extract();
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let item = |item: PyResult<Bound<'_, PyAny>>| match item? {
            // one that holds itself has no end
            list if list.is_instance_of::<PyList>() || list.is_instance_of::<PyTuple>() => {
                Err(refused(format!("'{name}' is a list of lists; a setting is a list of whole numbers at most")))
            }
            item => toml(name, &item),
        };
        let items = value.try_iter()?.map(item).collect::<PyResult<Vec<_>>>()?;
        return Ok(format!("[{}]", items.join(", ")));
    }
    // arrays of NumPy, and its scalars
    if value.hasattr("tolist")? {
        let plain = value.call_method0("tolist")?;
        if !plain.hasattr("tolist")? {
            return toml(name, &plain);
        }
    }
    let (repr, kind) = (value.repr()?, value.get_type().name()?);
    Err(refused(format!(
        "'{name}': {repr} is of type {kind}; a setting is a bool, a number, a string or a list of whole numbers"
    )))
}

/// What a run begins with: a path, or a policy.
fn init(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Init>> {
    let Some(given) = given else { return Ok(None) };
    if let Ok(policy) = given.cast::<Learned>() {
        let policy = &policy.get().0;
        return Init::of_policy(policy, Path::new(policy.env.name())).map(Some).map_err(raised);
    }
    Init::read(&given.extract::<PathBuf>()?).map(Some).map_err(raised)
}

/// Agents that are trained report by report.
#[pyclass(frozen, module = "manyworlds._native", name = "Trainer")]
pub struct Trainer {
    run: Own<Mutex<Run>>,
    config: Config,
    begins_with: Option<String>,
    misfit: Option<String>,
}

struct Run {
    trainer: manyworlds::Trainer,
    accounts: Vec<Account>,
}

/// What a report says: updates and steps so far, lines of `metrics.jsonl` `[agent][update]`, and of each agent that was evaluated the line
/// of `evaluations.jsonl`, its returns and its policy.
type Told = (u32, u64, Vec<Vec<String>>, Option<Vec<(String, Returns, Learned)>>);

#[pymethods]
impl Trainer {
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        env: &Env,
        algo: &str,
        settings: &Bound<'_, PyDict>,
        seeds: Vec<u32>,
        begin: Option<&Bound<'_, PyAny>>,
        until_solved: bool,
        adapter: &str,
    ) -> PyResult<Self> {
        let env = &env.0;
        let config = resolved(env, algo, settings)?;
        let init = init(begin)?;
        py.detach(|| {
            let started = Instant::now();
            let begins_with = init.as_ref().map(|init| init.fit(env, &config)).transpose().map_err(raised)?;
            let sizes = algo::sizes(&config, env, seeds.len() as u32).map_err(raised)?;
            let gpu = device::alone(adapter, sizes.largest())?;
            let made = match &init {
                Some(init) => manyworlds::Trainer::from_init(&gpu, env, &config, &seeds, init),
                None => manyworlds::Trainer::new(&gpu, env, &config, &seeds),
            };
            let trainer = made.map_err(raised)?;
            let trainer = if until_solved { trainer.until_solved() } else { trainer };
            let account = |seed: &u32| Account::new(*seed, config.env_steps(0), started);
            let accounts = seeds.iter().map(account).collect();
            let run = Own::new(Mutex::new(Run { trainer, accounts }));
            let begins_with = begins_with.map(|fitted| fitted.told);
            Ok(Self { run, config: config.clone(), begins_with, misfit: misfit(&config, env) })
        })
    }

    /// Every setting, as JSON; of the seeds the first.
    #[getter]
    fn config(&self) -> String {
        json(&self.config)
    }

    #[getter]
    fn num_updates(&self) -> u32 {
        self.config.num_updates()
    }

    #[getter]
    fn begins_with(&self) -> Option<&str> {
        self.begins_with.as_deref()
    }

    /// What somebody should know of bounds that the first policy hardly reaches.
    #[getter]
    fn misfit(&self) -> Option<&str> {
        self.misfit.as_deref()
    }

    /// The next report; none after the last.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Told>> {
        py.check_signals()?;
        let mut run = match self.run.get()?.try_lock() {
            Ok(run) => run,
            Err(TryLockError::Poisoned(run)) => run.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(refused("this trainer is making a report in another thread; iterate it in one"));
            }
        };
        let Run { trainer, accounts } = &mut *run;
        let told = py.detach(|| -> manyworlds::Result<_> {
            let Some(report) = trainer.next().transpose()? else { return Ok(None) };
            let told =
                accounts.iter_mut().enumerate().map(|(agent, account)| account.add(&report, agent, &self.config));
            let (lines, evaluated): (Vec<Vec<Line>>, Vec<Option<Evaluated>>) = told.unzip();
            let lines = lines.iter().map(|lines| lines.iter().map(line).collect()).collect();
            let agents = report.evaluation.map(|agents| {
                let lines = evaluated.iter().flatten().map(line);
                lines.zip(agents).map(|(line, (returns, policy))| (line, Returns(returns), Learned(policy))).collect()
            });
            Ok(Some((report.updates, report.env_steps, lines, agents)))
        });
        told.map_err(raised)
    }
}

/// Bounds that the first policy hardly reaches, in a sentence.
fn misfit(config: &Config, env: &Environment) -> Option<String> {
    config.misfit(env).map(|misfit| format!("{}: {misfit}", env.name()))
}

/// A line of a file of JSON.
fn line<T: Serialize>(of: &T) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

/// Trains into a directory, as the command line does. `progress` gets updates, all updates and steps so far, and the mean return of the
/// latest episodes of the first agent. Gives what somebody should know, a sentence each.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn train_into(
    py: Python<'_>,
    directory: PathBuf,
    env: &Env,
    algo: &str,
    settings: &Bound<'_, PyDict>,
    seeds: Vec<u32>,
    begin: Option<&Bound<'_, PyAny>>,
    until_solved: bool,
    adapter: &str,
    command: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let env = &env.0;
    let config = resolved(env, algo, settings)?;
    // beside other seeds it is not read
    let config = if let [seed] = seeds[..] { Config { seed, ..config } } else { config };
    let init = init(begin)?;
    py.detach(|| {
        let options = Options { save_replay: false, until_solved, watching: false, init, started: Instant::now() };
        let (mut interrupted, mut notes) = (None, Vec::from_iter(misfit(&config, env)));
        if let Some(init) = &options.init {
            init.fit(env, &config).map_err(raised)?; // before anything is written
        }
        let sizes = algo::sizes(&config, env, seeds.len() as u32).map_err(raised)?;
        let gpu = device::alone(adapter, sizes.largest())?;
        let directory = RunDirectory::claim(&directory).map_err(raised)?;
        let watch = |event: Event| {
            if let Event::Trouble(text) = event {
                notes.push(text.to_owned());
            }
            let heard = Python::attach(|py| {
                py.check_signals()?;
                match (&event, &progress) {
                    (Event::Report(of), Some(progress)) if of.agent == 0 => {
                        let mean_return = of.lines.last().and_then(|line| line.mean_return);
                        let report = of.report;
                        progress
                            .call1(py, (report.updates, config.num_updates(), report.env_steps, mean_return))
                            .map(drop)
                    }
                    _ => Ok(()),
                }
            });
            match heard {
                Ok(()) if interrupted.is_none() => ControlFlow::Continue(()),
                Ok(()) => ControlFlow::Break(Stop::Save),
                Err(error) => {
                    interrupted.get_or_insert(error);
                    ControlFlow::Break(Stop::Save)
                }
            }
        };
        let ended = if seeds.len() == 1 {
            train::run(&gpu, env, &config, &directory, None, &options, watch).map(drop)
        } else {
            let seeds = Seeds { seeds: &seeds, command };
            train::run_seeds(&gpu, env, &config, seeds, &directory, &options, watch).map(drop)
        };
        if directory.is_kept()
            && let Err(error) = curves::draw_run(directory.path())
        {
            notes.push(format!("no picture of the curve: {error}"));
        }
        match interrupted {
            Some(error) => Err(error),
            None => ended.map(|()| notes).map_err(raised),
        }
    })
}

/// The curve of a run as SVG: of each seed the lines of `metrics.jsonl` and `evaluations.jsonl`.
#[pyfunction]
fn curve(py: Python<'_>, env: &Env, algo: &str, seeds: Vec<(u32, Vec<String>, Vec<String>)>) -> PyResult<String> {
    py.detach(|| {
        let of = |(seed, metrics, evaluations): &(u32, Vec<String>, Vec<String>)| {
            curves::Run::of_lines(&env.0, algo, *seed, metrics, evaluations)
        };
        let runs = seeds.iter().map(of).collect::<manyworlds::Result<Vec<_>>>();
        runs.map(|runs| curves::svg(&runs)).map_err(raised)
    })
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Trainer>()?;
    module.add_function(wrap_pyfunction!(train_into, module)?)?;
    module.add_function(wrap_pyfunction!(curve, module)?)
}
