//! Numbers in a few characters, and curves and histograms in a line or two.

use crate::cli::standing::{clock, short};
use std::time::Duration;

/// Eighths of a block, from below.
const BELOW: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A part of a whole.
pub fn percent(part: u64, of: u64) -> String {
    format!("{:.0}%", 100.0 * part as f64 / of.max(1) as f64)
}

/// Steps of an episode.
pub fn short_length(length: f64) -> String {
    if length < 99.95 { format!("{length:.1}") } else { short(length) }
}

/// Shares as columns, neighbours together where there is no room for each; nothing where there is nothing.
pub fn columns(shares: &[f64], room: usize) -> String {
    let sums = gathered(shares, room, |part| part.iter().sum());
    let most = sums.iter().copied().fold(0.0, f64::max);
    let column = |sum: &f64| {
        if *sum <= 0.0 {
            return ' ';
        }
        BELOW[((sum / most * 8.0).ceil() as usize).clamp(1, 8) - 1]
    };
    sums.iter().map(column).collect()
}

/// A curve in so many lines, the upper ones first: its lowest point at the bottom, its highest at the top.
pub fn spark(points: &[f64], room: usize, tall: usize) -> Vec<String> {
    let means = gathered(points, room, |part| part.iter().sum::<f64>() / part.len() as f64);
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    // eighths of a line, at least one
    let level = |mean: &f64| 1 + (((mean - low) / span * (8 * tall - 1) as f64).round() as usize).min(8 * tall - 1);
    let row = |row: usize| {
        let column = |mean| match level(mean).saturating_sub(8 * row) {
            0 => ' ',
            eighths => BELOW[eighths.min(8) - 1],
        };
        means.iter().map(column).collect()
    };
    (0..tall).rev().map(row).collect()
}

/// Numbers as at most `room` of them, each from neighbours.
fn gathered(numbers: &[f64], room: usize, gather: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    if numbers.len() <= room {
        return numbers.to_vec();
    }
    let part = |n: usize| &numbers[n * numbers.len() / room..(n + 1) * numbers.len() / room];
    (0..room).map(|n| gather(part(n))).collect()
}

/// At most so many characters of a name.
pub fn fit(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let kept: String = name.chars().take(width.saturating_sub(1)).collect();
    if width == 0 { kept } else { kept + "…" }
}

/// A number in at most eight characters or so.
pub fn figure(number: f64) -> String {
    match number.abs() {
        size if size < 1e5 && size.fract() == 0.0 => format!("{number:.0}"),
        size if !(1e-3..1e5).contains(&size) => format!("{number:.2e}"),
        size if size >= 1000.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.1 => format!("{number:.3}"),
        _ => format!("{number:.5}"),
    }
}

/// A time of any length.
pub fn span(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1e-3 => format!("{:.0} µs", seconds * 1e6),
        seconds if seconds < 0.0995 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 0.9995 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 60.0 => format!("{seconds:.1} s"),
        _ => clock(time),
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, figure, fit, span, spark};
    use std::time::Duration;

    #[test]
    fn figures_and_times_are_short() {
        let figures = [0.0, 4.0, 12_345.6, -487.25, 1.5, 0.012_345, 2.5e-4, 1e9, -2.5e-7].map(figure);
        let wanted = ["0", "4", "12346", "-487.2", "1.500", "0.01235", "2.50e-4", "1.00e9", "-2.50e-7"];
        assert_eq!(figures, wanted);
        let times = [25e-6, 0.0042, 0.42, 3.21, 80.0].map(|seconds| span(Duration::from_secs_f64(seconds)));
        assert_eq!(times, ["25 µs", "4.2 ms", "420 ms", "3.2 s", "1m20s"]);
    }

    #[test]
    fn curves_and_histograms_fill_their_room_and_no_more() {
        assert_eq!(spark(&[0.0, 7.0, 3.0], 9, 1), ["▁█▄"]);
        assert_eq!(spark(&[0.0, 15.0, 7.0], 9, 2), [" █ ", "▁██"]);
        assert_eq!(spark(&[5.0, 5.0], 9, 1), ["▁▁"]);
        // neighbours share a place
        assert_eq!(spark(&[0.0, 0.0, 7.0, 7.0, 7.0, 7.0], 3, 1), ["▁██"]);
        assert_eq!(columns(&[0.5, 0.0, 0.25, 0.25], 9), "█ ▄▄");
        assert_eq!(columns(&[0.5, 0.0, 0.25, 0.25], 2), "██");
        assert_eq!((columns(&[1.0], 0), spark(&[], 5, 1).concat()), (String::new(), String::new()));
        assert_eq!([fit("entropy", 9), fit("explained_variance", 9)], ["entropy", "explaine…"]);
    }
}
