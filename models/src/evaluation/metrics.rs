//! Metrics of a classifier: confusion matrix, accuracy, precision, recall, F1.
//!
//! The definitions are scikit-learn's. Rows of the confusion matrix are the true labels, columns the predictions. A
//! quotient with denominator 0 is 0. `macro` is the unweighted mean over the classes, `weighted` the mean weighted by
//! support.

use serde::{Deserialize, Serialize};

/// Precision, recall and F1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Precision: fraction of the clips predicted as this label that have it.
    pub precision: f64,
    /// Recall: fraction of the clips with this label that were predicted as it.
    pub recall: f64,
    /// F1: `2·precision·recall / (precision + recall)`.
    pub f1: f64,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Label of the class.
    pub label: String,
    /// Scores of the class.
    #[serde(flatten)]
    pub scores: Scores,
    /// Number of clips with this label.
    pub support: u64,
}

/// All metrics of `melgrad evaluate`. The names in its JSON are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Fraction of correct predictions.
    pub accuracy: f64,
    /// Unweighted mean over the classes.
    #[serde(rename = "macro")]
    pub macro_mean: Scores,
    /// Mean over the classes, weighted by support.
    pub weighted: Scores,
    /// One entry per class, in the order of the labels.
    pub classes: Vec<ClassScores>,
    /// Confusion matrix: `confusion[truth][answer]` clips.
    pub confusion: Vec<Vec<u64>>,
}

impl Metrics {
    /// Counts `(truth, answer)` pairs of label indices. Indices beyond the labels are ignored.
    #[must_use]
    pub fn from_answers(
        labels: &[String],
        answers: impl IntoIterator<Item = (usize, usize)>,
    ) -> Metrics {
        let mut confusion = vec![vec![0; labels.len()]; labels.len()];
        for (truth, answer) in answers {
            if let Some(cell) = confusion
                .get_mut(truth)
                .and_then(|row: &mut Vec<u64>| row.get_mut(answer))
            {
                *cell += 1;
            }
        }
        let total: u64 = confusion.iter().flatten().sum();
        let right: u64 = (0..labels.len()).map(|class| confusion[class][class]).sum();
        let classes: Vec<ClassScores> = labels
            .iter()
            .enumerate()
            .map(|(class, label)| {
                let support = confusion[class].iter().sum();
                let answered = confusion.iter().map(|row| row[class]).sum();
                let (precision, recall) = (
                    quotient(confusion[class][class], answered),
                    quotient(confusion[class][class], support),
                );
                let sum = precision + recall;
                let f1 = if sum > 0.0 {
                    2.0 * precision * recall / sum
                } else {
                    0.0
                };
                ClassScores {
                    label: label.clone(),
                    scores: Scores {
                        precision,
                        recall,
                        f1,
                    },
                    support,
                }
            })
            .collect();
        Metrics {
            accuracy: quotient(right, total),
            macro_mean: mean(&classes, |_| 1),
            weighted: mean(&classes, |class| class.support),
            classes,
            confusion,
        }
    }

    /// Returns the number of clips evaluated.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.classes.iter().map(|class| class.support).sum()
    }
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn mean(classes: &[ClassScores], weight: impl Fn(&ClassScores) -> u64) -> Scores {
    let total: u64 = classes.iter().map(&weight).sum();
    let of = |score: fn(&Scores) -> f64| {
        let sum: f64 = classes
            .iter()
            .map(|class| weight(class) as f64 * score(&class.scores))
            .sum();
        if total == 0 { 0.0 } else { sum / total as f64 }
    };
    Scores {
        precision: of(|s| s.precision),
        recall: of(|s| s.recall),
        f1: of(|s| s.f1),
    }
}

/// Mean and standard deviation of one metric over several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation (divided by runs − 1); 0 for one run.
    pub deviation: f64,
    /// Number of runs.
    pub runs: usize,
}

impl Spread {
    /// Returns mean and standard deviation of some values; all zeros if there are none.
    #[must_use]
    pub fn of(figures: &[f64]) -> Spread {
        let runs = figures.len();
        if runs == 0 {
            return Spread {
                mean: 0.0,
                deviation: 0.0,
                runs,
            };
        }
        let mean = figures.iter().sum::<f64>() / runs as f64;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let deviation = if runs == 1 {
            0.0
        } else {
            (squares / (runs - 1) as f64).sqrt()
        };
        Spread {
            mean,
            deviation,
            runs,
        }
    }
}

impl std::fmt::Display for Spread {
    /// Formats as `0.612 ± 0.014 (5 runs)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs = if self.runs == 1 { "run" } else { "runs" };
        let (mean, deviation) = (self.mean, self.deviation);
        write!(f, "{mean:.3} ± {deviation:.3} ({} {runs})", self.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_string()).collect()
    }

    /// scikit-learn 1.9.1: `precision_recall_fscore_support(t, p, zero_division=0)` with
    /// `t = [0,0,0,1,1,2,2,2]`, `p = [0,0,1,1,2,0,2,2]`, four labels.
    #[test]
    fn agrees_with_scikit_learn() {
        let pairs = [
            (0, 0),
            (0, 0),
            (0, 1),
            (1, 1),
            (1, 2),
            (2, 0),
            (2, 2),
            (2, 2),
        ];
        let metrics = Metrics::from_answers(&labels(&["a", "b", "c", "none"]), pairs);
        let near = |a: f64, b: f64| assert!(abs_diff_eq!(a, b, epsilon = 1e-12), "{a} {b}");
        near(metrics.accuracy, 0.625);
        near(metrics.classes[0].scores.precision, 2.0 / 3.0);
        near(metrics.classes[1].scores.f1, 0.5);
        assert_eq!(metrics.classes[3].scores, Scores::default());
        near(metrics.macro_mean.f1, (2.0 / 3.0 + 0.5 + 2.0 / 3.0) / 4.0);
        near(metrics.weighted.recall, 0.625);
        near(
            metrics.weighted.precision,
            (3.0 * 2.0 / 3.0 + 2.0 * 0.5 + 3.0 * 2.0 / 3.0) / 8.0,
        );
        assert_eq!(metrics.total(), 8);
    }

    #[test]
    fn the_json_is_the_contract() {
        let metrics = Metrics::from_answers(&labels(&["a", "b"]), [(0, 0), (1, 0)]);
        let json = serde_json::to_value(&metrics).unwrap();
        let expected = serde_json::json!({
            "accuracy": 0.5,
            "macro": {"precision": 0.25, "recall": 0.5, "f1": 1.0 / 3.0},
            "weighted": {"precision": 0.25, "recall": 0.5, "f1": 1.0 / 3.0},
            "classes": [
                {"label": "a", "precision": 0.5, "recall": 1.0, "f1": 2.0 / 3.0, "support": 1},
                {"label": "b", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
            ],
            "confusion": [[1, 0], [1, 0]],
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Metrics>(json).unwrap(), metrics);
    }

    #[test]
    fn nothing_judged_is_zero_not_nan() {
        let metrics = Metrics::from_answers(&labels(&["a"]), [(5, 0)]);
        assert_eq!(
            (metrics.accuracy, metrics.macro_mean.f1, metrics.total()),
            (0.0, 0.0, 0)
        );
        assert_eq!(Spread::of(&[]).mean, 0.0);
    }

    #[test]
    fn spread_over_runs() {
        assert_eq!(
            Spread::of(&[0.5]),
            Spread {
                mean: 0.5,
                deviation: 0.0,
                runs: 1
            }
        );
        let spread = Spread::of(&[0.7, 0.8, 0.9]);
        assert!((spread.mean - 0.8).abs() < 1e-12 && (spread.deviation - 0.1).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn weighted_recall_is_accuracy(pairs in proptest::collection::vec((0usize..4, 0usize..4), 1..80)) {
            let metrics = Metrics::from_answers(&labels(&["a", "b", "c", "d"]), pairs);
            prop_assert!(abs_diff_eq!(metrics.weighted.recall, metrics.accuracy, epsilon = 1e-12));
        }
    }
}
