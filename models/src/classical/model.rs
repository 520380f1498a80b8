//! What a classifier has learnt, as plain numbers, and the probabilities that follow from them.

use serde::{Deserialize, Serialize};

/// Examples side by side: `[rows, columns]`, row-major.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rows {
    /// Features of an example; at least 1.
    pub columns: usize,
    /// The numbers, all finite.
    pub values: Vec<f32>,
}

impl Rows {
    /// How many examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The examples, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }
}

/// A fitted classifier. Where a label had nothing to learn from, its part is `None` and its probability 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Model {
    /// For every label: log-odds to begin with, and trees that add to them.
    Trees(Vec<Option<Ensemble>>),
    /// Machines that share their vectors.
    Svm {
        /// How narrow the kernel is.
        gamma: f64,
        /// The training examples that any machine leans on.
        vectors: Rows,
        /// For every label.
        machines: Vec<Option<Machine>>,
    },
    /// For every label: a constant, and a weight per feature.
    Logistic(Vec<Option<(f64, Vec<f64>)>>),
    /// The training examples themselves.
    Neighbours {
        /// How many are asked.
        k: usize,
        /// Whether a vote weighs 1 / distance.
        by_distance: bool,
        /// The examples.
        examples: Rows,
        /// The label of each, by its number.
        targets: Vec<usize>,
        /// How many labels there are.
        labels: usize,
    },
    /// Models whose probabilities are averaged.
    Vote(Vec<Model>),
}

/// Boosted trees for one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// The log-odds before the first tree.
    pub base: f64,
    /// The nodes of every tree, its root first.
    pub trees: Vec<Vec<Node>>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Node {
    /// Ends here and adds this to the log-odds.
    Leaf(f64),
    /// Column, bound, and the node to go on with where the feature is below the bound, or not. Both come later in the
    /// tree, so that every walk ends.
    Split(usize, f64, usize, usize),
}

/// A support vector machine of one label: `probability = 1 / (1 + exp(slope·d + offset))` for the distance
/// `d = Σ weight·kernel - rho`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Vector and weight.
    pub weights: Vec<(usize, f64)>,
    /// What is subtracted.
    pub rho: f64,
    /// Platt's A.
    pub slope: f64,
    /// Platt's B.
    pub offset: f64,
}

impl Model {
    /// The probability of every label for one example; those of all sum to 1. `row` has as many features as the model
    /// was checked for.
    #[must_use]
    pub fn probabilities(&self, row: &[f32]) -> Vec<f64> {
        match self {
            Model::Trees(ensembles) => {
                let of = |own: &Option<Ensemble>| {
                    own.as_ref().map_or(0.0, |own| sigmoid(own.log_odds(row)))
                };
                scaled(ensembles.iter().map(of).collect())
            }
            Model::Svm {
                gamma,
                vectors,
                machines,
            } => {
                let kernel: Vec<f64> = vectors
                    .iter()
                    .map(|v| (-gamma * square(v, row)).exp())
                    .collect();
                let of = |machine: &Option<Machine>| {
                    machine.as_ref().map_or(0.0, |machine| {
                        let sum: f64 = machine
                            .weights
                            .iter()
                            .map(|(at, weight)| weight * kernel[*at])
                            .sum();
                        sigmoid(-(machine.slope * (sum - machine.rho) + machine.offset))
                    })
                };
                scaled(machines.iter().map(of).collect())
            }
            Model::Logistic(weights) => {
                let of = |own: &Option<(f64, Vec<f64>)>| {
                    own.as_ref()
                        .map_or(f64::NEG_INFINITY, |(constant, weights)| {
                            constant
                                + weights
                                    .iter()
                                    .zip(row)
                                    .map(|(w, x)| w * f64::from(*x))
                                    .sum::<f64>()
                        })
                };
                let sums: Vec<f64> = weights.iter().map(of).collect();
                let largest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                scaled(sums.iter().map(|sum| (sum - largest).exp()).collect())
            }
            Model::Neighbours {
                k,
                by_distance,
                examples,
                targets,
                labels,
            } => {
                let mut near: Vec<(f64, usize)> = examples
                    .iter()
                    .map(|own| square(own, row))
                    .zip(targets.iter().copied())
                    .collect();
                // The sort is stable: of equals, the earlier training example counts.
                near.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut votes = vec![0.0; *labels];
                for (square, target) in near.into_iter().take(*k) {
                    votes[target] += if *by_distance {
                        1.0 / square.sqrt().max(1e-12)
                    } else {
                        1.0
                    };
                }
                scaled(votes)
            }
            Model::Vote(members) => {
                let mut sums: Vec<f64> = Vec::new();
                for member in members {
                    let own = member.probabilities(row);
                    sums.resize(own.len(), 0.0);
                    sums.iter_mut().zip(own).for_each(|(sum, p)| *sum += p);
                }
                scaled(sums)
            }
        }
    }
}

impl Ensemble {
    pub(super) fn log_odds(&self, row: &[f32]) -> f64 {
        let mut sum = self.base;
        for tree in &self.trees {
            let mut at = 0;
            sum += loop {
                match tree[at] {
                    Node::Leaf(value) => break value,
                    Node::Split(column, bound, below, above) => {
                        at = if f64::from(row[column]) < bound {
                            below
                        } else {
                            above
                        };
                    }
                }
            };
        }
        sum
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn square(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum()
}

/// Numbers from 0 on, scaled to a sum of 1; where all are 0, nothing is known and all are equal.
fn scaled(mut values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    let equal = 1.0 / values.len().max(1) as f64;
    let known = sum.is_finite() && sum > 0.0;
    values
        .iter_mut()
        .for_each(|value| *value = if known { *value / sum } else { equal });
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    fn tree(nodes: Vec<Node>) -> Model {
        Model::Trees(vec![
            Some(Ensemble {
                base: 0.0,
                trees: vec![nodes],
            }),
            None,
        ])
    }

    #[test]
    fn a_tree_is_walked_from_its_root() {
        let model = tree(vec![
            Node::Split(1, 0.5, 1, 2),
            Node::Leaf(-1.0),
            Node::Split(0, 0.0, 3, 4),
            Node::Leaf(2.0),
            Node::Leaf(3.0),
        ]);
        model.check(2, 2).unwrap();
        let Model::Trees(ensembles) = &model else {
            unreachable!()
        };
        let ensemble = ensembles[0].as_ref().unwrap();
        assert_eq!(ensemble.log_odds(&[0.0, 0.25]), -1.0);
        assert_eq!(ensemble.log_odds(&[-1.0, 0.5]), 2.0);
        assert_eq!(ensemble.log_odds(&[f32::NAN, 0.5]), 3.0);
        assert_eq!(model.probabilities(&[0.0, 0.0]), [1.0, 0.0]);
    }

    #[test]
    fn neighbours_vote_and_the_nearer_weigh_more() {
        let model = |by_distance| Model::Neighbours {
            k: 3,
            by_distance,
            examples: Rows {
                columns: 1,
                values: vec![0.0, 3.0, 4.0, 100.0],
            },
            targets: vec![0, 1, 1, 0],
            labels: 2,
        };
        let near = |p: Vec<f64>, q: f64| assert!(abs_diff_eq!(p[1], q, epsilon = 1e-12), "{p:?}");
        near(model(false).probabilities(&[1.0]), 2.0 / 3.0);
        near(
            model(true).probabilities(&[1.0]),
            (0.5 + 1.0 / 3.0) / (1.0 + 0.5 + 1.0 / 3.0),
        );
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one_whatever_comes(row in proptest::collection::vec(-1e30f32..1e30, 2)) {
            let logistic = Model::Logistic(vec![Some((0.0, vec![1e10, -1.0])), None, Some((1.0, vec![0.0, 0.0]))]);
            let svm = Model::Svm {
                gamma: 0.5,
                vectors: Rows { columns: 2, values: vec![0.0, 1.0] },
                machines: vec![
                    Some(Machine { weights: vec![(0, 1e300)], rho: 0.0, slope: -1e300, offset: 0.0 }),
                    None,
                    Some(Machine { weights: vec![], rho: -1.0, slope: 1e300, offset: 0.0 }),
                ],
            };
            for model in [logistic.clone(), svm.clone(), Model::Vote(vec![logistic, svm])] {
                model.check(2, 3).unwrap();
                let p = model.probabilities(&row);
                prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p[1] <= p[0].max(p[2]));
            }
        }
    }
}
