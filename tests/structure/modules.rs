//! The modules of the library stand one above the other, in the order that ARCHITECTURE.md gives: none knows a higher one.

// a test may panic
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first.
const ORDER: [&str; 30] = [
    "error",
    "file",
    "shader",
    "gpu",
    "mpi",
    "plan",
    "layout",
    "reference",
    "statistics",
    "nn",
    "env",
    "kernels",
    "config",
    "batch",
    "stage",
    "algo",
    "train",
    "events",
    "export",
    "pool",
    "rollout",
    "render",
    "estimate",
    "bench",
    "page",
    "check",
    "figure",
    "curves",
    "sweep",
    "reproduce",
];

/// Names at the root of the crate that are of a module.
const FACE: [(&str, &str); 4] =
    [("Error", "error"), ("Result", "error"), ("WorldPool", "pool"), ("Rollout", "rollout")];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The modules that a source names by `crate::`, its unit tests and comments left out.
fn named(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in lines {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let face = FACE.iter().find(|(face, _)| *face == name);
            found.insert(face.map_or(name, |(_, module)| (*module).to_owned()));
        }
    }
    found
}

#[test]
fn no_module_knows_a_higher_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let place = |module: &str| ORDER.iter().position(|name| *name == module);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files(&root).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let below = path.strip_prefix(&root).unwrap();
        let first = below.iter().next().unwrap().to_string_lossy();
        let module = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
        // the command line is a crate of its own
        if ["lib", "main", "cli"].contains(&module.as_str()) {
            continue;
        }
        let Some(own) = place(&module) else { panic!("{module} has no place in the order") };
        seen.insert(module);
        for name in named(&fs::read_to_string(&path).unwrap()) {
            let Some(other) = place(&name) else { continue };
            if other > own {
                wrong.push(format!("{} knows {name}", below.display()));
            }
        }
    }
    assert_eq!(seen.len(), ORDER.len(), "{seen:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_found_where_they_are() {
    let source = "use crate::env::Environment;\n// crate::train\nfn f() -> crate::Result<crate::gpu::Gpu> {}\n\
                  #[cfg(test)]\nmod tests { use crate::cli::X; }\n";
    assert_eq!(named(source), ["env", "error", "gpu"].map(str::to_owned).into());
}
