//! The tour of docs/learn.md comes to its end.

#[path = "../examples/tour.rs"]
#[allow(dead_code)] // Its `main` is not called here.
mod tour;

#[test]
fn the_tour_comes_to_its_end() {
    tour::tour(&[]).expect("the tour");
}
