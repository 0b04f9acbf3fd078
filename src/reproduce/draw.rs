//! How the figure looks: a panel for each estimator over contours of the exact U(θ), and U against the gradients taken.
//! Colours are those of Okabe & Ito (2008), which readers who see fewer colours can tell apart.

use super::search::{ELITE, EXTRA, MUTATION, POPULATION, SIGMA, STEP};
use super::{Ascent, Ascents, DEPTH, LEAST_THETA_2, LIMIT, RATE, ROLLOUTS, STEPS, Standing, Way};
use crate::config::Algo;
use crate::estimate::Estimator;
use crate::figure::{Anchor, Axis, Colour, Figure, Grid, Panel, Pen, Point, contours, polygon};
use indicatif::HumanCount;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 856.0;
/// Place of each panel.
const PLACES: [[f64; 4]; 4] = [
    [70.0, 116.0, 400.0, 290.0],
    [570.0, 116.0, 400.0, 290.0],
    [70.0, 494.0, 400.0, 290.0],
    [570.0, 494.0, 400.0, 290.0],
];
/// Levels of U whose contours are drawn.
const LEVELS: [f64; 9] = [-0.2, -0.3, -0.5, -1.0, -2.0, -4.0, -8.0, -16.0, -32.0];
const THETA_1: [f64; 2] = [-1.65, 0.05];
const THETA_2: [f64; 2] = [-0.06, 1.06];
const OPTIMUM: Point = [-1.0, 0.0];
/// Members of a generation of pattern: p, its neighbours in two weights and two biases, and the base.
const NEIGHBOURS: u32 = 10;
const GREY: Colour = Colour::grey(150);
const INK: Colour = Colour::grey(40);

/// How a way looks: colour, corners of its marks (triangle, square, circle), and what its panel is called.
fn look(way: Way) -> (Colour, u32, &'static str) {
    const LOOKS: [(Colour, u32); 3] = [(Colour(213, 94, 0), 3), (Colour(0, 114, 178), 4), (Colour(0, 140, 105), 24)];
    let (n, title) = match way {
        Way::Gradient(Estimator::TotalReturn) => (0, "total return"),
        Way::Gradient(Estimator::RewardToGo) => (1, "reward-to-go"),
        Way::Gradient(_) => (2, "reward-to-go − optimal baseline"),
        Way::Search(Algo::Pattern) => (0, "pattern search (Hooke & Jeeves)"),
        Way::Search(Algo::Ga) => (1, "genetic algorithm: best parent"),
        Way::Search(_) => (2, "cross-entropy method: mean"),
    };
    (LOOKS[n].0, LOOKS[n].1, title)
}

impl Ascents {
    /// Figures of the gradients, and of the searches.
    pub(super) fn draw(&self) -> (Figure, Figure) {
        let [gradients, searches] = self.parts();
        let [count, searched] =
            [self.settings.repetitions, self.settings.searches()].map(|count| HumanCount(u64::from(count)));
        let gradients = self.sheet(
            gradients,
            "Policy gradients of the simple regulator, a ~ N(θ₁ s, θ₂²)",
            &[
                format!(
                    "{count} ascents of each estimator. A gradient comes from {ROLLOUTS} rollouts of depth {DEPTH}, its norm \
                     is limited to {LIMIT}, the step is {RATE}."
                ),
                format!("Grey: contours of the exact U(θ). θ₂ is held to at least {LEAST_THETA_2}."),
            ],
            "gradients taken",
        );
        let searches = self.sheet(
            searches,
            "Searches for a policy of the simple regulator, a ~ N(θ₁ s, θ₂²)",
            &[
                format!(
                    "{searched} searches in each way. A member plays {ROLLOUTS} rollouts of depth {DEPTH}; {POPULATION} members are a \
                     generation of cem and ga, {NEIGHBOURS} one of pattern."
                ),
                format!(
                    "cem begins with σ = {SIGMA} and {EXTRA} of extra variance, ga mutates by {MUTATION}, both keep {:.0} %; pattern \
                     steps by {STEP}. Grey: contours of the exact U(θ).",
                    100.0 * ELITE
                ),
            ],
            "generations",
        );
        (gradients, searches)
    }

    /// A panel for each of three ways, and U of all of them.
    fn sheet(&self, ascents: &[Ascent], head: &str, told: &[String; 2], unit: &str) -> Figure {
        let mut figure = Figure::new(WIDTH, HEIGHT, head);
        figure.text(head, [70.0, 34.0], 17.0, Anchor::Start, INK);
        for (line, y) in told.iter().zip([56.0, 73.0]) {
            figure.text(line, [70.0, y], 12.0, Anchor::Start, Colour::grey(90));
        }
        for (ascent, place) in ascents.iter().zip(PLACES) {
            self.paths(&mut figure, ascent, place);
        }
        self.utilities(&mut figure, ascents, unit, PLACES[3]);
        legend(&mut figure, look(ascents[2].way).0);
        figure
    }

    /// Mean path, spread and one ascent over the contours.
    fn paths(&self, figure: &mut Figure, ascent: &Ascent, place: [f64; 4]) {
        let tick = |x: f64| (x, format!("{x:.1}").replace('-', "−"));
        let axis = |name: &str, ends: [f64; 2], ticks: &[f64]| Axis {
            name: name.to_owned(),
            ends,
            ticks: ticks.iter().map(|x| tick(*x)).collect(),
        };
        let panel = Panel {
            place,
            x: axis("θ₁", THETA_1, &[-1.6, -1.2, -0.8, -0.4, 0.0]),
            y: axis("θ₂", THETA_2, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        };
        let (its, corners, title) = look(ascent.way);
        figure.clip(Some(place));
        let surface = Grid::new(THETA_1, THETA_2, 120, |a, b| self.textbook.unbounded(&[a, b], 1.0, DEPTH).0);
        let mut labels = Vec::new();
        for level in LEVELS {
            let runs = contours(&surface, level);
            let on_paper = |run: Vec<Point>| run.into_iter().map(|point| panel.at(point)).collect::<Vec<_>>();
            let runs: Vec<Vec<Point>> = runs.into_iter().map(on_paper).collect();
            labels.extend(label_place(&runs, place).map(|at| (at, level)));
            figure.lines(runs, Pen::new(Colour::grey(196), 1.0));
        }
        for (at, level) in labels {
            let text = format!("{level}").replace('-', "−");
            let half = Figure::width(&text, 10.0) / 2.0 + 2.0;
            let hole = vec![
                [at[0] - half, at[1] - 6.0],
                [at[0] + half, at[1] - 6.0],
                [at[0] + half, at[1] + 6.0],
                [at[0] - half, at[1] + 6.0],
            ];
            figure.area(vec![hole], Colour::WHITE, 1.0);
            figure.text(&text, [at[0], at[1] + 3.6], 10.0, Anchor::Middle, GREY);
        }
        let ellipses = tube(&ascent.steps).into_iter();
        let ellipses = ellipses.map(|run| run.into_iter().map(|point| panel.at(point)).collect());
        figure.area(ellipses.collect(), its, 0.2);
        let through =
            |pick: fn(&Standing) -> Point| ascent.steps.iter().map(|at| panel.at(pick(at))).collect::<Vec<_>>();
        figure
            .line(through(|at| [at.theta[0].sample, at.theta[1].sample]), Pen { opacity: 0.85, ..Pen::new(INK, 0.9) });
        let mean = through(|at| [at.theta[0].mean, at.theta[1].mean]);
        figure.line(mean.clone(), Pen::new(Colour::WHITE, 4.2));
        figure.line(mean.clone(), Pen::new(its, 2.4));
        for at in mean.iter().skip(1) {
            figure.outlined(polygon(*at, 4.0, corners), its, Pen::new(Colour::WHITE, 0.8));
        }
        figure.outlined(polygon(mean[0], 5.0, 24), Colour::WHITE, Pen::new(INK, 1.6));
        figure.outlined(star(panel.at(OPTIMUM), 8.5), Colour::BLACK, Pen::new(Colour::WHITE, 1.0));
        figure.clip(None);
        panel.frame(figure, title, its);
    }

    /// U(θ) along the way: the median and the middle four fifths of the repetitions.
    fn utilities(&self, figure: &mut Figure, ascents: &[Ascent], unit: &str, place: [f64; 4]) {
        // −U on a logarithmic scale, falling
        let scale = |utility: f64| -(-utility).log10();
        let tick = |utility: f64| (scale(utility), format!("{utility}").replace('-', "−"));
        let panel = Panel {
            place,
            x: Axis {
                name: unit.to_owned(),
                ends: [0.0, f64::from(STEPS)],
                ticks: (0..=STEPS).step_by(5).map(|k| (f64::from(k), k.to_string())).collect(),
            },
            y: Axis {
                name: "U(θ), logarithmic".to_owned(),
                ends: [scale(-26.0), scale(-0.14)],
                ticks: [-0.2, -0.5, -1.0, -2.0, -5.0, -10.0, -20.0].map(tick).to_vec(),
            },
        };
        figure.clip(Some(place));
        for (value, _) in &panel.y.ticks {
            let ends = [0.0, f64::from(STEPS)].map(|x| panel.at([x, *value]));
            figure.line(ends.to_vec(), Pen::new(Colour::grey(228), 1.0));
        }
        let through = |ascent: &Ascent, pick: fn(&Standing) -> f64| {
            let at = |(k, at): (usize, &Standing)| panel.at([k as f64, scale(pick(at))]);
            ascent.steps.iter().enumerate().map(at).collect::<Vec<_>>()
        };
        for ascent in ascents {
            let (its, ..) = look(ascent.way);
            let mut band = through(ascent, |at| at.utility.low);
            band.extend(through(ascent, |at| at.utility.high).into_iter().rev());
            figure.area(vec![band], its, 0.11);
            for edge in [through(ascent, |at| at.utility.low), through(ascent, |at| at.utility.high)] {
                figure.line(edge, Pen { opacity: 0.6, ..Pen::new(its, 0.9) });
            }
        }
        for ascent in ascents {
            let (its, corners, _) = look(ascent.way);
            let median = through(ascent, |at| at.utility.median);
            figure.line(median.clone(), Pen::new(Colour::WHITE, 4.0));
            figure.line(median.clone(), Pen::new(its, 2.2));
            for at in median.iter().skip(1).step_by(2) {
                figure.outlined(polygon(*at, 3.8, corners), its, Pen::new(Colour::WHITE, 0.8));
            }
        }
        let best = scale(self.textbook.unbounded(&OPTIMUM, 1.0, DEPTH).0);
        let ends = [0.0, f64::from(STEPS)].map(|x| panel.at([x, best]));
        figure.line(ends.to_vec(), Pen::new(Colour::BLACK, 1.2));
        figure.clip(None);
        let [x, y] = panel.at([f64::from(STEPS), best]);
        figure.text("optimum", [x - 6.0, y - 4.5], 11.0, Anchor::End, Colour::BLACK);
        panel.frame(figure, "U along the way: median, and 10 % to 90 % of the ascents", INK);
    }
}

/// What the marks mean, in a row above the panels' names.
fn legend(figure: &mut Figure, its: Colour) {
    let (mut x, y, size) = (70.0, HEIGHT - 10.0, 11.5);
    let entries: [(&str, Mark); 5] = [
        ("start", |figure, [x, y], _| figure.outlined(polygon([x, y], 5.0, 24), Colour::WHITE, Pen::new(INK, 1.6))),
        ("optimum (−1, 0)", |figure, at, _| {
            figure.outlined(star(at, 8.0), Colour::BLACK, Pen::new(Colour::WHITE, 0.5));
        }),
        ("mean of the ascents, a mark after each step", |figure, [x, y], its| {
            figure.line(vec![[x - 12.0, y], [x + 12.0, y]], Pen::new(its, 2.4));
            figure.outlined(polygon([x, y], 4.0, 24), its, Pen::new(Colour::WHITE, 0.8));
        }),
        ("one standard deviation around it", |figure, [x, y], its| {
            figure.area(vec![crate::figure::rectangle([x - 12.0, y - 6.0, 24.0, 12.0])], its, 0.2);
        }),
        ("one ascent", |figure, [x, y], _| {
            figure.line(
                vec![[x - 12.0, y + 3.0], [x - 3.0, y - 4.0], [x + 4.0, y + 3.0], [x + 12.0, y - 3.0]],
                Pen::new(INK, 0.9),
            );
        }),
    ];
    for (text, mark) in entries {
        mark(figure, [x + 13.0, y - 4.0], its);
        figure.text(text, [x + 32.0, y], size, Anchor::Start, INK);
        x += 56.0 + Figure::width(text, size);
    }
}

/// Draws a mark of the legend.
type Mark = fn(&mut Figure, Point, Colour);

/// Where the label of a contour lies: on its longest run, near its middle, where the panel's border is far.
fn label_place(runs: &[Vec<Point>], [left, top, width, height]: [f64; 4]) -> Option<Point> {
    let inside = |at: &Point| {
        at[0] > left + 24.0 && at[0] < left + width - 24.0 && at[1] > top + 12.0 && at[1] < top + height - 12.0
    };
    let longest = runs.iter().max_by_key(|run| run.len())?;
    let free: Vec<&Point> = longest.iter().filter(|at| inside(at)).collect();
    free.get(free.len() * 2 / 9).map(|at| **at)
}

/// Ellipses of one standard deviation, close enough together along the way to make a tube.
fn tube(steps: &[Standing]) -> Vec<Vec<Point>> {
    const BETWEEN: u32 = 12;
    const APART: f64 = 0.2;
    let (mut ellipses, mut last) = (Vec::new(), [f64::INFINITY; 4]);
    for pair in steps.windows(2) {
        for part in 1..=BETWEEN {
            let t = f64::from(part) / f64::from(BETWEEN);
            let mix = |pick: &dyn Fn(&Standing) -> f64| (1.0 - t) * pick(&pair[0]) + t * pick(&pair[1]);
            let centre = [mix(&|at| at.theta[0].mean), mix(&|at| at.theta[1].mean)];
            let a = mix(&|at| at.theta[0].std.powi(2));
            let b = mix(&|at| at.theta[1].std.powi(2));
            let c = mix(&|at| at.covariance);
            // the factor of Cholesky of [[a, c], [c, b]] takes the circle to the ellipse
            let first = a.max(1e-12).sqrt();
            let (across, second) = (c / first, (b - c * c / a.max(1e-12)).max(0.0).sqrt());
            // what lies where the last one lies shows nothing new
            let now = [centre[0], centre[1], first, b.sqrt()];
            if now.iter().zip(last).all(|(x, y)| (x - y).abs() < APART * first.min(second)) {
                continue;
            }
            last = now;
            let point = |[x, y]: Point| [centre[0] + first * x, centre[1] + across * x + second * y];
            ellipses.push(polygon([0.0, 0.0], 1.0, 24).into_iter().map(point).collect());
        }
    }
    ellipses
}

/// A star with five points.
fn star(at: Point, radius: f64) -> Vec<Point> {
    let (outer, inner) = (polygon(at, radius, 5), polygon(at, -0.4 * radius, 5));
    // the inner corners are turned by half of the circle: each lies opposite to a point
    (0..5).flat_map(|i| [outer[i], inner[(i + 3) % 5]]).collect()
}
