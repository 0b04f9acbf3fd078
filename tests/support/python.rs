//! The Python that tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python 3.11 that imports these modules.
pub fn python(modules: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python3");
    let named = std::env::var_os("MANYWORLDS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or(if own.exists() { own } else { PathBuf::from("python3") });
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "{} lacks one of {modules}, or is older than 3.11; `make python` makes one that has them, MANYWORLDS_PYTHON names another one",
        python.display()
    );
    python
}
