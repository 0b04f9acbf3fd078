//! Help: commands by what they are for, completions of shells, manual pages, and usage that is wrong in one line.

use super::say::{print, say};
use crate::cli::ExitCode;
use crate::config::Config;
use crate::{Error, Result, file};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use std::path::{Path, PathBuf};

/// Commands by what they are for, in the order in which a newcomer meets them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Train", &["train", "sweep", "settings", "plan"]),
    ("Look at runs", &["eval", "trace", "render", "plot", "export"]),
    ("Environments", &["envs", "new-env", "check-env"]),
    ("Measure", &["bench", "doctor"]),
    ("And", &["gradient", "reproduce", "completions", "man", "help"]),
];

const EXAMPLES: &str = "Examples:
  manyworlds train CartPole-v1 --until-solved         solved in seconds; the run directory is named first
  manyworlds train Pendulum-v1 --algo sac --seeds 1..5
  manyworlds plot runs/*                              their curves side by side
  manyworlds new-env mine                             an environment of your own, in one file";

/// The command line with its commands in groups.
pub fn command() -> Command {
    let command = super::Arguments::command();
    let width = command.get_subcommands().map(|of| of.get_name().len()).max().unwrap_or(0).max("completions".len());
    let mut text = String::new();
    for (title, names) in GROUPS {
        text += &format!("{title}:\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(|of| of.get_about()).map(ToString::to_string);
            let about = about.unwrap_or_else(|| "Print this message or the help of a command".to_owned());
            text += &format!("  {name:width$}  {about}\n");
        }
        text.push('\n');
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}Options:\n{{options}}\n\n{EXAMPLES}\n\n{{after-help}}"
    ))
}

/// Which shell.
#[derive(clap::Args)]
pub struct Completions {
    /// The shell: `manyworlds completions bash > ~/.local/share/bash-completion/completions/manyworlds`
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(self) -> Result<ExitCode> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::Arguments::command(), "manyworlds", &mut text);
        print(format_args!("{}", String::from_utf8_lossy(&text).trim_end()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Where manual pages go.
#[derive(clap::Args)]
pub struct Man {
    /// Folder for the pages of all commands, such as ~/.local/share/man/man1 [default: the main page, on standard output]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<ExitCode> {
        let mut command = super::Arguments::command();
        command.build();
        let Some(folder) = self.out else {
            print(format_args!("{}", page(command, Path::new("standard output"))?.trim_end()))?;
            return Ok(ExitCode::SUCCESS);
        };
        std::fs::create_dir_all(&folder).map_err(|error| Error::file("create", &folder, &error))?;
        let own = command.get_subcommands().filter(|of| !of.is_hide_set() && of.get_name() != "help").cloned();
        let named = own.map(|of| (format!("manyworlds-{}.1", of.get_name()), of.clone().name(leaked(&of))));
        let all: Vec<(String, Command)> = named.chain([("manyworlds.1".to_owned(), command.clone())]).collect();
        let mut pages = Vec::new();
        for (name, command) in all {
            let path = folder.join(name);
            pages.push((page(command, &path)?, path));
        }
        let files: Vec<(&Path, &[u8])> = pages.iter().map(|(text, path)| (path.as_path(), text.as_bytes())).collect();
        file::replace_all(&files)?;
        say(format_args!("wrote {} manual pages into {}", files.len(), folder.display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// What a command is called on its own page: clap keeps names for as long as the program runs.
fn leaked(command: &Command) -> &'static str {
    Box::leak(format!("manyworlds-{}", command.get_name()).into_boxed_str())
}

fn page(command: Command, path: &Path) -> Result<String> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).map_err(|error| Error::file("write", path, &error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What is wrong with arguments, in one line.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut parts = Vec::new();
    let mut command = "manyworlds".to_owned();
    for paragraph in text.split("\n\n") {
        let line = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        if let Some(usage) = line.strip_prefix("Usage: ") {
            let words = usage.split(' ').take_while(|word| word.chars().all(|c| c.is_alphanumeric() || c == '-'));
            command = words.take_while(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ");
        } else if !line.starts_with("For more information") && !line.is_empty() {
            parts.push(line);
        }
    }
    if let Some(name) = setting(error).filter(|_| ["train", "sweep", "plan"].iter().any(|of| command.ends_with(of))) {
        parts.retain(|part| !part.starts_with("tip:"));
        parts.push(format!("settings are given as --set {name}=VALUE"));
    }
    format!("{}; see `{command} --help`", parts.join("; "))
}

/// The setting that somebody meant by an argument that there is none of.
fn setting(error: &clap::Error) -> Option<&'static str> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = argument.strip_prefix("--")?.split('=').next()?.replace('-', "_");
    let usual = [
        ("lr", "learning_rate"),
        ("total_steps", "total_timesteps"),
        ("steps", "total_timesteps"),
        ("n_envs", "num_envs"),
    ];
    let name = usual.iter().find(|(short, _)| *short == name).map_or(name.as_str(), |(_, long)| long);
    Config::SETTINGS.iter().find(|of| of.name == name).map(|of| of.name)
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, command, one_line};
    use crate::config::Config;
    use crate::env::Environment;
    use clap::FromArgMatches;

    #[test]
    fn every_command_is_in_a_group() {
        let command = command();
        let told: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for of in command.get_subcommands().filter(|of| !of.is_hide_set()) {
            assert_eq!(told.iter().filter(|name| **name == of.get_name()).count(), 1, "{}", of.get_name());
        }
        for name in told {
            assert!(name == "help" || command.find_subcommand(name).is_some(), "there is no command {name}");
        }
        command.debug_assert();
    }

    /// Commands on the pages that a reader would type, one a line, comments left out.
    fn written() -> Vec<(String, Vec<String>)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let pages = ["docs", "docs/algorithms"].iter().flat_map(|folder| {
            std::fs::read_dir(root.join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path())
        });
        let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
        let mut all = Vec::new();
        for path in pages.chain([root.join("README.md")]) {
            let text = std::fs::read_to_string(&path).expect("a page").replace("\\\n", " ");
            let mut shell = false;
            for line in text.lines() {
                if let Some(language) = line.strip_prefix("```") {
                    shell = !shell && language == "sh";
                } else if let Some(command) = line.strip_prefix("manyworlds ").filter(|_| shell) {
                    let command =
                        command.split(" #").next().unwrap_or_default().split(" > ").next().unwrap_or_default();
                    let words = command.split_whitespace().map(|word| word.replace('\'', "")).collect();
                    all.push((path.display().to_string(), words));
                }
            }
        }
        all
    }

    #[test]
    fn every_command_on_the_pages_is_one() {
        let all = written();
        assert!(all.len() > 40, "{}", all.len());
        for (page, words) in all {
            let shown = words.join(" ");
            let arguments = ["manyworlds".to_owned()].into_iter().chain(words);
            let matches = match command().try_get_matches_from(arguments) {
                Ok(matches) => matches,
                Err(error) => panic!("{page}: `{shown}`: {}", one_line(&error)),
            };
            let parsed = super::super::Arguments::from_arg_matches(&matches);
            let parsed = parsed.unwrap_or_else(|error| panic!("{page}: `{shown}`: {error}"));
            // names of settings and of environments that are built in
            if let super::super::Command::Train(train) = parsed.command
                && let Some(env) = train.choice.env.as_deref().filter(|env| !Environment::is_file_name(env))
            {
                let algo = train.choice.algo.as_deref().unwrap_or("ppo");
                let config = Config::resolve(env, algo, None, &train.choice.set);
                config.unwrap_or_else(|error| panic!("{page}: `{shown}`: {error}"));
                let mut env = Environment::load(env).unwrap_or_else(|error| panic!("{page}: `{shown}`: {error}"));
                for pair in &train.choice.set_env {
                    let (name, value) = pair.split_once('=').expect("a pair");
                    let set = env.set(name, value.parse().expect("a number"));
                    set.unwrap_or_else(|error| panic!("{page}: `{shown}`: {error}"));
                }
            }
        }
    }

    #[test]
    fn wrong_usage_is_one_line() {
        for (arguments, line) in [
            (
                "train X --lr 0.1",
                "error: unexpected argument '--lr' found; settings are given as --set learning_rate=VALUE; see `manyworlds train --help`",
            ),
            (
                "swep",
                "error: unrecognized subcommand 'swep'; tip: a similar subcommand exists: 'sweep'; see `manyworlds --help`",
            ),
            (
                "export",
                "error: the following required arguments were not provided: <--format <FORMAT>|--metrics <FORMAT>|--evaluations <FORMAT>> <RUN>; see `manyworlds export --help`",
            ),
            (
                "bench --seconds x",
                "error: invalid value 'x' for '--seconds <SECONDS>': invalid float literal; see `manyworlds --help`",
            ),
        ] {
            let error =
                command().try_get_matches_from(format!("manyworlds {arguments}").split(' ')).expect_err(arguments);
            assert_eq!(one_line(&error), line);
        }
    }
}
