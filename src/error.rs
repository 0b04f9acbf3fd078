//! What can go wrong, as data: every variant names the thing, the value and the remedy.

mod near;

pub use near::{did_you_mean, nearest};

use std::fmt::{Display, Write};
use std::path::PathBuf;

/// Result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong. Bad input never panics.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine shows no adapter at all.
    #[error("no GPU adapter was found: {hint}")]
    NoAdapter {
        /// What to install or to pass, for this machine.
        hint: String,
    },
    /// `--adapter` names none of the adapters present.
    #[error("no adapter matches '{}'; present: {present}", shown(wanted))]
    AdapterNotFound {
        /// What was asked for.
        wanted: String,
        /// Index and name of each adapter, separated by commas.
        present: String,
    },
    /// The driver refused to make a device.
    #[error("adapter '{adapter}' gave no device: {reason}; try another one with --adapter (see `manyworlds doctor`)")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Times of single kernels were asked of an adapter that cannot take them.
    #[error(
        "adapter '{adapter}' has no timestamps (TIMESTAMP_QUERY), which times of single kernels are taken by; `bench` without \
         --kernels measures whole updates and needs none, or choose another adapter with --adapter"
    )]
    NoTimestamps {
        /// The adapter's name.
        adapter: String,
    },
    /// The device went away while it was in use; nothing more can be read from it.
    #[error(
        "the GPU was lost ({reason}); results since the last checkpoint are gone: run again, with fewer worlds if it happens again"
    )]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// The device's memory is exhausted.
    #[error(
        "out of GPU memory while making '{buffer}' of {bytes} bytes; use fewer worlds (num_envs) or steps (num_steps)"
    )]
    OutOfMemory {
        /// Name of the buffer that did not fit.
        buffer: String,
        /// Its size.
        bytes: u64,
    },
    /// A size that this adapter can never hold; found before anything is allocated.
    #[error("'{buffer}' needs {arithmetic} = {bytes} bytes, the adapter binds at most {limit}; reduce {remedy}")]
    TooLarge {
        /// Name of the buffer.
        buffer: String,
        /// How the size comes about, such as `agents 1 × rows 7 × steps 32 × worlds 4096 × 4`.
        arithmetic: String,
        /// The size in bytes.
        bytes: u64,
        /// The adapter's limit in bytes.
        limit: u64,
        /// The setting to reduce.
        remedy: String,
    },
    /// A loop that this software adapter would cut short without notice.
    #[error(
        "kernel '{kernel}' would run {iterations} loop iterations in one invocation, and this software adapter stops at {limit}; reduce {remedy}"
    )]
    LoopBudget {
        /// Name of the kernel.
        kernel: String,
        /// Iterations of all loops of one invocation.
        iterations: u64,
        /// The adapter's limit.
        limit: u64,
        /// The setting to reduce.
        remedy: String,
    },
    /// wgpu reported an error that no caller was waiting for: a bug of ours.
    #[error("internal GPU error, please report it: {}", shown_lines(.0))]
    Gpu(String),
    /// A shader does not link, parse or validate.
    #[error("{}", shown_lines(.0))]
    Shader(String),
    /// An environment that does not exist, or breaks the contract.
    #[error("environment '{}': {}", shown(name), shown(reason))]
    Environment {
        /// Name or path of the environment.
        name: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// An observation that a policy cannot act on.
    #[error("observation of {env}: {reason}")]
    Observation {
        /// The environment that the policy is for.
        env: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A mask that leaves a policy nothing to do, or is of other actions.
    #[error("mask of {env}: {reason}")]
    Mask {
        /// The environment that the policy is for.
        env: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// Actions that an environment does not take.
    #[error("{got} given where {expected} numbers of {space} are expected, [component][world]")]
    Actions {
        /// What was given: a count and a type, or a value.
        got: String,
        /// How many numbers are expected.
        expected: usize,
        /// The environment's actions.
        space: String,
    },
    /// A mistake in an environment's file, with its place.
    #[error("{}", shown_lines(.0))]
    EnvironmentFile(String),
    /// Something that is learned from, or that learns, is not finite, or so large that its square is not.
    #[error(
        "training stopped at update {update} (seed {seed}): {tensor} is {}{}; {remedy}",
        value_of(*value),
        place(*world, *step)
    )]
    NotFinite {
        /// What it is, such as `the reward` or `actor.0.weight`.
        tensor: String,
        /// Its value, where it is known.
        value: Option<f32>,
        /// The world, if it is an environment's.
        world: Option<u32>,
        /// Step of that world, from 0.
        step: Option<u32>,
        /// The update, from 0.
        update: u32,
        /// The agent's seed.
        seed: u32,
        /// What helps.
        remedy: String,
    },
    /// An episode of an evaluation gave numbers that are not finite.
    #[error(
        "evaluation after {updates} updates (seed {seed}): {tensor} of episode {episode} is not finite; look for where it comes \
         from with `{check}`"
    )]
    EpisodeNotFinite {
        /// `the return`, `a reward`, or a number of an observation.
        tensor: String,
        /// The episode, from 0.
        episode: u32,
        /// Seed of the evaluation.
        seed: u32,
        /// Updates that made the policy.
        updates: u32,
        /// The command that shows where such numbers come from.
        check: String,
    },
    /// A loop of an environment was cut short: what the environment gives means nothing from then on.
    #[error(
        "environment '{}': its loops do not end: that of {}, line {line}, was left after {turns} turns; all loops of a step, a \
         reset, a mask or a look have that many together",
        shown(env),
        shown(function)
    )]
    LoopCut {
        /// The environment.
        env: String,
        /// The function in which the loop stands.
        function: String,
        /// The line of the loop's keyword, from 1.
        line: u32,
        /// Turns that were allowed.
        turns: u32,
    },
    /// A setting that does not exist, or has a value that it cannot have.
    #[error("setting '{}': {}", shown(name), shown(reason))]
    Setting {
        /// The setting's name.
        name: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} '{}': {}", shown(path.display()), shown(reason))]
    File {
        /// `read`, `write`, `create` or `resume`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Another process of a run over several ranks that is not there any more, or does something else.
    #[error("{}: {}", shown(rank), shown(reason))]
    Rank {
        /// Which one, and its host.
        rank: String,
        /// What happened, and what helps.
        reason: String,
        /// The exit code that it stands for: 5 where a rank is lost, that of its error where it has said one.
        code: u8,
    },
    /// A checkpoint that cannot be used.
    #[error("checkpoint '{}': {}", shown(path.display()), shown(reason))]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        reason: String,
    },
}

impl Error {
    /// The exit code of the command line (`docs/exit_codes.md`):
    ///
    /// | code | meaning | errors |
    /// |---|---|---|
    /// | 0 | done | none |
    /// | 1 | failure at run time | [`Error::Device`], [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::NotFinite`], [`Error::EpisodeNotFinite`], [`Error::File`] where it is written, and bugs of ours: [`Error::Gpu`], [`Error::Shader`] |
    /// | 2 | bad usage, configuration, environment, adapter or input file | all others |
    /// | 3 | no adapter at all | [`Error::NoAdapter`] |
    /// | 5 | a process of a run over several has died | [`Error::Rank`], unless it stands for an error of another process |
    ///
    /// The command line has 129, 130 and 143 beside these, where a signal ended a training run.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoAdapter { .. } => 3,
            Self::Rank { code, .. } => *code,
            // a disk that is full hours into a run
            Self::File { action, .. } => 2 - u8::from(*action == "write"),
            Self::AdapterNotFound { .. }
            | Self::NoTimestamps { .. }
            | Self::TooLarge { .. }
            | Self::LoopBudget { .. }
            | Self::Environment { .. }
            | Self::EnvironmentFile(_)
            | Self::LoopCut { .. }
            | Self::Actions { .. }
            | Self::Observation { .. }
            | Self::Mask { .. }
            | Self::Setting { .. }
            | Self::Checkpoint { .. } => 2,
            Self::NotFinite { .. }
            | Self::EpisodeNotFinite { .. }
            | Self::Device { .. }
            | Self::DeviceLost { .. }
            | Self::OutOfMemory { .. }
            | Self::Gpu(_)
            | Self::Shader(_) => 1,
        }
    }

    /// A file that could not be read or written, from what the system said.
    pub fn file(action: &'static str, path: impl Into<PathBuf>, source: &std::io::Error) -> Self {
        Self::File { action, path: path.into(), reason: source.to_string() }
    }

    /// A setting with a value that it cannot have.
    pub(crate) fn setting(name: &str, reason: impl Into<String>) -> Self {
        Self::Setting { name: name.into(), reason: reason.into() }
    }
}

/// A value that is not finite, or what is known of it.
fn value_of(value: Option<f32>) -> String {
    value.map_or_else(|| "not finite".to_owned(), |value| format!("{value:e}"))
}

/// World and step, where there are any.
fn place(world: Option<u32>, step: Option<u32>) -> String {
    let of = |name: &str, number: Option<u32>| number.map(|number| format!("{name} {number}"));
    let parts: Vec<String> = [of("world", world), of("step", step)].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" in {}", parts.join(", ")) }
}

/// Text from elsewhere (a path, a name, a line of a file) as one line that may be printed: control characters, escape
/// sequences of terminals and marks that turn or hide text are shown as Rust writes them (`\u{1b}`), all else stays.
pub fn shown(text: impl Display) -> String {
    escaped(&text.to_string(), false)
}

/// The same for text of several lines.
fn shown_lines(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut around = String::new();
    for c in text.chars() {
        let hidden = match c {
            '\n' => !lines,
            _ if c.is_ascii() => c.is_ascii_control(),
            // whether Rust's own notation for debugging shows it; behind a letter, since it never begins with an accent
            _ => {
                around.clear();
                around.extend(['a', c]);
                around.escape_debug().nth(1) == Some('\\')
            }
        };
        if hidden {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Error, shown};

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        // accents of both kinds, other scripts, symbols, quotes and backslashes are ordinary
        for plain in ["a b", "é", "e\u{301}", "環境.wgsl", "λ∂²", "it's \"x\"", r"C:\runs\1"] {
            assert_eq!(shown(plain), plain);
        }
        assert_eq!(shown("a\u{1b}[31mb\nc\r\t\u{7f}\u{9b}"), "a\\u{1b}[31mb\\nc\\r\\t\\u{7f}\\u{9b}");
        // text from right to left, and of no width
        assert_eq!(shown("a\u{202e}b\u{200b}\u{2028}\u{feff}"), "a\\u{202e}b\\u{200b}\\u{2028}\\u{feff}");
    }

    #[test]
    fn errors_are_printed_on_lines_of_their_own() {
        let bad = "x\nerror: \u{1b}[2J".to_owned();
        let path = std::path::PathBuf::from(&bad);
        for error in [
            Error::Environment { name: bad.clone(), reason: bad.clone() },
            Error::Setting { name: bad.clone(), reason: bad.clone() },
            Error::File { action: "read", path: path.clone(), reason: bad.clone() },
            Error::Checkpoint { path, reason: bad.clone() },
            Error::AdapterNotFound { wanted: bad.clone(), present: String::new() },
        ] {
            let text = error.to_string();
            assert!(text.contains(r"x\nerror: \u{1b}[2J") && !text.contains(char::is_control), "{text:?}");
        }
        for error in [Error::Shader(bad.clone()), Error::EnvironmentFile(bad.clone()), Error::Gpu(bad.clone())] {
            let text = error.to_string();
            assert!(text.contains("x\nerror: \\u{1b}[2J") && !text.contains('\u{1b}'), "{text:?}");
        }
    }
}
