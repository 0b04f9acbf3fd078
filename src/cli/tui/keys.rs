//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Wait, or go on.
    Pause,
    /// Write a checkpoint.
    Save,
    /// Save and end; the second time at once.
    Stop,
    /// Show what keys do, or not any more.
    Help,
    /// Draw everything anew, over what another program has written.
    Redraw,
    /// Leave the help, or stop where there is none.
    Escape,
}

/// What a key asks for, if anything.
pub fn command(key: KeyEvent) -> Option<Command> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => Some(Command::Stop),
        KeyCode::Char('l') if control => Some(Command::Redraw),
        _ if control || key.modifiers.contains(KeyModifiers::ALT) => None,
        KeyCode::Char('p' | 'P' | ' ') => Some(Command::Pause),
        KeyCode::Char('s' | 'S') => Some(Command::Save),
        KeyCode::Char('q' | 'Q') => Some(Command::Stop),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Some(Command::Help),
        KeyCode::Esc => Some(Command::Escape),
        _ => None,
    }
}

/// What a person has asked for so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // any of them with any other
pub struct Controls {
    /// The run is to wait.
    pub paused: bool,
    /// Help is shown.
    pub help: bool,
    /// A checkpoint is wanted.
    pub save: bool,
    /// The run is to end.
    pub stopping: bool,
}

impl Controls {
    /// Takes a command; whether it is to end the run, as a signal would.
    pub fn take(&mut self, command: Command) -> bool {
        match command {
            Command::Pause => self.paused = !self.paused && !self.stopping,
            Command::Save => self.save = true,
            Command::Help => self.help = !self.help,
            Command::Escape if self.help => self.help = false,
            Command::Stop | Command::Escape => {
                // what waits cannot save
                (self.stopping, self.paused) = (true, false);
                return true;
            }
            Command::Redraw => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Controls, command};
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

    fn press(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn keys_are_commands() {
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        for (key, wanted) in [
            (press(KeyCode::Char('p')), Some(Command::Pause)),
            (press(KeyCode::Char(' ')), Some(Command::Pause)),
            (press(KeyCode::Char('s')), Some(Command::Save)),
            (press(KeyCode::Char('q')), Some(Command::Stop)),
            (press(KeyCode::Esc), Some(Command::Escape)),
            (press(KeyCode::Char('?')), Some(Command::Help)),
            (control('c'), Some(Command::Stop)),
            (control('l'), Some(Command::Redraw)),
            (control('s'), None),
            (press(KeyCode::Char('x')), None),
            (press(KeyCode::Enter), None),
        ] {
            assert_eq!(command(key), wanted, "{key:?}");
        }
        // some systems tell of a key twice
        let released = KeyEvent { kind: KeyEventKind::Release, ..press(KeyCode::Char('q')) };
        assert_eq!(command(released), None);
    }

    #[test]
    fn a_run_pauses_goes_on_and_ends() {
        let mut controls = Controls::default();
        assert!(!controls.take(Command::Pause) && controls.paused);
        assert!(!controls.take(Command::Save) && controls.save && controls.paused);
        assert!(!controls.take(Command::Pause) && !controls.paused);
        // escape leaves the help first
        assert!(!controls.take(Command::Help) && controls.help);
        assert!(!controls.take(Command::Escape) && !controls.help && !controls.stopping);
        // a run that waits goes on to be saved, and cannot be paused again
        controls.take(Command::Pause);
        assert!(controls.take(Command::Escape) && controls.stopping && !controls.paused);
        assert!(!controls.take(Command::Pause) && !controls.paused);
        assert!(controls.take(Command::Stop));
    }
}
