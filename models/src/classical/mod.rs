//! Classifiers that are no networks: boosted trees, support vectors, logistic regression, nearest neighbours, votes.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`Classical`]: which classifier and how it learns, as a recipe says it |
//! | `model.rs` | [`Model`]: what was learnt, as plain numbers, and the probabilities that follow from them |
//! | `check.rs` | [`Model::check`]: nothing of a file is used that was not checked |
//! | `saved.rs` | [`Saved`]: a model with its labels and its input, in a run's `model.json` |
//! | `fit/` | learning, with the feature `classical`: `forust-ml` grows the trees, `linfa` does the rest |
//!
//! Libraries learn, but what they learnt is kept as plain numbers: reading and using a model needs none of them, and
//! every number of a file is checked before it is used.

mod check;
#[cfg(feature = "classical")]
mod fit;
mod model;
mod saved;

use serde::{Deserialize, Serialize};

use crate::Error;

#[cfg(feature = "classical")]
pub use fit::{Lessons, fit};
pub use model::{Ensemble, Machine, Model, Node, Rows};
pub use saved::Saved;

/// A classifier: `[classifier]` of a recipe, in place of `[architecture]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Classical {
    /// Gradient-boosted trees.
    Trees(Trees),
    /// A support vector machine with a Gaussian kernel.
    Svm(Svm),
    /// Multinomial logistic regression.
    Logistic(Logistic),
    /// The nearest training examples.
    Neighbours(Neighbours),
    /// The mean of other classifiers' probabilities.
    Vote(Vote),
}

/// Gradient-boosted trees (Friedman 2001) by second-order gain (Chen & Guestrin 2016): for every label an ensemble of
/// its own, by logistic loss against all other labels; their probabilities are scaled to a sum of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trees {
    /// Which node of a tree is split next.
    pub growth: Growth,
    /// Trees for each label.
    pub rounds: usize,
    /// How much of each tree's answer is added.
    pub learning_rate: f64,
    /// The deepest that a tree may become.
    pub depth: usize,
    /// The most leaves that a tree may have; as many as its depth allows, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<usize>,
    /// The share of the training examples that each tree sees, above 0 to 1, drawn by the run's seed.
    pub rows: f64,
    /// The share of the features that each tree sees, likewise.
    pub columns: f64,
    /// Penalty on the squares of the leaves.
    pub l2: f64,
    /// The least sum of second derivatives of the loss in a leaf.
    pub min_leaf: f64,
}

/// In which order a tree grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Growth {
    /// Level by level, as XGBoost does.
    #[default]
    Depth,
    /// The leaf that gains most, as LightGBM does.
    Leaf,
}

/// A support vector machine for every label against all others, with the kernel `exp(-gamma·|a - b|²)`. Platt's method
/// makes probabilities of distances, from examples that each machine was not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Svm {
    /// What a training example on the wrong side costs.
    pub c: f64,
    /// How narrow the kernel is; 1 / features, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
}

/// Multinomial logistic regression: the loss is the sum of the cross-entropies and `l2/2·Σ w²`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logistic {
    /// Penalty on the squares of the weights; scikit-learn's `1 / C`.
    pub l2: f64,
    /// The most steps of L-BFGS.
    pub steps: usize,
}

/// The `k` nearest training examples by Euclid's distance, each with one vote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Neighbours {
    /// How many are asked.
    pub k: usize,
    /// Whether a vote weighs 1 / distance.
    pub by_distance: bool,
}

/// A soft vote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Who votes; no votes among them.
    pub members: Vec<Classical>,
}

impl Default for Trees {
    fn default() -> Self {
        Trees {
            growth: Growth::Depth,
            rounds: 200,
            learning_rate: 0.1,
            depth: 6,
            leaves: None,
            rows: 1.0,
            columns: 1.0,
            l2: 1.0,
            min_leaf: 1.0,
        }
    }
}

impl Default for Svm {
    fn default() -> Self {
        Svm {
            c: 1.0,
            gamma: None,
        }
    }
}

impl Default for Logistic {
    fn default() -> Self {
        Logistic {
            l2: 1.0,
            steps: 300,
        }
    }
}

impl Default for Neighbours {
    fn default() -> Self {
        Neighbours {
            k: 5,
            by_distance: false,
        }
    }
}

/// The most trees for a label, steps of a solver, neighbours.
const MOST: usize = 100_000;
/// The most voters.
const MOST_MEMBERS: usize = 64;
/// The deepest tree and, above all, a bound on the leaves that stand for it.
const DEEPEST: usize = 64;

impl Classical {
    /// The classifier in a word, as a recipe spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Classical::Trees(_) => "trees",
            Classical::Svm(_) => "svm",
            Classical::Logistic(_) => "logistic",
            Classical::Neighbours(_) => "neighbours",
            Classical::Vote(_) => "vote",
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Classical::Trees(trees) => {
                whole("classifier.rounds", trees.rounds, 1, MOST)?;
                positive("classifier.learning_rate", trees.learning_rate)?;
                whole("classifier.depth", trees.depth, 1, DEEPEST)?;
                whole("classifier.leaves", trees.leaves.unwrap_or(2), 2, MOST)?;
                share("classifier.rows", trees.rows)?;
                share("classifier.columns", trees.columns)?;
                penalty("classifier.l2", trees.l2)?;
                penalty("classifier.min_leaf", trees.min_leaf)
            }
            Classical::Svm(svm) => {
                positive("classifier.c", svm.c)?;
                positive("classifier.gamma", svm.gamma.unwrap_or(1.0))
            }
            Classical::Logistic(logistic) => {
                penalty("classifier.l2", logistic.l2)?;
                whole("classifier.steps", logistic.steps, 1, MOST)
            }
            Classical::Neighbours(neighbours) => whole("classifier.k", neighbours.k, 1, MOST),
            Classical::Vote(vote) => {
                whole("classifier.members", vote.members.len(), 1, MOST_MEMBERS)?;
                if vote
                    .members
                    .iter()
                    .any(|member| matches!(member, Classical::Vote(_)))
                {
                    return Err(Error::setting(
                        "classifier.members",
                        "a vote among the voters",
                    ));
                }
                vote.members.iter().try_for_each(Classical::check)
            }
        }
    }
}

fn whole(name: &'static str, value: usize, least: usize, most: usize) -> Result<(), Error> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(Error::setting(
            name,
            format!("{value} does not lie between {least} and {most}"),
        )),
    }
}

/// Values that also stand for something as f32, in which trees are grown.
fn positive(name: &'static str, value: f64) -> Result<(), Error> {
    match (1e-30..=1e30).contains(&value) {
        true => Ok(()),
        false => Err(Error::setting(
            name,
            format!("{value} is no number above 0 of a sensible size"),
        )),
    }
}

fn penalty(name: &'static str, value: f64) -> Result<(), Error> {
    if value == 0.0 {
        Ok(())
    } else {
        positive(name, value)
    }
}

fn share(name: &'static str, value: f64) -> Result<(), Error> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => Err(Error::setting(
            name,
            format!("{value} is no share above 0 to 1"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_spells_every_classifier() {
        for (text, name) in [
            (
                "kind = \"trees\"\ngrowth = \"leaf\"\nleaves = 31\nl2 = 1",
                "trees",
            ),
            ("kind = \"svm\"\nc = 10", "svm"),
            ("kind = \"logistic\"", "logistic"),
            ("kind = \"neighbours\"\nk = 1", "neighbours"),
            (
                "kind = \"vote\"\nmembers = [{ kind = \"trees\" }, { kind = \"svm\" }]",
                "vote",
            ),
        ] {
            let read: Classical = toml::from_str(text).unwrap();
            read.check().unwrap();
            assert_eq!(read.name(), name);
            let again: Classical = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
            assert_eq!(again, read);
        }
        for (text, problem) in [
            ("kind = \"tree\"", "tree"),
            ("kind = \"svm\"\nk = 1", "k"),
            ("kind = \"trees\"\nrounds = -1", "-1"),
            ("kind = \"vote\"", "members"),
        ] {
            let error = toml::from_str::<Classical>(text).unwrap_err();
            assert!(error.message().contains(problem), "{error}");
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        for (text, problem) in [
            ("kind = \"trees\"\nrounds = 0", "rounds"),
            ("kind = \"trees\"\nlearning_rate = nan", "learning_rate"),
            ("kind = \"trees\"\ndepth = 65", "depth"),
            ("kind = \"trees\"\nleaves = 1", "leaves"),
            ("kind = \"trees\"\nrows = 0", "rows"),
            ("kind = \"trees\"\ncolumns = 1.5", "columns"),
            ("kind = \"trees\"\nmin_leaf = -1", "min_leaf"),
            ("kind = \"svm\"\nc = inf", "classifier.c"),
            ("kind = \"svm\"\ngamma = 0", "gamma"),
            ("kind = \"logistic\"\nl2 = -1", "l2"),
            ("kind = \"logistic\"\nsteps = 0", "steps"),
            ("kind = \"neighbours\"\nk = 0", "classifier.k"),
            ("kind = \"vote\"\nmembers = []", "members"),
            (
                "kind = \"vote\"\nmembers = [{ kind = \"svm\", c = 0 }]",
                "classifier.c",
            ),
            (
                "kind = \"vote\"\nmembers = [{ kind = \"vote\", members = [] }]",
                "voters",
            ),
        ] {
            let read: Classical = toml::from_str(text).unwrap();
            let error = read.check().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
