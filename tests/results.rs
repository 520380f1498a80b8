//! docs/results.md tells of every recipe, with the figures of docs/results.
#![cfg(feature = "cli")]

#[path = "../examples/results.rs"]
mod results;

#[test]
fn the_page_of_results_is_up_to_date() {
    let page = std::fs::read_to_string(results::path()).unwrap();
    let (_, there, _) = results::parts(&page).expect("the page has its marks");
    let wanted = results::experiments(&results::results().unwrap()).unwrap();
    assert!(
        wanted
            .lines()
            .filter(|line| line.starts_with("| `"))
            .count()
            > 20
    );
    let differs = there
        .lines()
        .zip(wanted.lines())
        .find(|(there, wanted)| there != wanted);
    assert!(
        there == wanted,
        "docs/results.md differs, first in {differs:?}: `cargo run --example results` writes it anew"
    );
}
