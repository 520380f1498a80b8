//! Metrics as text for a terminal.

use std::fmt::{self, Display, Formatter, Write};

use crate::base::columns::printable;
use crate::evaluation::metrics::{Metrics, Scores};

/// Maximum length of a label at the head of a row; longer ones are cut.
const WIDEST: usize = 24;
/// Maximum length of a label at the head of a column of the confusion matrix; longer ones are cut.
const HEAD: usize = 5;

impl Display for Metrics {
    /// Formats a row per class, means, accuracy and confusion matrix. Ends with a newline.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.label_width().max("weighted".len());
        writeln!(f, "{:width$}  precision  recall     F1  support", "label")?;
        let mut row = |label: &str, scores: &Scores, support: u64| {
            let Scores {
                precision,
                recall,
                f1,
            } = scores;
            let label = cut(label, WIDEST);
            writeln!(
                f,
                "{label:width$}  {precision:>9.3}  {recall:>6.3}  {f1:>5.3}  {support:>7}"
            )
        };
        for class in &self.classes {
            row(&class.label, &class.scores, class.support)?;
        }
        row("macro", &self.macro_mean, self.total())?;
        row("weighted", &self.weighted, self.total())?;
        writeln!(f, "\n{}", self.confusion_text())
    }
}

impl Metrics {
    /// Formats the confusion matrix with the accuracy below it, without a newline at the end.
    #[must_use]
    pub fn confusion_text(&self) -> String {
        let most = self.confusion.iter().flatten().max().copied().unwrap_or(0);
        let labels = || self.classes.iter().map(|class| class.label.as_str());
        let head = labels()
            .map(|label| label.chars().count().min(HEAD))
            .max()
            .unwrap_or(0);
        let cell = head.max(most.to_string().len());
        let width = self.label_width().max("truth".len());
        let mut text = format!("{:width$}  answer\n{:width$}", "", "truth");
        for label in labels() {
            let _ = write!(text, " {:>cell$}", cut(label, HEAD));
        }
        for (label, row) in labels().zip(&self.confusion) {
            let _ = write!(text, "\n{:width$}", cut(label, WIDEST));
            for &clips in row {
                let _ = match clips {
                    0 => write!(text, " {:>cell$}", "·"),
                    clips => write!(text, " {clips:>cell$}"),
                };
            }
        }
        let right: u64 = self
            .confusion
            .iter()
            .enumerate()
            .filter_map(|(class, row)| row.get(class))
            .sum();
        let _ = write!(
            text,
            "\n\naccuracy {:.3} ({right} of {} clips)",
            self.accuracy,
            self.total()
        );
        text
    }

    fn label_width(&self) -> usize {
        self.classes
            .iter()
            .map(|class| class.label.chars().count().min(WIDEST))
            .max()
            .unwrap_or(0)
    }
}

/// Returns the first characters of a label, safe to print.
fn cut(label: &str, most: usize) -> String {
    let text: String = label.chars().take(most).collect();
    printable(&text).trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let labels = [
            "jazz".to_string(),
            "drum and bass".to_string(),
            "o\ndd".to_string(),
        ];
        let metrics = Metrics::from_answers(&labels, [(0, 0), (0, 0), (0, 1), (1, 1), (2, 2)]);
        let text = metrics.to_string();
        assert!(
            text.contains("jazz               1.000   0.667  0.800        3\n"),
            "{text}"
        );
        let matrix = "               answer\ntruth          jazz  drum  o\u{fffd}dd\njazz              2     1     ·\n\
                      drum and bass     ·     1     ·\no\u{fffd}dd              ·     ·     1\n\n\
                      accuracy 0.800 (4 of 5 clips)";
        assert_eq!(metrics.confusion_text(), matrix);
        assert!(text.ends_with("clips)\n"));
    }

    #[test]
    fn nothing_judged_is_no_panic() {
        assert!(
            Metrics::from_answers(&[], [])
                .to_string()
                .contains("0 of 0")
        );
    }
}
