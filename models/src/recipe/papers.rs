//! What the papers state of their networks comes out of the recipes.

use std::collections::BTreeMap;

use engine::architecture::Summary;

use super::{Recipe, shipped};

fn summary(name: &str, labels: usize) -> Summary {
    let recipe = Recipe::load(name).unwrap();
    recipe.architecture_for(labels).unwrap().summary().unwrap()
}

/// What every layer of a kind puts out.
fn outputs(summary: &Summary, kind: &str) -> Vec<Vec<usize>> {
    let layers = summary.layers.iter().filter(|layer| layer.kind == kind);
    layers.map(|layer| layer.output.to_vec()).collect()
}

#[test]
fn numbers_of_parameters() {
    for (name, labels, parameters) in [("amin-cnn", 8, 104_568)] {
        assert_eq!(summary(name, labels).parameters, parameters, "{name}");
    }
}

#[test]
fn shapes() {
    let crnn = summary("ajufo-crnn", 10);
    assert_eq!(outputs(&crnn, "Flatten"), [[41, 128]]);
    assert_eq!(outputs(&crnn, "Gru"), [vec![41, 32], vec![32]]);
    let crnn = summary("dwivedi-crnn", 8);
    assert_eq!(
        outputs(&crnn, "MaxPool1d"),
        [[56, 318], [56, 157], [56, 76]]
    );
    assert_eq!(outputs(&crnn, "Lstm"), [[96]]);
}

#[test]
fn every_network_fits_its_features_whatever_the_number_of_labels() {
    for recipe in shipped().unwrap() {
        for labels in [2, 5, 10] {
            let architecture = recipe.architecture_for(labels);
            let architecture = architecture.unwrap_or_else(|e| panic!("{}: {e}", recipe.name));
            assert_eq!(architecture.output().unwrap()[..], [labels]);
        }
    }
}

#[test]
fn claims_are_shares_under_known_names() {
    let known = [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "weighted_f1",
        "train_accuracy",
        "validation_accuracy",
        "validation_f1",
    ];
    for recipe in shipped().unwrap() {
        for (name, figure) in &recipe.claimed {
            assert!(known.contains(&name.as_str()), "{}: {name}", recipe.name);
            assert!((0.0..=1.0).contains(figure), "{}: {name}", recipe.name);
        }
        assert!(!recipe.dataset.is_empty() && !recipe.network.is_empty());
    }
}

#[test]
fn binary_recipes_have_every_genre_once() {
    let genres = [
        "blues",
        "classical",
        "country",
        "disco",
        "hiphop",
        "jazz",
        "metal",
        "pop",
        "reggae",
        "rock",
    ];
    for name in ["ajufo-cnn-binary", "ajufo-crnn-binary"] {
        let labels: BTreeMap<String, Vec<String>> = Recipe::load(name).unwrap().labels;
        let mut all: Vec<String> = labels.into_values().flatten().collect();
        all.sort();
        assert_eq!(all, genres);
    }
}
