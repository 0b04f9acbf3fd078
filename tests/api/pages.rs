//! The pages: every environment that stands on one whole is one, and what they link to is there.

// a test may panic
#![allow(clippy::unwrap_used)]

use manyworlds::Environment;
use std::path::{Path, PathBuf};

/// README and all pages of `docs/`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    for folder in ["docs", "docs/algorithms"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        all.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    assert!(all.len() > 15, "{all:?}");
    all
}

/// The blocks of a language on a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside: Option<(bool, String)> = None;
    for line in page.lines() {
        match (&mut inside, line.strip_prefix("```")) {
            (None, Some(told)) => inside = Some((told.split(',').next() == Some(language), String::new())),
            (Some(_), Some(_)) => found.extend(inside.take().filter(|(wanted, _)| *wanted).map(|(_, text)| text)),
            (Some((_, text)), None) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

#[test]
fn environments_on_pages_are_environments() {
    let mut whole = 0;
    for path in pages() {
        for text in blocks(&std::fs::read_to_string(&path).unwrap(), "wgsl") {
            // a fragment says so by what it leaves out
            if !text.contains("fn env_step") || text.contains('…') {
                continue;
            }
            if let Err(error) = Environment::from_source("page", &path.display().to_string(), &text) {
                panic!("{}: {error}", path.display());
            }
            whole += 1;
        }
    }
    assert!(whole > 0, "no page has a whole environment");
}

#[test]
fn what_pages_link_to_is_there() {
    let mut links = 0;
    for path in pages() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split(')').next().unwrap();
            if target.contains("://") || target.starts_with('#') || target.contains('\n') {
                continue;
            }
            let file = target.split('#').next().unwrap();
            assert!(path.parent().unwrap().join(file).exists(), "{} links to {target}", path.display());
            links += 1;
        }
    }
    assert!(links > 30, "{links}");
}
