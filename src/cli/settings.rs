//! `manyworlds settings`

use manyworlds::Result;
use manyworlds::train::Config;
use std::process::ExitCode;

pub fn run() -> Result<ExitCode> {
    for setting in Config::SETTINGS {
        println!("{} = {}   ({})", setting.name, setting.default, setting.kind);
        println!("    {}", setting.about.trim());
        println!("    source: {}", setting.source);
    }
    Ok(ExitCode::SUCCESS)
}
