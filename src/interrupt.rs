//! Handles Ctrl-C and SIGTERM. The first signal asks long work to stop where it can be resumed. If the work takes
//! longer than [`PATIENCE`], the program ends. The second signal ends it at once.
//!
//! Files are written atomically, so the program may end at any moment.

use crate::exit;
use crate::failure::Failure;
use crate::terminal;
use melgrad::models::base::files;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the work may take to stop.
const PATIENCE: Duration = Duration::from_millis(1500);

static STOP: AtomicBool = AtomicBool::new(false);

type Last = Box<dyn FnOnce() -> Failure + Send>;

/// Message for work that did not stop in time.
static LAST_WORDS: Mutex<Option<Last>> = Mutex::new(None);

/// Returns the flag that the first Ctrl-C (or SIGTERM) sets.
pub fn flag() -> &'static AtomicBool {
    // Only the first call installs the handler. If that fails, Ctrl-C ends the program at once, as by default.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            end(None);
        }
        terminal::note("stopping; once more to stop at once");
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            let mut words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
            end(Some(match words.take() {
                Some(failure) => failure(),
                None => Failure::new("stopped before the end"),
            }));
        });
    });
    &STOP
}

/// Sets the message for a command that does not stop in time: how to resume it, for example.
pub fn last_words(words: impl FnOnce() -> Failure + Send + 'static) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(words));
}

/// Ends the program from any thread, without unwinding.
fn end(failure: Option<Failure>) -> ! {
    files::remove_temporary_files();
    if let Some(failure) = failure {
        exit::report(failure, String::new);
    }
    std::process::exit(i32::from(crate::failure::FAILED));
}
