//! Boosted trees by `forust-ml`, which grows trees level by level or leaf by leaf, for two labels: every label stands
//! against all others.

use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::tree::Tree;
use forust_ml::{GradientBooster, Matrix};

use super::super::model::{Ensemble, Model, Node};
use super::super::{Growth, Trees};
use super::refused::refused;
use super::training_set::{Lessons, each};
use crate::Error;
use crate::base::control::Control;

pub(super) fn fit(
    settings: &Trees,
    lessons: &Lessons,
    seed: u64,
    control: Control<'_>,
) -> Result<Model, Error> {
    let (rows, columns) = (lessons.rows.len(), lessons.rows.columns);
    let column = |at: usize| lessons.rows.iter().map(move |row| f64::from(row[at]));
    let by_column: Vec<f64> = (0..columns).flat_map(column).collect();
    let weights: Vec<f64> = lessons
        .targets
        .iter()
        .map(|&label| lessons.weight(label))
        .collect();
    let ensembles = each(lessons, usize::MAX, control, |label| {
        let mut booster = booster(settings, seed.wrapping_add((label as u64) << 32));
        let own: Vec<f64> = lessons
            .targets
            .iter()
            .map(|&target| f64::from(target == label))
            .collect();
        booster
            .fit(
                &Matrix::new(&by_column, rows, columns),
                &own,
                &weights,
                None,
            )
            .map_err(refused("trees"))?;
        Ok(Ensemble {
            base: booster.base_score,
            trees: booster.trees.iter().map(nodes).collect(),
        })
    })?;
    Ok(Model::Trees(ensembles))
}

fn booster(settings: &Trees, seed: u64) -> GradientBooster {
    let mut booster = GradientBooster::default()
        .set_iterations(settings.rounds)
        .set_learning_rate(settings.learning_rate as f32)
        .set_max_depth(settings.depth)
        .set_max_leaves(settings.leaves.unwrap_or(usize::MAX))
        .set_l2(settings.l2 as f32)
        .set_min_leaf_weight(settings.min_leaf as f32)
        .set_colsample_bytree(settings.columns)
        .set_initialize_base_score(true)
        .set_seed(seed)
        // Labels run side by side already, and one thread gives the same trees everywhere.
        .set_parallel(false);
    if settings.rows < 1.0 {
        booster = booster
            .set_sample_method(SampleMethod::Random)
            .set_subsample(settings.rows as f32);
    }
    booster.grow_policy = match settings.growth {
        Growth::Depth => GrowPolicy::DepthWise,
        Growth::Leaf => GrowPolicy::LossGuide,
    };
    booster
}

fn nodes(tree: &Tree) -> Vec<Node> {
    let nodes = tree.nodes.iter().map(|node| match node.is_leaf {
        true => Node::Leaf(f64::from(node.weight_value)),
        false => Node::Split(
            node.split_feature,
            node.split_value,
            node.left_child,
            node.right_child,
        ),
    });
    nodes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_kept_trees_answer_as_the_library_does() {
        let rows: Vec<[f32; 2]> = (0..40)
            .map(|i| [(i as f32 * 0.7).sin(), (i * i % 11) as f32])
            .collect();
        let by_column: Vec<f64> = (0..2)
            .flat_map(|at| rows.iter().map(move |row| f64::from(row[at])))
            .collect();
        let own: Vec<f64> = (0..40).map(|i| f64::from(i % 3 == 0)).collect();
        let data = Matrix::new(&by_column, 40, 2);
        for growth in [Growth::Depth, Growth::Leaf] {
            let settings = Trees {
                growth,
                rounds: 12,
                min_leaf: 0.1,
                rows: 0.9,
                ..Trees::default()
            };
            let mut booster = booster(&settings, 3);
            booster.fit(&data, &own, &[1.0; 40], None).unwrap();
            let ensemble = Ensemble {
                base: booster.base_score,
                trees: booster.trees.iter().map(nodes).collect(),
            };
            for (row, theirs) in rows.iter().zip(booster.predict(&data, false)) {
                assert_abs_diff_eq!(ensemble.log_odds(row), theirs, epsilon = 1e-9);
            }
        }
    }
}
