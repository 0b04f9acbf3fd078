//! How shaders are read and compiled: on a stack that is large enough, since naga recurses with their nesting, and with a
//! panic of naga or of the driver's compiler as an error.

use crate::error::{Error, Result};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Stack of a thread that reads or compiles.
const STACK: usize = 128 << 20;

thread_local! {
    /// Whether this thread has such a stack.
    static DEEP: Cell<bool> = const { Cell::new(false) };
    /// Whether a panic of this thread becomes an error, and is not to be printed.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Does the work on a thread with a large stack, this one if it has one. A panic becomes an error, without a word of its
/// own; `what` says what is being read or compiled.
///
/// # Errors
/// Those of `work`, [`Error::Shader`] where it panics, and [`Error::Gpu`] where the system gives no thread.
pub(crate) fn carefully<T: Send>(what: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    if DEEP.get() {
        return caught(what, work);
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            DEEP.set(true);
            caught(what, work)
        });
        let thread = thread.map_err(|error| Error::Gpu(format!("no thread to read {what} with: {error}")))?;
        // it has caught its own
        thread.join().unwrap_or_else(|payload| Err(panicked(what, &*payload)))
    })
}

fn caught<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !CAUGHT.get() {
                before(panic);
            }
        }));
    });
    let outer = CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(outer);
    done.unwrap_or_else(|payload| Err(panicked(what, &*payload)))
}

fn panicked(what: &str, payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("it does not say why");
    Error::Shader(format!(
        "error: the compiler of shaders gave up at {what} ({text}); that is a fault of it, not of the program: say \
         what it does in another way"
    ))
}

#[cfg(test)]
mod tests {
    use super::carefully;
    use crate::error::{Error, Result};

    #[test]
    fn a_panic_is_an_error_and_the_next_work_is_done() {
        let error = carefully("environment 'x'", || -> Result<()> { panic!("no expression {}", 7) });
        let text = error.expect_err("a panic").to_string();
        assert!(text.contains("environment 'x' (no expression 7)"), "{text}");
        let inner = || carefully("inner", || -> Result<u32> { panic!("deep") });
        let error = carefully("outer", inner).expect_err("a panic within");
        assert!(error.to_string().contains("inner (deep)"), "{error}");
        assert_eq!(carefully("work", || Ok(3)).expect("done"), 3);
        assert!(matches!(carefully("work", || Err::<(), _>(Error::Gpu(String::new()))), Err(Error::Gpu(_))));
    }

    #[test]
    fn a_small_thread_gets_a_large_stack() {
        fn deep(n: u32) -> u32 {
            let room = std::hint::black_box([n; 256]);
            if n == 0 { room[0] } else { deep(n - 1) + room[255] - n }
        }
        let work = || carefully("work", || Ok(deep(20_000))).expect("done");
        let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(work).expect("a thread");
        assert_eq!(thread.join().expect("no overflow"), 0);
    }
}
