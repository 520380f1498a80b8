//! docs/kernels.md is what `cargo run --example ladders` writes.
#![cfg(feature = "cli")]

#[path = "../examples/ladders.rs"]
mod ladders;

#[test]
fn the_page_of_ladders_is_up_to_date() {
    let there = std::fs::read_to_string(ladders::path()).unwrap();
    let wanted = ladders::page(&ladders::reports());
    let mut lines = there.lines().zip(wanted.lines());
    let differs = lines.find(|(there, wanted)| there != wanted);
    assert!(
        there == wanted,
        "docs/kernels.md differs, first in {differs:?}: `cargo run --example ladders` writes it anew"
    );
    assert!(wanted.matches("\n| `").count() > 60);
}
