//! docs/kernels.md is what `cargo run --example ladders` writes.
#![cfg(feature = "cli")]

#[path = "../examples/ladders.rs"]
mod ladders;

use melgrad::kernels::catalogue::CATALOGUE;

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

/// A row must tell what the rung does as a whole, and a header from the second rung on what that bought, or that nobody knows.
#[test]
fn every_rung_says_what_it_does_and_what_it_bought() {
    for (_, cases, _) in CATALOGUE {
        for case in cases() {
            for (number, rung) in (1..).zip(case.kernel.rungs()) {
                let does = ladders::does(rung);
                let name = rung.name;
                assert!(does.len() > 20, "{name}: {does}");
                assert_eq!(
                    does.matches('(').count(),
                    does.matches(')').count(),
                    "{name}: {does}"
                );
                let one_stage = does.contains("STAGE 0") != does.contains("STAGE 1");
                assert!(!one_stage, "{name} tells one stage of two: {does}");
                let header = rung
                    .source
                    .split("\n\n")
                    .next()
                    .unwrap()
                    .replace("\n//", "");
                let bought = ["measured", "bought", "costs"]
                    .iter()
                    .any(|word| header.contains(word));
                assert!(
                    number == 1 || bought,
                    "{name}: neither what it bought nor that it is not measured"
                );
            }
        }
    }
}
