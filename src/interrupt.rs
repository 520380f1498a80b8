//! Ctrl-C: the first asks long work to stop where it can go on later, the second ends at once.

use crate::terminal;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// A flag that the first Ctrl-C (or a request to terminate) sets.
pub fn flag() -> &'static AtomicBool {
    // Only the first call installs the handler; where the system has none, Ctrl-C ends the program as always.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(crate::failure::FAILED));
        }
        terminal::note("stopping; once more to stop at once");
    });
    &STOP
}
