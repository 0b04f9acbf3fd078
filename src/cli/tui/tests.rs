//! Dashboards of made-up runs, drawn into memory.

use super::draw::{View, draw};
use super::history::{History, Title};
use super::keys::Controls;
use crate::cli::standing::Standing;
use crate::config::Config;
use crate::env::Environment;
use crate::layout::Measured;
use crate::train::{Evaluated, Line, Returns, Stage, Watched};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use std::time::Duration;

/// A run that is being made ready.
fn begun(name: &str, algo: &str) -> (History, Config) {
    let env = Environment::load(name).unwrap();
    let config = Config::preset(name, algo).unwrap();
    let words = vec![name.to_owned(), algo.to_owned(), "seed 7".to_owned(), "Adapter 3000".to_owned()];
    let title = Title { words, directory: "runs/the-directory".to_owned() };
    let standing = Standing::compiling(&config, || [12, 18]);
    (History::new(title, &env, &config, standing), config)
}

/// A line of update `n`.
fn line(config: &Config, n: u32) -> Line {
    let measures = config.measures().into_iter().enumerate();
    Line {
        update: n,
        step: u64::from(n + 1) * 2048,
        seconds: f64::from(n),
        mean_return: Some(f64::from(n) * 4.0),
        mean_length: Some(200.0),
        mean_of: 132,
        update_return: Some(7.0),
        update_length: Some(150.0),
        episodes: 80,
        terminated: 60,
        truncated: 20,
        measures: measures.map(|(at, name)| (name, Measured::Real((n as f32 + at as f32).sin()))).collect(),
        steps_per_s: 412_345.0,
    }
}

/// A run that has gone on for a while: returns up to 396, an evaluation of three outcomes every 25 updates.
fn under_way(name: &str, algo: &str, actions: Vec<Vec<u32>>) -> History {
    let (mut history, config) = begun(name, algo);
    history.standing.begins(0, 0);
    for n in 0..100 {
        let outcomes = [[390.0, 300.0, 1.0, 0.0], [400.0, 500.0, 2.0, 0.0], [410.0, 100.0, 0.0, 0.0]];
        let evaluated = Evaluated {
            evaluation: n / 25 + 1,
            seed: 7,
            update: n,
            step: u64::from(n + 1) * 2048,
            seconds: 1.0,
            returns: Returns::of(&outcomes),
            best_member: None,
        };
        let evaluated = (n % 25 == 24).then_some(evaluated);
        history.report(n + 1, u64::from(n + 1) * 2048, &[line(&config, n)], evaluated.as_ref());
    }
    let stages = vec![
        (Stage::Rollout, Duration::from_millis(30)),
        (Stage::Values, Duration::from_millis(10)),
        (Stage::Gradients, Duration::from_millis(60)),
        (Stage::Evaluation, Duration::from_millis(2500)),
    ];
    let watched = Watched { stages, actions, ..Watched::default() };
    history.watched(&watched);
    history
}

fn view(history: &History) -> View<'_> {
    View {
        history,
        controls: Controls::default(),
        messages: vec!["warning: the disk is full".to_owned()],
        plain: false,
    }
}

fn drawn(view: &View, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal.backend().buffer().clone()
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(row).collect()
}

/// Every word must be there, and every frame must be whole where no help lies over them.
fn shows(view: &View, width: u16, height: u16, words: &[&str]) {
    let buffer = drawn(view, width, height);
    let text = rows(&buffer).join("\n");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing at {width}×{height}:\n{text}");
    }
    if view.controls.help {
        return;
    }
    let at = |x: u16, y: u16| buffer[(x, y)].symbol();
    for y in 0..height {
        for x in (0..width).filter(|&x| at(x, y) == "┌") {
            let right = (x + 1..width).find(|&x| at(x, y) == "┐").unwrap_or_else(|| panic!("no corner:\n{text}"));
            let below = (y + 1..height).find(|&y| at(x, y) != "│").unwrap_or_else(|| panic!("no side:\n{text}"));
            assert_eq!((at(x, below), at(right, below)), ("└", "┘"), "a frame is broken at {x}, {y}:\n{text}");
            assert!((y + 1..below).all(|y| at(right, y) == "│"), "a side is broken at {right}, {y}:\n{text}");
        }
    }
}

const CARTPOLE: [&str; 15] = [
    "CartPole-v1 · ppo · seed 7 · Adapter 3000",
    "runs/the-directory",
    "412k/s",
    "return ━ 396 of 132 episodes • eval",
    "policy_loss",
    "value_loss",
    "entropy",
    "ends of 160 episodes",
    "terminated   75%   33%",
    "truncated    25%   33%",
    "unfinished    0%   33%",
    "time: 100 ms an update",
    "gradients ",
    "warning: the disk is full",
    "q stop and save",
];

#[test]
fn a_dashboard_shows_all_that_there_is_at_80_and_120_columns() {
    // 3 of 4 worlds take action 1
    let history = under_way("CartPole-v1", "ppo", vec![vec![0, 1, 1, 1]]);
    // 100 updates of 100 ms, and 4 evaluations of 2.5 s
    let shares = ["rollout     15%", "gradients   30%", "evaluation  50%", "last actions", "0  25% ", "1  75% "];
    for (width, height) in [(80, 24), (120, 40)] {
        shows(&view(&history), width, height, &CARTPOLE);
        shows(&view(&history), width, height, &shares);
    }
    shows(
        &view(&history),
        120,
        40,
        &[
            "• evaluation 400 ± 5.774",
            "mean length  150   300",
            "episodes     160     3",
            "explained_variance",
            "epochs",
        ],
    );
}

#[test]
fn every_algorithm_has_its_own_measures_and_actions() {
    let number = |x: f32| x.to_bits();
    let history = under_way("Pendulum-v1", "sac", vec![vec![number(-2.0), number(0.0), number(0.0), number(2.0)]]);
    shows(&view(&history), 80, 24, &["alpha", "q_value", "-2.0 ▄       █      ▄ 2.0"]);
    shows(&view(&history), 120, 40, &["-2.0 ▄       █      ▄ 2.0  0.00 ± 1.41"]);
    let history = under_way("Pendulum-v1", "cem", Vec::new());
    shows(&view(&history), 120, 40, &["Pendulum-v1 · cem", "generations", "fitness"]);
    let text = rows(&drawn(&view(&history), 120, 40)).join("\n");
    assert!(!text.contains("actions"), "a search keeps no actions:\n{text}");
}

#[test]
fn a_run_that_is_made_ready_waits_or_ends_says_so() {
    let (history, _) = begun("CartPole-v1", "ppo");
    let words = ["compiling shaders, 12 of 18 done", "no episode has ended yet", "not measured yet", "p pause"];
    shows(&view(&history), 80, 24, &words);
    let history = under_way("CartPole-v1", "ppo", vec![vec![0, 1]]);
    let with = |controls| View { controls, ..view(&history) };
    shows(&with(Controls { paused: true, ..Controls::default() }), 80, 24, &["PAUSED", "p go on"]);
    shows(&with(Controls { stopping: true, ..Controls::default() }), 80, 24, &["STOPPING"]);
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        shows(&with(Controls { help: true, ..Controls::default() }), width, height, &["pause, or go on"]);
    }
}

#[test]
fn no_size_breaks_it_and_small_ones_show_less() {
    let history = under_way("CartPole-v1", "ppo", vec![vec![0, 1, 1, 1]]);
    let quadrotor = under_way("QuadrotorHover", "ppo", vec![vec![0f32.to_bits(); 9]; 4]);
    let (empty, _) = begun("CartPole-v1", "ppo");
    for (history, step) in [(&history, 1), (&quadrotor, 7), (&empty, 7)] {
        for width in (1..=40).step_by(step).chain((41..=200).step_by(13)) {
            for height in (1..=60).step_by(if width > 40 { 5 } else { 2 }) {
                shows(&view(history), width, height, &[]);
            }
        }
        shows(&View { controls: Controls { help: true, ..Controls::default() }, ..view(history) }, 1, 1, &[]);
    }
    shows(&view(&history), 40, 12, &["CartPole-v1 · ppo", "return", "q stop"]);
    shows(&view(&history), 20, 5, &["40% 205k/500k", "q stop"]);
}

#[test]
fn without_colours_there_are_none() {
    let history = under_way("CartPole-v1", "ppo", vec![vec![0, 1, 1, 1]]);
    let colours = |plain| {
        let buffer = drawn(&View { plain, ..view(&history) }, 120, 40);
        let coloured = buffer.content().iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        coloured.count()
    };
    assert_eq!(colours(true), 0);
    assert!(colours(false) > 50);
}

#[test]
fn a_long_run_takes_no_more_memory_and_no_longer_to_draw() {
    let (mut history, config) = begun("CartPole-v1", "ppo");
    for n in 0..20_000 {
        history.report(n + 1, u64::from(n + 1) * 2048, &[line(&config, n)], None);
    }
    assert!(history.returns.points().len() < 1024);
    assert_eq!(history.endings().episodes, 160);
    shows(&view(&history), 80, 24, &["79996"]);
}
