//! `manyworlds plan`

use super::AdapterArgument;
use super::choice::{Choice, Chosen};
use super::say::{print, print_json};
use crate::cli::ExitCode;
use crate::plan::{Description, Run, Target};
use crate::{Result, algo};
use std::fmt::Write;

#[derive(clap::Args)]
pub struct Plan {
    #[command(flatten)]
    choice: Choice,
    /// Number of agents, with seeds from that of the settings on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    agents: u32,
    /// Adapter that it is planned for
    #[arg(long, value_enum, default_value_t = For::Gpu)]
    r#for: For,
    /// Print one JSON object with all of it: WGSL and bindings of every kernel, first words of every buffer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum For {
    /// Any GPU
    Gpu,
    /// A processor that plays one, with subgroups of eight
    Software,
}

impl Plan {
    pub fn run(self) -> Result<ExitCode> {
        let Chosen { env, config, .. } = self.choice.resolve_from_seed(None, &self.adapter, "a plan")?;
        let target = match self.r#for {
            For::Gpu => Target::GPU,
            For::Software => Target::SOFTWARE,
        };
        let seeds: Vec<u32> = (0..self.agents).map(|n| config.seed.wrapping_add(n)).collect();
        let plan = algo::describe(target, &config, &env, &seeds)?;
        if self.json {
            print_json(&plan)?;
        } else {
            print(format_args!("{}", page(&plan).trim_end()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page(plan: &Description) -> String {
    let mut page = String::from("BUFFERS\n");
    for (n, buffer) in plan.buffers.iter().enumerate().filter(|(_, buffer)| !buffer.uniform) {
        let axes: Vec<String> = buffer.axes.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let kept = if buffer.kept.is_some() { "kept" } else { "" };
        let (axes, bytes) = (axes.join(" × "), size(buffer.bytes));
        let _ = writeln!(page, "{n:>5}  {:28} {bytes:>10}  {kept:4}  {axes}", buffer.name);
    }
    let uniforms = plan.buffers.iter().filter(|buffer| buffer.uniform).count();
    let _ = writeln!(page, "       and {uniforms} uniforms\n\nKERNELS");
    for (n, kernel) in plan.kernels.iter().enumerate() {
        let slots: Vec<String> = kernel.slots.iter().map(|(slot, choice)| format!("{slot} {choice}")).collect();
        let (parts, lines) = (kernel.parts.len(), kernel.wgsl.lines().count());
        let _ = writeln!(page, "{n:>5}  {}: {parts} parts, {lines} lines", kernel.name);
        if !slots.is_empty() {
            let _ = writeln!(page, "         {}", slots.join(", "));
        }
    }
    for recording in &plan.recordings {
        let _ = writeln!(page, "\n{}  {}", recording.name.to_uppercase(), count(recording.passes.len() as u64, "pass"));
        write_runs(&mut page, plan, &recording.folded(), 1);
    }
    let totals = &plan.totals;
    let update = totals.dispatches.get("update").copied().unwrap_or_default();
    let _ = writeln!(
        page,
        "\nTOTALS\n  {} of buffers, {} of them kept in a state; the largest, {}, has {}; {update} dispatches an update",
        size(totals.bytes),
        size(totals.kept_bytes),
        totals.largest_buffer,
        size(totals.largest_binding)
    );
    page
}

fn write_runs(page: &mut String, plan: &Description, runs: &[Run], depth: usize) {
    let margin = "  ".repeat(depth);
    for run in runs {
        match run {
            Run::Pass(n) => {
                let pass = &plan.passes[*n];
                let (name, [x, y, z]) = (&plan.kernels[pass.kernel].name, pass.groups);
                let agents = if pass.agents == 1 { String::new() } else { format!(" × {} agents", pass.agents) };
                let _ =
                    writeln!(page, "{margin}{name}: {}{agents}, {}", count(pass.threads, "thread"), groups([x, y, z]));
            }
            Run::Times(times, runs) => {
                let _ = writeln!(page, "{margin}{times} times");
                write_runs(page, plan, runs, depth + 1);
            }
        }
    }
}

/// A number of things.
fn count(number: u64, thing: &str) -> String {
    let plural = if thing.ends_with('s') { "es" } else { "s" };
    format!("{number} {thing}{}", if number == 1 { "" } else { plural })
}

/// Workgroups, by dimension where there is more than one.
fn groups([x, y, z]: [u32; 3]) -> String {
    match (y, z) {
        (1, 1) => count(x.into(), "workgroup"),
        (_, 1) => format!("{x} × {y} workgroups"),
        _ => format!("{x} × {y} × {z} workgroups"),
    }
}

/// Bytes in words, in powers of 1024.
fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{size:.1} {unit}") };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}
