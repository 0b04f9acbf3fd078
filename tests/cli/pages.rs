//! The page that newcomers begin with, typed as it stands.

// a test may panic
#![allow(clippy::unwrap_used)]

use super::calls::{alone, text};
use std::path::Path;
use std::process::Command;

/// Every line of the page's shell blocks, in one folder and in their order; what installs is left out.
#[test]
fn learning_the_page_of_getting_started_runs_as_it_stands() {
    let _alone = alone();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/getting_started.md");
    let page = std::fs::read_to_string(page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut shell, mut ran) = (false, 0);
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            shell = !shell && language == "sh";
        } else if let Some(words) = line.strip_prefix("manyworlds ").filter(|_| shell) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
            let output = command.args(words.split_whitespace()).current_dir(folder.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "manyworlds {words}:\n{}", text(&output.stderr));
            ran += 1;
        }
    }
    assert!(ran >= 10, "{ran} commands");
    let hashes = ["runs/cartpole", "runs/again"].map(|run| {
        manyworlds::Policy::load(&folder.path().join(run)).unwrap_or_else(|error| panic!("{run}: {error}")).hash()
    });
    assert_eq!(hashes[0], hashes[1], "the run that config.toml makes again");
    for name in ["cartpole.gif", "metrics.csv", "plot.svg", "runs/cartpole/curve.png"] {
        assert!(folder.path().join(name).metadata().unwrap().len() > 100, "{name}");
    }
}
