//! `manyworlds settings`

use manyworlds::train::{Config, Setting};
use std::io::Write;
use std::process::ExitCode;

pub fn run() -> ExitCode {
    let mut out = std::io::stdout().lock();
    for Setting { name, kind, default, about, source } in Config::SETTINGS {
        // a reader that has seen enough closes the pipe
        if writeln!(out, "{name} = {default}   ({kind})\n    {}\n    source: {source}", about.trim()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}
