//! The confusion matrix as a picture that stands for itself: `confusion.svg`.

use std::fmt::Write as _;

use super::html::escape;
use crate::evaluation::metrics::Metrics;

/// Sides of a cell, and about the width of a letter, in pixels.
const CELL: usize = 44;
const LETTER: usize = 8;
/// Labels longer than this are cut.
const LONGEST: usize = 24;

const STYLE: &str = "svg{--ground:#fff;--ink:#1d2026;--soft:#646a76;--shade:#3465c9;--on:#fff}\
@media(prefers-color-scheme:dark){svg{--ground:#1c1f25;--ink:#e9eaee;--soft:#9aa1ad;--shade:#7ea6f7;--on:#10131a}}\
text{font:13px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}.on{fill:var(--on)}\
.ground{fill:var(--ground)}.cell{fill:var(--shade)}.right{fill:none;stroke:var(--shade);stroke-width:1.5}";

/// Rows are truths, columns answers; a cell's shade is its share of the row. A whole SVG file, light or dark as its
/// reader's system is.
#[must_use]
pub fn confusion_svg(metrics: &Metrics) -> String {
    let labels: Vec<String> = metrics
        .classes
        .iter()
        .map(|class| cut(&class.label))
        .collect();
    let longest = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    let margin = longest * LETTER + 36;
    let side = labels.len() * CELL;
    let (width, height) = (margin + side + 12, margin + side + 40);
    // Writing into a String cannot fail.
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>Confusion matrix</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"soft\" x=\"12\" y=\"22\">row: what it is; column: the answer</text>"
    );
    for (at, label) in labels.iter().enumerate() {
        let (label, middle) = (escape(label), margin + at * CELL + CELL / 2);
        let (x, y) = (margin - 8, middle + 5);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{label}</text>"
        );
        let _ = writeln!(
            svg,
            "<text transform=\"translate({y},{x}) rotate(-90)\">{label}</text>"
        );
    }
    for (truth, (class, row)) in metrics.classes.iter().zip(&metrics.confusion).enumerate() {
        for (answer, &clips) in row.iter().enumerate() {
            let (x, y) = (margin + answer * CELL, margin + truth * CELL);
            let share = clips as f64 / class.support.max(1) as f64;
            if clips > 0 {
                let _ = writeln!(
                    svg,
                    "<rect class=\"cell\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" opacity=\"{share:.3}\"/>"
                );
            }
            let ink = match clips {
                0 => " class=\"soft\"",
                _ if share > 0.55 => " class=\"on\"",
                _ => "",
            };
            let (x, y) = (x + CELL / 2, y + CELL / 2 + 5);
            let _ = writeln!(
                svg,
                "<text{ink} x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{clips}</text>"
            );
        }
        let (at, inner) = (margin + truth * CELL + 1, CELL - 2);
        let _ = writeln!(
            svg,
            "<rect class=\"right\" x=\"{at}\" y=\"{at}\" width=\"{inner}\" height=\"{inner}\"/>"
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"soft\" x=\"12\" y=\"{}\">accuracy {:.3} on {} clips</text>\n</svg>",
        height - 12,
        metrics.accuracy,
        metrics.total()
    );
    svg
}

fn cut(label: &str) -> String {
    match label.chars().count() > LONGEST {
        true => label.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => label.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_there_and_labels_are_no_markup() {
        let labels: Vec<String> = ["a", "<b>&", "a label of many many letters"]
            .map(String::from)
            .to_vec();
        let metrics = Metrics::from_answers(&labels, [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0)]);
        let svg = confusion_svg(&metrics);
        assert_eq!(svg.matches("text-anchor=\"middle\"").count(), 9);
        assert_eq!(svg.matches("class=\"cell\"").count(), 4);
        assert!(svg.contains("opacity=\"0.667\"") && svg.contains("opacity=\"0.333\""));
        assert!(svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>"));
        assert!(
            svg.contains("a label of many many le…<") && svg.contains("accuracy 0.600 on 5 clips")
        );
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        let none = confusion_svg(&Metrics::from_answers(&[], []));
        assert!(none.ends_with("</svg>\n") && !none.contains("NaN"));
    }
}
