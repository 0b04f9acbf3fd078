//! `manyworlds gradient`

use super::say::{print, print_json, say};
use super::{AdapterArgument, checkpoint, foreign};
use crate::algo;
use crate::cli::ExitCode;
use crate::env::Environment;
use crate::estimate::{
    Estimate, Estimator, NETWORK_ESTIMATORS, NetworkSettings, Settings, Textbook, Values, estimate, estimate_network,
};
use crate::{Error, Result};
use indicatif::HumanCount;
use std::path::PathBuf;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Gradient {
    /// Environment; SimpleRegulator has a textbook policy (a ~ N(θ₁ s, θ₂²)), and so has TwoAction (π(L) = clamp(θ, 0, 1)),
    /// others have networks
    env: String,
    /// Run or checkpoint whose networks are the policy and the values [default: untrained ones, where there is no textbook
    /// policy]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["theta", "set_env"])]
    checkpoint: Option<PathBuf>,
    /// Parameters of the textbook policy [default: -0.5,0.3 or 0.2]
    #[arg(long, value_name = "A,B", allow_hyphen_values = true)]
    theta: Option<String>,
    /// total-return, reward-to-go, mean-baseline, optimal-baseline, pooled-baseline, value-baseline, q, td-residual, gae,
    /// finite-difference, regression, evolution-strategies or spsa
    #[arg(long, default_value = "reward-to-go")]
    estimator: String,
    /// Instead: every estimator, as a ladder of variances
    #[arg(long, conflicts_with = "estimator")]
    compare: bool,
    /// Rollouts, each of which leaves an estimate
    #[arg(long, default_value_t = 400_000)]
    rollouts: u32,
    /// Steps of a rollout
    #[arg(long, default_value_t = 10)]
    depth: u32,
    /// Discount γ of a reward one step later
    #[arg(long, default_value_t = 1.0)]
    gamma: f64,
    /// Trace decay λ of gae
    #[arg(long, default_value_t = 0.95)]
    lambda: f64,
    /// Whether the score of step k is weighed with γ^k, as in the textbook
    #[arg(long = "discount-gradient", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    weighed: bool,
    /// Values of states: exact (closed form) or learned (a quadratic for each step, fitted to rollouts of its own)
    /// [default: exact]
    #[arg(long)]
    values: Option<String>,
    /// How far θ is moved [default: 0.01 by finite-difference and spsa, 0.05 by regression and evolution-strategies]
    #[arg(long)]
    delta: Option<f64>,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// An override of the environment, such as noise=0.2
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Print a JSON object, or an array of them with --compare
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Gradient {
    pub fn run(self) -> Result<ExitCode> {
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        if self.checkpoint.is_some() || !Textbook::knows(&env) {
            return self.of_network(&env);
        }
        let textbook = Textbook::of(&env)?;
        let estimators = if self.compare { Estimator::ALL.to_vec() } else { vec![Estimator::named(&self.estimator)?] };
        let all: Vec<Settings> =
            estimators.into_iter().map(|estimator| self.settings(&textbook, estimator)).collect::<Result<_>>()?;
        let gpu = self.adapter.open(all.iter().map(Settings::largest_buffer).max().unwrap_or(0))?;
        let mut ladder = Vec::new();
        for settings in &all {
            let started = Instant::now();
            let found = estimate(&gpu, &env, settings)?;
            let seconds = started.elapsed().as_secs_f64();
            let (name, count) = (settings.estimator.name(), HumanCount(found.simulated));
            say(format_args!(
                "{name}: {count} rollouts of depth {} in {seconds:.3} s, compilation included",
                found.depth
            ));
            ladder.push(found);
        }
        match (self.json, self.compare) {
            (true, true) => print_json(&ladder)?,
            (true, false) => print_json(&ladder[0])?,
            (false, true) => print(format_args!("{}", rungs(&textbook, &ladder).trim_end()))?,
            (false, false) => print(format_args!("{}", one(&textbook, &ladder[0]).trim_end()))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The same for a policy that is a network.
    fn of_network(&self, env: &Environment) -> Result<ExitCode> {
        if self.theta.is_some() {
            Textbook::of(env)?; // says that there is none
        }
        for (name, given) in [("values", self.values.is_some()), ("delta", self.delta.is_some())] {
            if given {
                let reason = "it is for textbook policies; a network brings its own values and is not moved".to_owned();
                return Err(Error::Setting { name: name.to_owned(), reason });
            }
        }
        let policy = self.checkpoint.as_deref().map(checkpoint::load).transpose()?;
        if let Some(policy) = &policy {
            if policy.env.name() != env.name() {
                let reason = format!("the checkpoint is of {}", policy.env.name());
                return Err(Error::Environment { name: env.name().to_owned(), reason });
            }
            foreign::probe_checkpoint(&policy.env, &self.adapter)?;
        }
        // the environment that a policy was trained in, overrides included
        let env = policy.as_ref().map_or(env, |policy| &policy.env);
        let estimators =
            if self.compare { NETWORK_ESTIMATORS.to_vec() } else { vec![Estimator::named(&self.estimator)?] };
        let settings = |estimator| NetworkSettings {
            estimator,
            policy: policy.clone(),
            rollouts: self.rollouts,
            depth: self.depth,
            gamma: self.gamma,
            lambda: self.lambda,
            discount_gradient: self.weighed,
            seed: self.seed,
        };
        let all: Vec<NetworkSettings> = estimators.into_iter().map(settings).collect();
        let mut bytes = 0;
        for settings in &all {
            bytes = algo::sizes(&settings.config(env)?, env, 32)?.largest().max(bytes);
        }
        let gpu = self.adapter.open(bytes)?;
        let ladder: Vec<Estimate> =
            all.iter().map(|settings| estimate_network(&gpu, env, settings)).collect::<Result<_>>()?;
        match (self.json, self.compare) {
            (true, true) => print_json(&ladder)?,
            (true, false) => print_json(&ladder[0])?,
            (false, _) => print(format_args!("{}", lengths(&ladder).trim_end()))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn settings(&self, textbook: &Textbook, estimator: Estimator) -> Result<Settings> {
        let theta = match &self.theta {
            None => textbook.default_theta(),
            Some(list) => {
                list.split(',').map(|x| x.trim().parse::<f64>()).collect::<std::result::Result<_, _>>().map_err(
                    |_| Error::Setting {
                        name: "theta".to_owned(),
                        reason: format!("'{list}' is not a list of numbers, such as -0.5,0.3"),
                    },
                )?
            }
        };
        let usual = Settings::new(textbook, estimator);
        let settings = Settings {
            theta,
            rollouts: self.rollouts,
            depth: self.depth,
            gamma: self.gamma,
            lambda: self.lambda,
            discount_gradient: self.weighed,
            values: self.values.as_deref().map(Values::named).transpose()?.unwrap_or_default(),
            delta: self.delta.unwrap_or(usual.delta),
            seed: self.seed,
            ..usual
        };
        settings.check(textbook)?;
        Ok(settings)
    }
}

/// Thousands of parameters: lengths of the vectors, and the sum of all variances.
fn lengths(ladder: &[Estimate]) -> String {
    let length = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    let first = &ladder[0];
    let mut text = format!(
        "∇U of {}, {} of {} parameters, {} steps, γ = {}, {} rollouts, U = {:.4}\n",
        first.env,
        first.policy,
        first.theta.len(),
        first.depth,
        first.gamma,
        HumanCount(first.simulated),
        first.utility
    );
    text +=
        &format!("{:<18} {:>13} {:>13} {:>13} {:>13}\n", "estimator", "‖g‖", "‖error of g‖", "var, rollout", "÷ first");
    for found in ladder {
        let variance = length(&found.std).powi(2);
        let numbers = [length(&found.gradient), length(&found.stderr), variance, variance / length(&first.std).powi(2)];
        text += &format!("{:<18}{}\n", found.estimator.name(), columns(&numbers, 4));
    }
    text
}

/// Numbers of all parameters, in columns.
fn columns(numbers: &[f64], digits: usize) -> String {
    let shown = |x: f64| if x.abs() >= 1e6 { format!("{x:.3e}") } else { format!("{x:.digits$}") };
    numbers.iter().map(|x| format!(" {:>13}", shown(*x))).collect()
}

/// What was estimated, in a line.
fn title(estimate: &Estimate) -> String {
    let theta: Vec<String> = estimate.theta.iter().map(ToString::to_string).collect();
    format!(
        "∇U of {}, {} policy, θ = ({}), {} steps, γ = {}",
        estimate.env,
        estimate.policy,
        theta.join(", "),
        estimate.depth,
        estimate.gamma
    )
}

fn one(textbook: &Textbook, found: &Estimate) -> String {
    let line = |name: &str, numbers: &[f64]| format!("  {name:<16}{}\n", columns(numbers, 6));
    let names: String = textbook.parameters().iter().map(|name| format!(" {name:>13}")).collect();
    let mut text = format!("{}\n{:<18}{names}\n", title(found), found.estimator.name());
    text += &line("gradient", &found.gradient);
    text += &line("standard error", &found.stderr);
    for (name, numbers) in [("exact", &found.exact), ("gradient − exact", &found.bias), ("baseline", &found.baseline)]
    {
        text += &numbers.as_ref().map_or(String::new(), |numbers| line(name, numbers));
    }
    text += &line("std of a rollout", &found.std);
    let exact = found.utility_exact.map_or(String::new(), |u| format!(", exactly {u:.6}"));
    text + &format!("U(θ) {:.6}{exact}; {} rollouts\n", found.utility, HumanCount(found.simulated))
}

/// The ladder: one estimator a line, numbers of all parameters side by side.
fn rungs(textbook: &Textbook, ladder: &[Estimate]) -> String {
    let n = textbook.parameters().len();
    let names = |what: &str| -> String {
        textbook.parameters().iter().map(|name| format!(" {:>13}", format!("{what} {name}"))).collect()
    };
    let mut text = format!("{}\n", title(&ladder[0]));
    let heads: String = ["g", "std", "var", "÷ total"].map(names).concat();
    text += &format!("{:<18}{heads} {:>13}\n", "estimator", "rollouts");
    for found in ladder {
        let variance: Vec<f64> = found.std.iter().map(|std| std * std).collect();
        let share: Vec<f64> = (0..n).map(|i| variance[i] / ladder[0].std[i].powi(2)).collect();
        text += &format!(
            "{:<18}{}{}{}{} {:>13}\n",
            found.estimator.name(),
            columns(&found.gradient, 4),
            columns(&found.std, 3),
            columns(&variance, 3),
            columns(&share, 4),
            HumanCount(found.simulated).to_string()
        );
    }
    if let Some(exact) = &ladder[0].exact {
        text += &format!("{:<18}{}\n", "exact", columns(exact, 4));
    }
    text
}
