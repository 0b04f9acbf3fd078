//! `train --tui` in a terminal of its own: keys, results, and what is left of the terminal afterwards.

#![cfg(target_os = "linux")]
// a test may panic
#![allow(clippy::unwrap_used)]

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything here may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(2);
/// What terminals take for "a screen of its own", and for "back to what was there".
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// A terminal, and all that was written to it.
struct Terminal {
    keys: File,
    /// The end that programs have.
    user: File,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let user = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name).unwrap();
        tcsetwinsize(&user, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let keys = File::from(controller);
        let (mut reader, written) = (keys.try_clone().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let own = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                own.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { keys, user, written }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// A run of so many updates in it.
    fn train(&self, out: &Path, updates: u32) -> Child {
        let user = || Stdio::from(self.user.try_clone().unwrap());
        let mut command = train(out, updates);
        command.arg("--tui").env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command.stdin(user()).stderr(user()).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn wait_for(&mut self, child: &mut Child, what: &str, there: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !there(self) {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "no {what} before the end ({ended:?}):\n{:?}", self.text());
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("no {what}:\n{:?}", self.text());
            }
            std::thread::sleep(Duration::from_millis(100));
            // Ctrl-L: everything is written anew, not just what is new of it
            self.keys.write_all(b"\x0c").unwrap();
        }
    }

    /// A word: between words a terminal is told where to go on, and not always of blanks.
    fn wait_shown(&mut self, child: &mut Child, shown: &str) {
        self.wait_for(child, shown, |terminal| terminal.text().contains(shown));
    }

    fn press(&mut self, child: &mut Child, keys: &str, shown: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.wait_shown(child, shown);
    }

    /// What was written after the dashboard was gone. The terminal must be as it was.
    fn afterwards(&self) -> String {
        let modes = tcgetattr(&self.user).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        // what was written last may be on its way
        let begun = Instant::now();
        while !self.text().contains(LEAVE) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100));
        let text = self.text();
        let (dashboard, after) = text.split_once(LEAVE).expect("the screen is left");
        assert_eq!((dashboard.matches(ENTER).count(), after.matches(ENTER).count()), (1, 0), "{text:?}");
        after.to_owned()
    }
}

/// `train TwoAction` with so many updates into `out`; nothing saves before the end.
fn train(out: &Path, updates: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
    command.args(["train", "TwoAction", "--json", "--out", out.to_str().unwrap()]);
    let total = format!("total_timesteps={}", updates * 64 * 8);
    let small = ["num_envs=64", "num_steps=8", "hidden=[8]", "eval_episodes=16", "eval_every=0", "checkpoint_every=0"];
    command.args(small.into_iter().chain([total.as_str()]).flat_map(|pair| ["--set", pair]));
    command
}

fn hash(output: &Output) -> String {
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    summary["params_hash"].as_str().unwrap().to_owned()
}

#[test]
fn a_dashboard_pauses_saves_and_helps_and_changes_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let plain = train(&folder.path().join("plain"), 10).output().unwrap();
    assert_eq!(plain.status.code(), Some(0), "{}", String::from_utf8_lossy(&plain.stderr));
    let out = folder.path().join("shown");
    let mut terminal = Terminal::new();
    let mut child = terminal.train(&out, 10);
    terminal.wait_shown(&mut child, "measures");
    // it waits before its first update, however soon it is ready
    terminal.press(&mut child, "p", "PAUSED");
    terminal.press(&mut child, "?", "Ctrl-L");
    terminal.wait_shown(&mut child, "first");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default(), "", "a run that is paused goes on");
    terminal.press(&mut child, "s", "soon");
    terminal.keys.write_all(b" ").unwrap();
    let output = child.wait_with_output().unwrap();
    let after = terminal.afterwards();
    assert_eq!(output.status.code(), Some(0), "{after}");
    assert_eq!(hash(&output), hash(&plain), "params_hash with a dashboard and without");
    assert!(after.contains("TwoAction") && after.contains("play it with: manyworlds eval"), "{after}");
    let mut saved: Vec<String> = fs::read_dir(out.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_start_matches('0').to_owned())
        .collect();
    saved.sort();
    assert_eq!(saved, ["1", "10"], "one checkpoint was asked for, behind the first update");
}

#[test]
fn q_saves_and_ends_as_a_signal_does() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut terminal = Terminal::new();
    let mut child = terminal.train(&out, 100_000);
    let lines = out.join("metrics.jsonl");
    terminal.wait_for(&mut child, "line of metrics", |_| fs::metadata(&lines).is_ok_and(|file| file.len() > 0));
    terminal.press(&mut child, "q", "STOPPING");
    let output = child.wait_with_output().unwrap();
    let after = terminal.afterwards();
    assert_eq!(output.status.code(), Some(130), "{after}");
    for words in ["finishing the update and saving", "interrupted at step", "resume with: manyworlds train --resume"] {
        assert!(after.contains(words), "'{words}' is missing: {after:?}");
    }
    assert!(out.join("checkpoint.safetensors").exists() || out.join("checkpoints").exists());
}

#[test]
fn without_a_terminal_there_is_no_dashboard() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = train(&out, 10).arg("--tui").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), err.lines().count()), (Some(2), 1), "{err}");
    assert!(err.starts_with("error: setting 'tui': ") && err.contains("leave --tui out") && !out.exists(), "{err}");
}
