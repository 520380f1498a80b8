//! A test once more, as a processor without this one's vector instructions would run it.

use kernels::cpu::{Level, level};
use std::process::Command;

/// Runs the test of this name, which prints its `level`, in a process of its own for each slower level.
pub fn at_slower_levels(test: &str) {
    let here = std::env::current_exe().expect("this test's program");
    for name in ["portable", "avx2"] {
        let run = Command::new(&here)
            .args([test, "--nocapture"])
            .env("MELGRAD_LEVEL", name)
            .output()
            .expect("the test");
        let said = String::from_utf8_lossy(&run.stdout);
        let wrong = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{name}: {said}{wrong}");
        assert!(said.contains("1 passed"), "{name}: {said}");
        let best = match name {
            "portable" => Level::Portable,
            _ => Level::Avx2.min(level()),
        };
        assert!(said.contains(&format!("level {best:?}")), "{name}: {said}");
    }
}
