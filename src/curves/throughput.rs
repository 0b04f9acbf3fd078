//! Throughput against worlds, as a picture.

use super::draw::{COLOURS, INK, QUIET, dashed};
use super::write;
use crate::bench::{Measured, Mode};
use crate::error::Result;
use crate::figure::{Anchor, Axis, Colour, Figure, Panel, Pen, polygon};
use std::path::Path;

const SIZE: [f64; 2] = [720.0, 470.0];
const PLACE: [f64; 4] = [80.0, 84.0, 420.0, 300.0];
/// Where the names of lines stand.
const NAMES: f64 = PLACE[0] + PLACE[2] + 18.0;

/// What one processor core does in the place of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct OneCore {
    /// Its steps per second.
    pub steps_per_s: f64,
    /// Worlds from which on the adapter's steps are faster, if they ever are.
    pub break_even: Option<u32>,
}

/// Draws steps per second against worlds: for each mode the median with what lies between the slowest and the fastest run, and
/// beside them one processor core.
///
/// # Errors
/// [`crate::Error::File`] where a picture cannot be written, or ends in neither `.svg` nor `.png`.
pub fn draw_throughput(
    env: &str,
    adapter: &str,
    all: &[Measured],
    core: Option<OneCore>,
    paths: &[&Path],
) -> Result<()> {
    let mut figure = Figure::new(SIZE[0], SIZE[1], &format!("Steps per second of {env}"));
    figure.text(&format!("Steps per second of {env}"), [PLACE[0], 32.0], 17.0, Anchor::Start, INK);
    figure.text(
        &format!("{adapter}; medians, from the slowest run to the fastest"),
        [PLACE[0], 53.0],
        12.0,
        Anchor::Start,
        QUIET,
    );
    let worlds =
        all.iter().map(|of| f64::from(of.num_envs)).chain(core.and_then(|core| core.break_even).map(f64::from));
    let rates =
        all.iter().flat_map(|of| [of.steps_per_s.min, of.steps_per_s.max]).chain(core.map(|core| core.steps_per_s));
    let panel = Panel { place: PLACE, x: logarithmic("worlds", worlds), y: logarithmic("steps per second", rates) };
    figure.clip(Some(PLACE));
    for (value, _) in &panel.y.ticks {
        figure.line(panel.x.ends.map(|x| panel.at([x, *value])).to_vec(), Pen::new(Colour::grey(232), 1.0));
    }
    let mut names = Vec::new();
    for (mode, colour) in [Mode::Step, Mode::Rollout, Mode::Train].into_iter().zip(COLOURS) {
        let mut own: Vec<&Measured> = all.iter().filter(|of| of.mode == mode).collect();
        own.sort_by_key(|of| of.num_envs);
        let at = |of: &&Measured, rate: f64| panel.at([f64::from(of.num_envs).log10(), rate.max(1e-9).log10()]);
        let Some(last) = own.last() else { continue };
        let around = own
            .iter()
            .map(|of| at(of, of.steps_per_s.min))
            .chain(own.iter().rev().map(|of| at(of, of.steps_per_s.max)));
        figure.area(vec![around.collect()], colour, 0.18);
        figure.line(own.iter().map(|of| at(of, of.steps_per_s.median)).collect(), Pen::new(colour, 1.8));
        for of in &own {
            figure.outlined(polygon(at(of, of.steps_per_s.median), 3.2, 16), colour, Pen::new(Colour::WHITE, 0.8));
        }
        let what = match mode {
            Mode::Step => "steps, random actions",
            Mode::Rollout => "rollouts of a policy",
            Mode::Train => "training (PPO)",
        };
        names.push((at(last, last.steps_per_s.median)[1], what.to_owned(), colour));
    }
    if let Some(core) = core {
        let y = core.steps_per_s.log10();
        let [left, right] = panel.x.ends.map(|x| panel.at([x, y]));
        dashed(&mut figure, left, right);
        names.push((left[1], "one processor core".to_owned(), Colour::grey(110)));
        if let Some(worlds) = core.break_even {
            let at = panel.at([f64::from(worlds).log10(), y]);
            figure.outlined(polygon(at, 5.0, 4), Colour::grey(60), Pen::new(Colour::WHITE, 0.8));
            names.push((at[1] + 16.0, format!("as fast from {worlds} worlds on"), Colour::grey(110)));
        }
    }
    figure.clip(None);
    panel.frame(&mut figure, "", INK);
    // names beside the ends of their lines, none over another
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = f64::MIN;
    for (y, name, colour) in names {
        let y = y.max(lowest);
        figure.text(&name, [NAMES, y + 4.0], 12.0, Anchor::Start, colour);
        lowest = y + 17.0;
    }
    write(&figure, paths)
}

/// An axis of logarithms over some numbers above 0, large ones at its ticks in thousands and so on.
fn logarithmic(name: &str, numbers: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = numbers.fold((f64::INFINITY, 1.0_f64), |(low, high), x| (low.min(x.max(1.0)), high.max(x)));
    let low = low.min(high);
    let mut axis = Axis::logarithmic(name, low / 1.2, high * 1.2);
    for (power, name) in &mut axis.ticks {
        let value = 10_f64.powf(*power);
        *name = match value {
            x if x >= 0.999e9 => format!("{:.0}G", x / 1e9),
            x if x >= 0.999e6 => format!("{:.0}M", x / 1e6),
            x if x >= 0.999e3 => format!("{:.0}k", x / 1e3),
            x => format!("{x:.0}"),
        };
    }
    axis
}
