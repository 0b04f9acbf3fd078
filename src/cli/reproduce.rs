//! `manyworlds reproduce`

use super::AdapterArgument;
use clap::Subcommand;
use manyworlds::reproduce::{Regulator, regulator};
use manyworlds::{Result, train};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Reproduce {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Subcommand)]
enum Figure {
    /// Paths of policy gradients of the simple regulator, after Kochenderfer et al. (2022), figure 11.3
    Regulator(RegulatorArguments),
}

#[derive(clap::Args)]
struct RegulatorArguments {
    /// Directory for regulator.png, .svg and .csv; must be empty or not there
    #[arg(long, value_name = "DIR", default_value = "regulator")]
    out: PathBuf,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Paths of each estimator, side by side on the device
    #[arg(long, default_value_t = 4096)]
    repetitions: u32,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Reproduce {
    pub fn run(self) -> Result<ExitCode> {
        let Figure::Regulator(arguments) = self.figure;
        train::check_out(&arguments.out)?;
        let settings = Regulator { seed: arguments.seed, repetitions: arguments.repetitions };
        settings.check()?;
        let gpu = arguments.adapter.open(0)?;
        let found = regulator(&gpu, &settings)?;
        for ascent in &found.ascents {
            let last = &ascent.steps[ascent.steps.len() - 1];
            let theta: Vec<String> =
                last.theta.iter().map(|theta| format!("{:.3} ± {:.3}", theta.mean, theta.std)).collect();
            eprintln!("{}: θ ends at ({}), U at {:.3}", ascent.estimator.name(), theta.join(", "), last.utility.median);
        }
        for path in found.write(&arguments.out)? {
            eprintln!("wrote {}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
