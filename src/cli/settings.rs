//! `manyworlds settings`

use manyworlds::train::Config;
use std::process::ExitCode;

pub fn run() -> ExitCode {
    for setting in Config::SETTINGS {
        println!("{} = {}   ({})", setting.name, setting.default, setting.kind);
        println!("    {}", setting.about.trim());
        println!("    source: {}", setting.source);
    }
    ExitCode::SUCCESS
}
