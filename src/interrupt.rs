//! Ctrl-C and SIGTERM. The first asks long work to stop where it can go on later and ends the program when the work takes
//! longer than [`PATIENCE`]; the second ends it at once.
//!
//! Files are written whole or not at all, so that the program may end at any moment.

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

/// What is said when the work did not stop in time.
static LAST_WORDS: Mutex<Option<Last>> = Mutex::new(None);

/// A flag that the first Ctrl-C (or a request to terminate) sets.
pub fn flag() -> &'static AtomicBool {
    // Only the first call installs the handler; where the system has none, Ctrl-C ends the program as always.
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

/// What a command says when it is told to stop and does not do so in time: how to go on with it, for example.
pub fn last_words(words: impl FnOnce() -> Failure + Send + 'static) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(words));
}

/// Ends the program on whatever thread this is. Nothing is unwound.
fn end(failure: Option<Failure>) -> ! {
    files::remove_temporary_files();
    if let Some(failure) = failure {
        exit::report(failure, String::new);
    }
    std::process::exit(i32::from(crate::failure::FAILED));
}
