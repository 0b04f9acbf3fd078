//! Gradients of textbook policies on the command line: what is printed, what is refused, and the figure.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use manyworlds::env::Environment;
use manyworlds::estimate::{Estimator, Textbook};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const REGULATOR: &str = "SimpleRegulator";
const TWO_ACTION: &str = "TwoAction";

fn manyworlds(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_manyworlds")).args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = manyworlds(arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "manyworlds {}: {err}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_command_prints_a_line_of_json_or_a_ladder() {
    let few = ["--rollouts", "2000", "--depth", "5"];
    let arguments = [
        &["gradient", REGULATOR, "--theta", "-0.5,0.3", "--estimator", "gae", "--values", "learned", "--json"],
        &few[..],
    ]
    .concat();
    let line = printed(&arguments);
    assert_eq!(line, printed(&arguments), "the same seed twice");
    assert_eq!(line.lines().count(), 1);
    let found: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(found["estimator"], "gae");
    assert_eq!(found["values"], "learned");
    assert_eq!(found["rollouts"], 2000);
    assert_eq!(found["depth"], 5);
    for field in ["theta", "gradient", "std", "stderr", "exact", "bias"] {
        assert_eq!(found[field].as_array().map(Vec::len), Some(2), "{field} in {line}");
    }
    assert!(found["utility"].is_f64() && found["utility_exact"].is_f64(), "{line}");

    let ladder = printed(&[&["gradient", REGULATOR, "--compare", "--json"], &few[..]].concat());
    let ladder: Vec<Value> = serde_json::from_str(&ladder).unwrap();
    let names: Vec<&str> = ladder.iter().filter_map(|rung| rung["estimator"].as_str()).collect();
    assert_eq!(names, Estimator::ALL.map(Estimator::name));
    let table = printed(&[&["gradient", TWO_ACTION, "--compare"], &few[..]].concat());
    assert_eq!(table.lines().count(), 3 + Estimator::ALL.len(), "a title, names, a line each, the exact one:\n{table}");
}

#[test]
fn bad_input_is_refused_with_cause_and_remedy() {
    let regulator: &[&str] = &["gradient", REGULATOR];
    let cases: [(&[&str], &[&str], &[&str]); 21] = [
        (regulator, &["--estimator", "reward-togo"], &["estimator", "reward-togo", "did you mean 'reward-to-go'"]),
        (regulator, &["--theta", "-0.5"], &["theta", "linear-gaussian", "has 2", "not 1"]),
        (regulator, &["--theta", "-0.5,0.3,1"], &["theta", "not 3"]),
        (regulator, &["--theta", "-0.5,0"], &["theta", "θ₂ = 0", "at least"]),
        (regulator, &["--theta", "-0.5,-0.3"], &["theta", "θ₂ = -0.3", "at least"]),
        (regulator, &["--theta", "nan,0.3"], &["theta", "NaN", "finite"]),
        (regulator, &["--theta", "half"], &["theta", "'half'", "-0.5,0.3"]),
        (regulator, &["--depth", "0"], &["depth", "at least 1"]),
        (regulator, &["--depth", "70000", "--rollouts", "2"], &["depth", "70000", "at most 65535"]),
        (regulator, &["--rollouts", "1"], &["rollouts", "at least 2"]),
        (regulator, &["--gamma", "1.5"], &["gamma", "1.5", "from 0 to 1"]),
        (regulator, &["--values", "guessed"], &["values", "guessed", "exact or learned"]),
        (regulator, &["--theta", "0.5,0.3", "--estimator", "gae"], &["values", "bounds", "learned"]),
        (regulator, &["--delta", "0", "--estimator", "regression"], &["delta", "0.0001"]),
        (&["gradient", "CartPole-v1"], &["--theta", "1,2"], &["CartPole-v1", "no textbook policy", "SimpleRegulator"]),
        (&["gradient", "CartPole-v1"], &["--estimator", "regression"], &["regression", "textbook policies", "gae"]),
        (&["gradient", "CartPole-v1"], &["--rollouts", "63"], &["rollouts", "63", "at least 64"]),
        (&["gradient", "CartPole-v1"], &["--depth", "0"], &["depth", "at least 1"]),
        (&["gradient", "CartPole-v1"], &["--rollouts", "40000000"], &["samples", "reduce rollouts or depth"]),
        (&["gradient", "CartPole-v1"], &["--checkpoint", "nowhere"], &["nowhere"]),
        (&["reproduce", "regulator", "--out", "nowhere"], &["--repetitions", "0"], &["repetitions", "from 2 to 65535"]),
    ];
    for (command, more, words) in cases {
        let arguments = [command, more].concat();
        let output = manyworlds(&arguments);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "manyworlds {}: {err}", arguments.join(" "));
        for word in words {
            assert!(err.contains(word), "'{word}' is missing: manyworlds {}: {err}", arguments.join(" "));
        }
        assert!(output.stdout.is_empty(), "nothing is printed: {}", arguments.join(" "));
    }
}

#[test]
fn the_regulators_figure_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        printed(&["reproduce", "regulator", "--out", out.to_str().unwrap(), "--seed", seed, "--repetitions", "512"]);
        let mut names: Vec<String> =
            std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let expected =
            ["regulator.csv", "regulator.png", "regulator.svg", "regulator_search.png", "regulator_search.svg"];
        assert_eq!(names, expected, "nothing else is left");
        out
    };
    let read = |out: &Path, ending: &str| std::fs::read(out.join(format!("regulator{ending}"))).unwrap();
    let (first, second, other) = (make("a", "5"), make("b", "5"), make("c", "6"));
    for ending in [".csv", ".png", ".svg", "_search.png", "_search.svg"] {
        assert!(read(&first, ending) == read(&second, ending), "{ending}: the same seed twice");
    }
    assert!(read(&first, ".csv") != read(&other, ".csv"), "another seed");

    let csv = String::from_utf8(read(&first, ".csv")).unwrap();
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let column = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    let regulator = Textbook::of(&Environment::load(REGULATOR).unwrap()).unwrap();
    let mut ends = Vec::new();
    for estimator in ["total-return", "reward-to-go", "optimal-baseline", "cem", "ga", "pattern"] {
        let rows: Vec<&Vec<&str>> = rows.iter().filter(|row| row[0] == estimator).collect();
        assert_eq!(rows.len(), 31, "{estimator}: a line before each of 30 steps, and one after them");
        let number = |row: &[&str], name: &str| row[column(name)].parse::<f64>().unwrap();
        let of_mean: Vec<f64> = rows.iter().map(|row| number(row, "utility_of_mean")).collect();
        // as long as steps are long, noise cannot hide the climb; where a pattern finds nothing it stands still
        assert!(
            of_mean[..8].windows(2).all(|pair| pair[1] > pair[0] || estimator == "pattern" && pair[1] == pair[0]),
            "{estimator}: the mean path climbs: {of_mean:?}"
        );
        assert!(of_mean[30] > 0.1 * of_mean[0], "{estimator}: from {} to {}", of_mean[0], of_mean[30]);
        for row in &rows {
            assert_eq!(row.len(), names.len());
            let exact = regulator.unbounded(&[number(row, "theta1_mean"), number(row, "theta2_mean")], 1.0, 10).0;
            assert_eq!(number(row, "utility_of_mean"), exact, "{estimator}: U of the mean θ");
            assert!(number(row, "utility_q10") <= number(row, "utility_median"));
            assert!(number(row, "utility_median") <= number(row, "utility_q90"));
        }
        ends.push(number(rows[30], "utility_median"));
    }
    assert!(ends[0] < ends[1] && ends[1] < ends[2], "less variance climbs higher: {ends:?}");
    let best = regulator.unbounded(&[-1.0, 0.0], 1.0, 10).0;
    assert!(ends[3..].iter().all(|end| (best - 0.01..=best).contains(end)), "searches find {best}: {ends:?}");

    for figure in ["", "_search"] {
        let picture = tiny_skia::Pixmap::decode_png(&read(&first, &format!("{figure}.png"))).unwrap();
        assert_eq!((picture.width(), picture.height()), (2000, 1712));
        for (red, green, blue) in [(213, 94, 0), (0, 114, 178), (0, 140, 105), (0, 0, 0)] {
            let drawn =
                picture.pixels().iter().filter(|p| (p.red(), p.green(), p.blue()) == (red, green, blue)).count();
            assert!(drawn > 500, "{drawn} pixels have the colour ({red}, {green}, {blue})");
        }
        let svg = String::from_utf8(read(&first, &format!("{figure}.svg"))).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
        for used in svg.split("href=\"#").skip(1).chain(svg.split("url(#").skip(1)) {
            let id = used.split(['"', ')']).next().unwrap();
            assert!(svg.contains(&format!("id=\"{id}\"")), "'{id}' is not defined");
        }
    }

    let again = manyworlds(&["reproduce", "regulator", "--out", first.to_str().unwrap()]);
    let err = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.code() == Some(2) && err.contains("not empty"), "{err}");
}
