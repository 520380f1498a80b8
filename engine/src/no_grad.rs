//! Whether operations are recorded, on this thread.

use std::cell::Cell;

thread_local! {
    static OFF: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn is_off() -> bool {
    OFF.get()
}

/// Runs `f` without recording a history (on this thread): no memory is kept for a way back.
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            OFF.set(self.0);
        }
    }
    let _restore = Restore(OFF.replace(true));
    f()
}
