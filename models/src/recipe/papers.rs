//! Checks that recipes have the sizes that the papers state.

use std::collections::BTreeMap;

use engine::architecture::Summary;

use super::{Recipe, networks, shipped};

fn summary(name: &str, labels: usize) -> Summary {
    let recipe = Recipe::load(name).unwrap();
    recipe.architecture_for(labels).unwrap().summary().unwrap()
}

/// Returns the output shapes of all layers of a kind.
fn outputs(summary: &Summary, kind: &str) -> Vec<Vec<usize>> {
    let layers = summary.layers.iter().filter(|layer| layer.kind == kind);
    layers.map(|layer| layer.output.to_vec()).collect()
}

#[test]
fn numbers_of_parameters() {
    // VGG16 without its top has 14 714 688, as Keras and torchvision publish it.
    let vgg16 = 14_714_688;
    for (name, labels, parameters) in [
        ("amin-cnn", 8, 104_568),
        ("amin-dense", 8, 10_008),
        (
            "northrop-fcnn",
            10,
            58 * 256 + 3 * 256 + 256 * 128 + 3 * 128 + 128 * 64 + 64 + 650,
        ),
        ("amin-vgg16", 8, vgg16 + 512 * 4 * 12 * 16 + 16 + 16 * 8 + 8),
        (
            "amin-progressive-1",
            8,
            vgg16 + 512 * 3 * 16 + 16 + 16 * 8 + 8,
        ),
        ("northrop-cnn", 10, 448 + 4_640 + 62_208 * 128 + 128 + 1_290),
    ] {
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
    assert_eq!(outputs(&summary("northrop-cnn", 10), "Flatten"), [[62_208]]);
    // TFLearn's padding: every pooling of 2 rounds up.
    let vgg = summary("veselinov-vgg", 8);
    let pools = outputs(&vgg, "MaxPool2d");
    assert_eq!(pools[0], [64, 650, 7]);
    assert_eq!(pools[4], [512, 41, 1]);
    let google = summary("veselinov-googlenet", 8);
    let channels: Vec<usize> = outputs(&google, "Parallel")
        .iter()
        .map(|shape| shape[0])
        .collect();
    assert_eq!(channels, [256, 480, 512, 512, 512, 528, 832, 832, 1024]);
}

#[test]
fn the_second_stage_takes_over_what_the_first_learnt() {
    let recipe = Recipe::load("amin-progressive-2").unwrap();
    let stage = recipe.transfer.stage.as_deref().unwrap();
    let [first, second] = [stage, "amin-progressive-2"].map(|name| summary(name, 8));
    let old = |name: &str| {
        let mut paths = recipe.training.frozen.iter();
        paths.any(|path| name == path || name.starts_with(&format!("{path}/")))
    };
    let (frozen, new): (Vec<_>, Vec<_>) = second.layers.iter().partition(|layer| old(&layer.name));
    for layer in &frozen {
        let twin = first
            .layers
            .iter()
            .find(|twin| twin.name == layer.name)
            .unwrap();
        assert_eq!(
            (&twin.output, twin.parameters),
            (&layer.output, layer.parameters),
            "{}",
            layer.name
        );
    }
    let all: u64 = frozen.iter().map(|layer| layer.parameters).sum();
    let first_two = (3 * 9 + 1) * 64 + (64 * 9 + 1) * 64;
    assert_eq!(all, first.parameters - first_two);
    let learned: u64 = new.iter().map(|layer| layer.parameters).sum();
    assert_eq!(learned, first_two);
}

#[test]
fn vgg16s_layers_are_found_under_other_libraries_names() {
    let recipe = Recipe::load("amin-vgg16").unwrap();
    let summary = summary("amin-vgg16", 8);
    let convolutions = summary.layers.iter().filter(|layer| layer.kind == "Conv2d");
    let convolutions: Vec<&str> = convolutions.map(|layer| layer.name.as_str()).collect();
    assert_eq!(convolutions.len(), 13);
    for path in convolutions {
        let theirs = recipe
            .transfer
            .names
            .iter()
            .filter(|(_, ours)| *ours == path);
        let theirs: Vec<&str> = theirs.map(|(theirs, _)| theirs.as_str()).collect();
        let keras = path.strip_prefix("vgg16/").unwrap();
        assert!(
            theirs.contains(&keras) && theirs.len() == 2,
            "{path}: {theirs:?}"
        );
    }
}

#[test]
fn every_network_fits_its_features_whatever_the_number_of_labels() {
    for recipe in networks().unwrap() {
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
