//! Writes the list of shader files, each with its text, for `src/shader/mod.rs`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let missing = |name: &str| io::Error::other(format!("cargo sets {name}"));
    let of = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| missing(name));
    let root = of("CARGO_MANIFEST_DIR")?.join("shaders");
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let below = file.strip_prefix(&root).map_err(io::Error::other)?;
        let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        let (name, path) = (names.join("/"), file.to_string_lossy());
        let _ = writeln!(list, "({name:?}, include_str!({path:?})),");
    }
    list.push(']');
    println!("cargo::rerun-if-changed=shaders");
    fs::write(of("OUT_DIR")?.join("shaders.rs"), list)
}

/// Every file of shaders in a folder and below.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "wgsl") {
            files.push(path);
        }
    }
    Ok(())
}
