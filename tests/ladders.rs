//! docs/kernels.md lists the kernels and rungs that there are.
#![cfg(feature = "cli")]

#[path = "../examples/ladders.rs"]
mod ladders;

/// Headings of kernels and names of rungs, in their order.
fn list(page: &str) -> Vec<&str> {
    page.lines()
        .filter(|line| line.starts_with("### `") || line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1))
        .collect()
}

#[test]
fn the_page_of_ladders_is_up_to_date() {
    let there = std::fs::read_to_string(ladders::path()).unwrap_or_default();
    let wanted = ladders::page(&ladders::reports());
    let (there, wanted) = (list(&there), list(&wanted));
    let missing: Vec<_> = wanted.iter().filter(|name| !there.contains(name)).collect();
    let gone: Vec<_> = there.iter().filter(|name| !wanted.contains(name)).collect();
    assert!(
        there == wanted,
        "docs/kernels.md lacks {missing:?} and has {gone:?} that is gone: `cargo run --example ladders` writes it anew"
    );
    assert!(wanted.len() > 60);
}
