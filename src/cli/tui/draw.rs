//! How a dashboard looks. What does not fit is left out: panels first, then lines of them.

use super::bins::{Bins, Numbers};
use super::history::{Endings, History};
use super::keys::Controls;
use super::text::{columns, figure, fit, percent, short_length, span, spark};
use crate::cli::standing::short;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Clear, Dataset, GraphType, Paragraph};

/// What there is to draw.
pub struct View<'a> {
    /// What is remembered of the run.
    pub history: &'a History,
    /// What was asked for.
    pub controls: Controls,
    /// What was said, latest last.
    pub messages: Vec<String>,
    /// Whether there are no colours.
    pub plain: bool,
}

/// Colours of every terminal, which can be read on dark and on light ground.
const RETURNS: Color = Color::Cyan;
const EVALUATIONS: Color = Color::Magenta;
const BARS: Color = Color::Green;
const ALARM: Color = Color::Red;

/// Eighths of a block, from the left.
const LEFT: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Columns and rows from which there are panels, more panels, and more lines around them.
const NARROW: u16 = 24;
const WIDE: u16 = 64;
const LOW: u16 = 6;
const HIGH: u16 = 20;
const ROOMY: u16 = 34;

/// The lines of a panel of this size.
type Lines = fn(&View, Rect) -> Vec<Line<'static>>;

/// Draws a dashboard.
pub fn draw(frame: &mut Frame, view: &View) {
    let area = frame.area();
    if area.width < NARROW || area.height < LOW {
        let lines = vec![status(view, area.width), Line::from("q stop")];
        frame.render_widget(Paragraph::new(lines), area);
        return;
    }
    let said = match area.height {
        0..HIGH => 0,
        HIGH..ROOMY => 1,
        _ => 3,
    };
    let directory = u16::from(area.height >= HIGH - 4);
    let rows = [1, directory, 1].map(Constraint::Length);
    let [title, run, progress, body, messages, keys] = Layout::vertical(rows.into_iter().chain([
        Constraint::Fill(1),
        Constraint::Length(said),
        Constraint::Length(1),
    ]))
    .areas(area);
    frame.render_widget(Paragraph::new(heading(view, title.width)), title);
    frame.render_widget(Paragraph::new(Span::styled(view.history.title.directory.clone(), dim())), run);
    frame.render_widget(Paragraph::new(status(view, progress.width)), progress);
    panels(frame, view, body);
    let first = view.messages.len().saturating_sub(said.into());
    let said = view.messages[first..].iter().map(|message| {
        let alarming = message.starts_with("warning");
        Line::styled(
            message.clone(),
            if alarming { view.ink(ALARM).add_modifier(Modifier::BOLD) } else { Style::new() },
        )
    });
    frame.render_widget(Paragraph::new(said.collect::<Vec<_>>()), messages);
    frame.render_widget(Paragraph::new(keys_line(view)), keys);
    if view.controls.help {
        help(frame, area);
    }
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

impl View<'_> {
    /// A colour, if there are any.
    fn ink(&self, colour: Color) -> Style {
        if self.plain { Style::new() } else { Style::new().fg(colour) }
    }
}

/// Environment, algorithm, seed and adapter, as many of them as fit.
fn heading(view: &View, width: u16) -> Line<'static> {
    let mut spans = vec![Span::styled("manyworlds", bold())];
    let mut used = 10;
    for (n, word) in view.history.title.words.iter().enumerate() {
        used += 3 + word.chars().count();
        if used > width.into() && n > 1 {
            break;
        }
        spans.push(Span::raw(" · "));
        spans.push(Span::styled(word.clone(), if n == 0 { bold() } else { Style::new() }));
    }
    Line::from(spans)
}

/// A bar, and where the run stands.
fn status(view: &View, width: u16) -> Line<'static> {
    let standing = &view.history.standing;
    let bar = usize::from(width / 6).clamp(4, 24);
    let share = standing.done() as f64 / standing.total().max(1) as f64;
    let full = ((share * bar as f64) as usize).min(bar);
    let mut spans = vec![
        Span::styled("━".repeat(full), view.ink(BARS)),
        Span::styled("─".repeat(bar - full), dim()),
        Span::raw(" "),
    ];
    let word = match view.controls {
        Controls { stopping: true, .. } => "STOPPING",
        Controls { paused: true, .. } => "PAUSED",
        _ => "",
    };
    let mut room = usize::from(width).saturating_sub(bar + 1);
    if !word.is_empty() {
        spans.push(Span::styled(format!(" {word} "), Style::new().add_modifier(Modifier::REVERSED)));
        spans.push(Span::raw(" "));
        room = room.saturating_sub(word.len() + 3);
    }
    spans.push(Span::raw(standing.text(room)));
    Line::from(spans)
}

fn keys_line(view: &View) -> Line<'static> {
    let pause = if view.controls.paused { "go on" } else { "pause" };
    let mut spans = Vec::new();
    for (key, what) in [("p", pause), ("s", "save"), ("q", "stop and save"), ("?", "help")] {
        spans.push(Span::styled(key, bold()));
        spans.push(Span::raw(format!(" {what}   ")));
    }
    Line::from(spans)
}

fn help(frame: &mut Frame, area: Rect) {
    let lines = [
        ("p, space", "pause, or go on"),
        ("s", "save a checkpoint now"),
        ("q, Esc, Ctrl-C", "finish the update, save and stop"),
        ("", "the second time: stop at once"),
        ("Ctrl-L", "draw everything anew"),
        ("?", "this help"),
        ("", ""),
        ("", "rollout: worlds step under the policy"),
        ("", "values: V, advantages, their moments"),
        ("", "gradients: minibatches and steps"),
    ];
    let (width, height) = (58.min(area.width), (lines.len() as u16 + 2).min(area.height));
    let area = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    let line = |(key, what): (&str, &str)| {
        Line::from(vec![Span::styled(format!(" {key:15}"), bold()), what.to_owned().into()])
    };
    frame.render_widget(Clear, area);
    let help = Paragraph::new(lines.map(line).to_vec()).block(Block::bordered().title(" keys "));
    frame.render_widget(help, area);
}

fn panels(frame: &mut Frame, view: &View, body: Rect) {
    let below = if body.height >= HIGH - 6 { (body.height / 3).clamp(6, 10) } else { 0 };
    let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(body);
    if body.width >= WIDE {
        let side = (body.width * 3 / 7).clamp(30, 52);
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(side)]).areas(top);
        returns(frame, view, left);
        measures(frame, view, right);
    } else {
        returns(frame, view, top);
    }
    if below == 0 {
        return;
    }
    let mut panels: Vec<(String, Lines)> = vec![(endings_title(view), endings), (times_title(view), times)];
    if view.history.actions.is_some() {
        panels.push((" last actions ".to_owned(), actions));
    }
    panels.truncate((body.width / NARROW).max(1).into());
    let areas = Layout::horizontal(vec![Constraint::Fill(1); panels.len()]).split(bottom);
    for ((title, lines), area) in panels.into_iter().zip(areas.iter()) {
        let block = panel(title);
        let lines = lines(view, block.inner(*area));
        frame.render_widget(Paragraph::new(lines).block(block), *area);
    }
}

fn panel(title: impl Into<Line<'static>>) -> Block<'static> {
    Block::bordered().border_style(dim()).title(title)
}

/// The curve of returns, with evaluations.
fn returns(frame: &mut Frame, view: &View, area: Rect) {
    let history = view.history;
    let block = panel(returns_title(view, area.width));
    let (curve, evaluations) = (history.returns.points(), history.evaluations.points());
    let all = || curve.iter().chain(evaluations);
    let (Some(first), Some(last)) =
        (all().map(|point| point.0).reduce(f64::min), all().map(|point| point.0).reduce(f64::max))
    else {
        let text = "no episode has ended yet";
        let inner = block.inner(area);
        let pad = (inner.width as usize).saturating_sub(text.len()) / 2;
        let mut lines = vec![Line::default(); usize::from(inner.height / 2)];
        lines.push(Line::styled(format!("{}{text}", " ".repeat(pad)), dim()));
        frame.render_widget(Paragraph::new(lines).block(block), area);
        return;
    };
    let low = all().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = all().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    // the threshold is shown as soon as it is near
    let threshold = history.threshold.filter(|threshold| {
        let span = (high - low).max(1e-9);
        (low - span..=high + span).contains(threshold)
    });
    let (low, high) = (threshold.map_or(low, |t| low.min(t)), threshold.map_or(high, |t| high.max(t)));
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-9);
    let (low, high) = (low - margin, high + margin);
    let dots = f64::from(area.width.max(2)) / 3.0;
    let level: Vec<(f64, f64)> = threshold.map_or(Vec::new(), |threshold| {
        (0..=dots as u32).map(|n| (first + (last - first) * f64::from(n) / dots, threshold)).collect()
    });
    let datasets = vec![
        Dataset::default().marker(Marker::Custom('·')).graph_type(GraphType::Scatter).style(dim()).data(&level),
        Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).style(view.ink(RETURNS)).data(curve),
        Dataset::default()
            .marker(Marker::Dot)
            .graph_type(GraphType::Scatter)
            .style(view.ink(EVALUATIONS))
            .data(evaluations),
    ];
    let last = if last > first { last } else { first + 1.0 };
    let inner = block.inner(area);
    let x = if inner.width >= 40 { vec![first, first.midpoint(last)] } else { vec![first] };
    let x = x.into_iter().map(short).chain([format!("{} steps", short(last))]);
    let y = if inner.height >= 9 { vec![low, low.midpoint(high), high] } else { vec![low, high] };
    let chart = Chart::new(datasets)
        .block(block)
        .x_axis(Axis::default().style(dim()).bounds([first, last]).labels(x))
        .y_axis(Axis::default().style(dim()).bounds([low, high]).labels(y.into_iter().map(figure)));
    frame.render_widget(chart, area);
}

/// What the curve of returns is made of, in as many words as fit.
fn returns_title(view: &View, width: u16) -> Line<'static> {
    let history = view.history;
    let title = |of: &str, evaluation: &str, error: bool| {
        let mut title = vec![Span::raw(" return ")];
        if let Some(line) = history.standing.line()
            && let Some(mean) = line.mean_return
        {
            title.push(Span::styled("━ ", view.ink(RETURNS)));
            let of = if of.is_empty() { String::new() } else { format!("of {}{of} ", short(line.mean_of as f64)) };
            title.push(Span::raw(format!("{} {of}", figure(mean))));
        }
        if let Some(evaluated) = &history.evaluated {
            title.push(Span::styled("• ", view.ink(EVALUATIONS)));
            let error = evaluated.returns.standard_error.filter(|_| error);
            let error = error.map_or(String::new(), |error| format!("± {} ", figure(error)));
            title.push(Span::raw(format!("{evaluation}{} {error}", figure(evaluated.returns.mean))));
        }
        Line::from(title)
    };
    let choices =
        [title(" episodes", "evaluation ", true), title(" episodes", "eval ", false), title("", "eval ", false)];
    let fits = choices.into_iter().find(|title| title.width() + 2 <= width.into());
    fits.unwrap_or_else(|| title("", "", false))
}

/// What the algorithm measures, a line each: name, number, curve.
fn measures(frame: &mut Frame, view: &View, area: Rect) {
    let history = view.history;
    let block = panel(" measures ");
    let inner = block.inner(area);
    let width = usize::from(inner.width);
    let all =
        std::iter::once(("steps/s", &history.speed)).chain(history.measures.iter().map(|(name, curve)| (*name, curve)));
    let shown: Vec<_> = all.take(inner.height.into()).collect();
    let longest = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let name_width = longest.min(width.saturating_sub(8 + 2 + 7));
    // where there is room, curves of several lines, and one between them
    let room = (usize::from(inner.height) / shown.len().max(1)).max(1);
    let tall = if room > 2 { (room - 1).min(3) } else { room };
    let mut lines = Vec::new();
    for (name, curve) in shown {
        let number = match curve.last() {
            Some(number) if name == "steps/s" => short(number),
            Some(number) => figure(number),
            None => "–".to_owned(),
        };
        let points: Vec<f64> = curve.points().iter().map(|point| point.1).collect();
        let mut curve = spark(&points, width.saturating_sub(name_width + 10), tall);
        let last = curve.pop().unwrap_or_default();
        if room > 2 && !lines.is_empty() {
            lines.push(Line::default());
        }
        let above = " ".repeat(name_width + 10);
        lines.extend(
            curve.into_iter().map(|row| Line::from(vec![above.clone().into(), Span::styled(row, view.ink(BARS))])),
        );
        lines.push(Line::from(vec![
            Span::raw(format!("{:name_width$} {number:>8} ", fit(name, name_width))),
            Span::styled(last, view.ink(BARS)),
        ]));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn endings_title(view: &View) -> String {
    match view.history.endings().episodes {
        0 => " how worlds end ".to_owned(),
        episodes => format!(" ends of {} episodes ", short(episodes as f64)),
    }
}

/// How worlds end, in training and in the last evaluation.
fn endings(view: &View, area: Rect) -> Vec<Line<'static>> {
    let training = Some(view.history.endings()).filter(|endings| endings.episodes > 0);
    let evaluated = view.history.evaluated_endings();
    let row = |name: &str, number: fn(&Endings) -> String| {
        let cell = |of: &Option<Endings>| of.as_ref().map_or("–".to_owned(), number);
        let name = fit(name, usize::from(area.width).saturating_sub(10).clamp(4, 12));
        format!("{name:11}{:>5}{:>6}", cell(&training), cell(&evaluated))
    };
    let lines = [
        format!("{:11}{:>5}{:>6}", "", "train", "eval"),
        row("terminated", |endings| percent(endings.terminated, endings.episodes)),
        row("truncated", |endings| percent(endings.truncated, endings.episodes)),
        row("unfinished", |endings| percent(endings.unfinished, endings.episodes)),
        row("mean length", |endings| endings.mean_length.map_or("–".to_owned(), short_length)),
        row("episodes", |endings| short(endings.episodes as f64)),
    ];
    let mut lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    lines[0] = lines[0].clone().style(dim());
    lines
}

fn times_title(view: &View) -> String {
    let (shares, update) = view.history.shares();
    if shares.is_empty() {
        return " time ".to_owned();
    }
    format!(" time: {} an update ", span(update))
}

/// The share of time of each stage.
fn times(view: &View, area: Rect) -> Vec<Line<'static>> {
    let (mut shares, _) = view.history.shares();
    if shares.is_empty() {
        return vec![Line::styled("not measured yet", dim())];
    }
    // where there is no room for all, the small ones go
    while shares.len() > usize::from(area.height) {
        let smallest = shares.iter().enumerate().min_by(|(_, a), (_, b)| a.1.total_cmp(&b.1)).map(|(n, _)| n);
        shares.remove(smallest.unwrap_or(0));
    }
    let rows = shares.into_iter().map(|(stage, share)| bar(view, stage.name(), 10, share, area.width));
    rows.collect()
}

/// A name, a share and a bar.
fn bar(view: &View, name: &str, name_width: usize, share: f64, width: u16) -> Line<'static> {
    let room = usize::from(width).saturating_sub(name_width + 6);
    let eighths = (share.clamp(0.0, 1.0) * room as f64 * 8.0).round() as usize;
    let mut filled = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        filled.push(LEFT[eighths % 8 - 1]);
    }
    Line::from(vec![
        Span::raw(format!("{:name_width$}{:>4.0}% ", fit(name, name_width), 100.0 * share)),
        Span::styled(filled, view.ink(BARS)),
    ])
}

/// How often worlds took which action.
fn actions(view: &View, area: Rect) -> Vec<Line<'static>> {
    match &view.history.actions {
        Some(Bins::Choices(choices)) => match choices.as_slice() {
            [shares] if shares.len() <= usize::from(area.height) => {
                let digits = (shares.len().saturating_sub(1)).to_string().len();
                let rows = shares.iter().enumerate();
                rows.map(|(action, share)| bar(view, &action.to_string(), digits, *share, area.width)).collect()
            }
            several => several.iter().enumerate().map(|(n, shares)| choice(view, n, shares, area.width)).collect(),
        },
        Some(Bins::Numbers(numbers)) => numbers.iter().map(|number| histogram(view, number, area.width)).collect(),
        None => Vec::new(),
    }
}

/// A choice in a line: which, and its actions side by side.
fn choice(view: &View, n: usize, shares: &[f64], width: u16) -> Line<'static> {
    let last = shares.len().saturating_sub(1);
    let (before, behind) = (format!("{n}: 0 "), format!(" {last}"));
    let room = usize::from(width).saturating_sub(before.len() + behind.len());
    Line::from(vec![Span::raw(before), Span::styled(columns(shares, room), view.ink(BARS)), Span::raw(behind)])
}

/// A real number in a line: its histogram between its ends, and where there is room its mean and deviation.
fn histogram(view: &View, number: &Numbers, width: u16) -> Line<'static> {
    let [low, high] = number.ends.map(|end| format!("{end:.1}"));
    let room = usize::from(width).saturating_sub(low.len() + high.len() + 2);
    let told = format!("  {:.2} ± {:.2}", number.mean, number.std);
    let bins = number.shares.len().min(room);
    let told = if bins + told.chars().count() <= room { told } else { String::new() };
    let bars = columns(&number.shares, bins);
    Line::from(vec![
        Span::raw(format!("{low} ")),
        Span::styled(bars, view.ink(BARS)),
        Span::raw(format!(" {high}{told}")),
    ])
}
