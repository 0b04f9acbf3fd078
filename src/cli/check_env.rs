//! `manyworlds check-env`

use super::say::{print, print_json};
use super::{AdapterArgument, foreign, text, watch};
use crate::Result;
use crate::check::{CHECK_STEPS, Checked, Moments, Seen, Warning, check_environment, stem};
use crate::cli::ExitCode;
use crate::config::Config;
use serde::Serialize;

#[derive(clap::Args)]
pub struct CheckEnv {
    /// Name of a built-in environment, or path of a .wgsl file
    #[arg(value_name = "FILE_OR_NAME")]
    env: String,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Seed of the worlds and of the actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Check again whenever the file changes, until interrupted
    #[arg(long)]
    watch: bool,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

/// Rows of the table that one array of an observation has at most, before it is one row.
const ROWS: usize = 8;
/// Numbers without names from which on they are one row.
const MANY: usize = 32;

#[derive(Serialize)]
struct Output<'a> {
    env: &'a str,
    ok: bool,
    findings: &'a [crate::check::Finding],
    #[serde(flatten)]
    seen: &'a Seen,
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl CheckEnv {
    pub fn run(self) -> Result<ExitCode> {
        if !self.watch {
            return self.check();
        }
        watch::again_and_again(&self.env, || self.check())
    }

    fn check(&self) -> Result<ExitCode> {
        // what is misspelt is a warning here, beside all others
        let env = foreign::load_as_it_is(&self.env, &self.set_env, &self.adapter)?;
        let gpu = self.adapter.open(0)?;
        let config = Config::preset(env.name(), "ppo")?;
        let checked = check_environment(&gpu, &env, &config, self.seed, CHECK_STEPS)?;
        // an environment may have such bounds, and some other settings fit them
        let note = config.misfit(&env).map(|misfit| format!("bounds of actions: {misfit}"));
        let ok = checked.ok();
        let Checked { findings, seen, warnings } = &checked;
        if self.json {
            print_json(&Output { env: env.name(), ok, findings, seen, warnings, note })?;
            return Ok(ExitCode::from(u8::from(!ok)));
        }
        for finding in findings {
            print(format_args!("{} {}: {}", if finding.ok { "ok  " } else { "FAIL" }, finding.name, finding.detail))?;
        }
        print(format_args!("\n{}", table(seen)))?;
        if !warnings.is_empty() || note.is_some() {
            print(format_args!(""))?;
        }
        for warning in warnings {
            let place =
                warning.line.map_or_else(String::new, |line| format!("{}:{line}: ", crate::error::shown(env.path())));
            print(format_args!("warn {}: {place}{}", warning.about, warning.text))?;
        }
        if let Some(note) = note {
            print(format_args!("note {note}"))?;
        }
        Ok(ExitCode::from(u8::from(!ok)))
    }
}

/// What was seen, as a table of 80 columns or fewer.
fn table(seen: &Seen) -> String {
    let rows: Vec<[String; 6]> = grouped(&seen.observations).iter().chain([&seen.reward]).map(row).collect();
    let head = ["random actions", "min", "mean", "std", "max", ""].map(str::to_owned);
    let all: Vec<&[String; 6]> = std::iter::once(&head).chain(&rows).collect();
    let width = all.iter().map(|row| text::width(&row[0])).max().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for [name, min, mean, std, max, mark] in all {
        let name = text::padded(name, width);
        lines.push(format!("{name} {min:>11} {mean:>11} {std:>11} {max:>11}  {mark}").trim_end().to_owned());
    }
    let episodes = &seen.episodes;
    let short = |number: f64| text::number(number);
    if episodes.count == 0 {
        lines.push(format!("return   no episode ended in {} steps", seen.steps));
    } else {
        lines.push(format!(
            "return   {} ± {} (95 % of the mean, {} whole episodes, std {})",
            short(episodes.mean_return),
            short(episodes.interval),
            episodes.count,
            short(episodes.std)
        ));
        lines.push(format!(
            "length   {} in the mean, {} to {}",
            short(episodes.mean_length),
            episodes.min_length,
            episodes.max_length
        ));
    }
    let kind = |name: &str, count: usize, details: Vec<String>| {
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        format!("{name} {count}{details}")
    };
    let mean = |value: Option<f64>, what: &str| value.map(|value| format!("{what} {}", short(value)));
    lines.push(format!(
        "endings  {}",
        [
            kind(
                "terminated",
                episodes.terminated,
                [
                    mean(episodes.return_of_terminated, "mean return"),
                    mean(episodes.last_reward_of_terminated, "last reward")
                ]
                .into_iter()
                .flatten()
                .collect()
            ),
            kind(
                "truncated",
                episodes.truncated,
                mean(episodes.return_of_truncated, "mean return").into_iter().collect()
            ),
            kind("still running", episodes.running, Vec::new()),
        ]
        .join("\n         ")
    ));
    lines.join("\n")
}

fn row(of: &Moments) -> [String; 6] {
    let mark = if of.constant { "constant" } else { "" };
    [
        of.name.clone(),
        text::number(of.min),
        text::number(of.mean),
        text::number(of.std),
        text::number(of.max),
        mark.to_owned(),
    ]
}

/// Arrays of many numbers, and many numbers without names, as one.
fn grouped(all: &[Moments]) -> Vec<Moments> {
    let unnamed = all.iter().enumerate().all(|(i, one)| one.name == i.to_string());
    let array = |one: &Moments| -> Option<String> {
        if unnamed { (all.len() > MANY).then(String::new) } else { stem(&one.name).map(str::to_owned) }
    };
    let mut rows = Vec::new();
    for group in all.chunk_by(|a, b| array(a).is_some() && array(a) == array(b)) {
        if group.len() <= ROWS {
            rows.extend_from_slice(group);
            continue;
        }
        let n = group.len() as f64;
        let mean = group.iter().map(|one| one.mean).sum::<f64>() / n;
        let square = group.iter().map(|one| one.std.powi(2) + (one.mean - mean).powi(2)).sum::<f64>() / n;
        let still = group.iter().filter(|one| one.constant).count();
        let name = if unnamed {
            format!("all {}", group.len())
        } else {
            format!("{}, {} of", stem(&group[0].name).unwrap_or_default(), group.len())
        };
        rows.push(Moments {
            name: if still > 0 { format!("{name}, {still} constant") } else { name },
            min: group.iter().map(|one| one.min).fold(f64::INFINITY, f64::min),
            mean,
            std: square.sqrt(),
            max: group.iter().map(|one| one.max).fold(f64::NEG_INFINITY, f64::max),
            constant: still == group.len(),
        });
    }
    rows
}
