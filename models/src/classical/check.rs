//! A model is checked before it is used: it looks nowhere where nothing is, and every walk through a tree ends.

use super::model::{Ensemble, Machine, Model, Node, Rows};

impl Model {
    /// Whether it gives `labels` probabilities for examples of `columns` features, without looking where nothing is.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn check(&self, columns: usize, labels: usize) -> Result<(), String> {
        let count = |own: usize| match own == labels {
            true => Ok(()),
            false => Err(format!("{own} parts for {labels} labels")),
        };
        match self {
            Model::Trees(ensembles) => {
                count(ensembles.len())?;
                ensembles
                    .iter()
                    .flatten()
                    .try_for_each(|own| own.check(columns))
            }
            Model::Svm {
                gamma,
                vectors,
                machines,
            } => {
                count(machines.len())?;
                vectors.check(columns)?;
                let sound = |machine: &Machine| {
                    let numbers = [machine.rho, machine.slope, machine.offset];
                    numbers.iter().all(|number| number.is_finite())
                        && machine
                            .weights
                            .iter()
                            .all(|(at, weight)| *at < vectors.len() && weight.is_finite())
                };
                match *gamma > 0.0 && machines.iter().flatten().all(sound) {
                    true => Ok(()),
                    false => Err("its machines are no sound numbers".into()),
                }
            }
            Model::Logistic(weights) => {
                count(weights.len())?;
                let sound = |(constant, weights): &(f64, Vec<f64>)| {
                    weights.len() == columns
                        && constant.is_finite()
                        && weights.iter().all(|w| w.is_finite())
                };
                match weights.iter().flatten().all(sound) {
                    true => Ok(()),
                    false => Err(format!(
                        "its weights are no {columns} finite numbers for each label"
                    )),
                }
            }
            Model::Neighbours {
                k,
                examples,
                targets,
                labels: own,
                ..
            } => {
                count(*own)?;
                examples.check(columns)?;
                let sound = *k > 0 && !targets.is_empty() && targets.len() == examples.len();
                match sound && targets.iter().all(|target| target < own) {
                    true => Ok(()),
                    false => Err("its examples and their labels do not fit together".into()),
                }
            }
            Model::Vote(members) => {
                if members.is_empty()
                    || members
                        .iter()
                        .any(|member| matches!(member, Model::Vote(_)))
                {
                    return Err("nobody votes, or a vote among the voters".into());
                }
                members
                    .iter()
                    .try_for_each(|member| member.check(columns, labels))
            }
        }
    }
}

impl Ensemble {
    fn check(&self, columns: usize) -> Result<(), String> {
        let sound = |tree: &Vec<Node>| {
            !tree.is_empty()
                && tree.iter().enumerate().all(|(at, node)| match *node {
                    Node::Leaf(value) => value.is_finite(),
                    Node::Split(column, bound, below, above) => {
                        let later = at + 1..tree.len();
                        column < columns
                            && !bound.is_nan()
                            && later.contains(&below)
                            && later.contains(&above)
                    }
                })
        };
        match self.base.is_finite() && self.trees.iter().all(sound) {
            true => Ok(()),
            false => Err("a tree asks for what is not there".into()),
        }
    }
}

impl Rows {
    fn check(&self, columns: usize) -> Result<(), String> {
        let fits = self.columns == columns && self.values.len().checked_rem(columns) == Some(0);
        match fits && self.values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(format!("its examples are no {columns} finite numbers each")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(nodes: Vec<Node>) -> Model {
        let base = 0.0;
        let trees = vec![nodes];
        Model::Trees(vec![Some(Ensemble { base, trees }), None])
    }

    #[test]
    fn what_would_look_where_nothing_is_or_walk_in_circles_is_refused() {
        for nodes in [
            vec![],
            vec![Node::Split(2, 0.0, 1, 1), Node::Leaf(0.0)],
            vec![Node::Split(0, 0.0, 1, 2), Node::Leaf(0.0)],
            vec![Node::Split(0, 0.0, 0, 1), Node::Leaf(0.0)],
            vec![Node::Leaf(f64::NAN)],
            vec![Node::Split(0, f64::NAN, 1, 1), Node::Leaf(0.0)],
        ] {
            assert!(tree(nodes.clone()).check(2, 2).is_err(), "{nodes:?}");
        }
        let leaf = || tree(vec![Node::Leaf(1.0)]);
        assert!(leaf().check(2, 3).is_err());
        assert!(Model::Vote(vec![]).check(2, 2).is_err());
        assert!(
            Model::Vote(vec![Model::Vote(vec![leaf()])])
                .check(2, 2)
                .is_err()
        );
        assert!(Model::Vote(vec![leaf()]).check(2, 2).is_ok());
        assert!(
            Model::Logistic(vec![Some((0.0, vec![1.0])), None])
                .check(2, 2)
                .is_err()
        );
        let rows = Rows {
            columns: 2,
            values: vec![0.0; 4],
        };
        let near = |targets: Vec<usize>| Model::Neighbours {
            k: 1,
            by_distance: false,
            examples: rows.clone(),
            targets,
            labels: 2,
        };
        assert!(near(vec![0, 1]).check(2, 2).is_ok());
        assert!(near(vec![0]).check(2, 2).is_err() && near(vec![0, 2]).check(2, 2).is_err());
        let svm = |at: usize| Model::Svm {
            gamma: 0.5,
            vectors: rows.clone(),
            machines: vec![
                Some(Machine {
                    weights: vec![(at, 1.0)],
                    rho: 0.0,
                    slope: -1.0,
                    offset: 0.0,
                }),
                None,
            ],
        };
        assert!(svm(1).check(2, 2).is_ok() && svm(2).check(2, 2).is_err());
        assert!(svm(1).check(3, 2).is_err());
    }
}
