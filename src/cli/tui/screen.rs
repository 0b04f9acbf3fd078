//! The terminal while a dashboard has it: a screen of its own, keys as they are pressed, no cursor. However a run ends, it is given
//! back as it was: at the end, where a signal or a second key ends the process, and before a panic is printed.

use crate::cli::say;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::{Frame, Terminal};
use std::io::{BufWriter, Stderr, Write, stderr};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

/// The dashboard goes to standard error, where the bar would be; standard output is for results.
type Screen = Terminal<CrosstermBackend<BufWriter<Stderr>>>;

/// The screen that is on, if one is.
static ON: Mutex<Option<Screen>> = Mutex::new(None);

fn on() -> MutexGuard<'static, Option<Screen>> {
    ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal.
///
/// # Errors
/// Where it is none.
pub fn take() -> std::io::Result<()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
    let mut on = on();
    enable_raw_mode()?;
    let entered = execute!(stderr(), EnterAlternateScreen)
        .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stderr()))));
    match entered {
        Ok(screen) => {
            say::hold();
            *on = Some(screen);
            Ok(())
        }
        Err(error) => {
            give_back();
            Err(error)
        }
    }
}

/// Draws, if it is still on.
///
/// # Errors
/// Where the terminal is gone.
pub fn draw(anew: bool, draw: impl FnOnce(&mut Frame)) -> std::io::Result<()> {
    let mut on = on();
    let Some(screen) = on.as_mut() else { return Ok(()) };
    if anew {
        // not `clear`, which asks the terminal where its cursor is, and waits for the answer
        screen.size().and_then(|size| screen.resize(size.into()))?;
    }
    screen.draw(draw).map(drop)
}

/// Gives the terminal back, if it was taken, and writes what was said meanwhile.
pub fn restore() {
    // a panic while it is drawn holds the lock: then the terminal is given back without
    let mut on = ON.try_lock();
    for _ in 0..20 {
        if on.is_ok() || matches!(on, Err(std::sync::TryLockError::Poisoned(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        on = ON.try_lock();
    }
    let was_on = match on {
        Ok(mut on) => on.take().is_some(),
        Err(std::sync::TryLockError::Poisoned(on)) => on.into_inner().take().is_some(),
        Err(std::sync::TryLockError::WouldBlock) => true,
    };
    if was_on {
        give_back();
        say::release();
    }
}

fn give_back() {
    let _ = execute!(stderr(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = stderr().flush();
}
