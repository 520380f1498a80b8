//! Weights from an earlier run or another library, frozen layers, labels put together, recipes run under several seeds.

use approx::assert_abs_diff_eq;
use std::fs;

use engine::{Array, Device, Weights, state_dict};
use models::base::control::Control;
use models::data::dataset::Layout;
use models::recipe::Recipe;
use models::run::folder::RunFolder;
use models::run::reproduce::{Reproducing, Reproduction, reproduce};

use crate::place::{Place, recipe, weights};

const CONVOLUTIONS: [&str; 3] = ["conv1", "conv2", "conv3"];

/// The same network with frozen convolutions, for two epochs.
fn second_stage() -> Recipe {
    let mut recipe = recipe();
    recipe.name = "second".into();
    recipe.training.epochs = 2;
    recipe.training.frozen = CONVOLUTIONS.map(String::from).to_vec();
    recipe
}

fn is_frozen(name: &str) -> bool {
    name.starts_with("conv")
}

#[test]
fn a_second_stage_learns_behind_the_first_ones_frozen_layers() {
    let place = Place::new();
    let first = place.train(recipe(), "first", Control::none()).unwrap();
    let mut second = second_stage();
    second.transfer.weights = Some(place.path("first"));
    // Two labels instead of three: the last layer is another.
    second.labels = [("a", vec!["g0", "g1"]), ("b", vec!["g2"])]
        .map(|(name, olds)| {
            (
                name.to_string(),
                olds.into_iter().map(String::from).collect(),
            )
        })
        .into();
    let outcome = place
        .train(second.clone(), "second", Control::none())
        .unwrap();
    assert_eq!(outcome.settings.data.labels, ["a", "b"]);
    let told = outcome
        .warnings
        .iter()
        .find(|warning| warning.contains("taken over"));
    let told = told.unwrap();
    assert!(
        told.contains("8 of 10 arrays") && told.contains("`linear2.weight` (is 3×64, not 2×64)"),
        "{told}"
    );
    let (before, _) = weights(&first.run.best());
    for file in [outcome.run.best(), outcome.run.last()] {
        let (after, optimizer) = weights(&file);
        for (name, array) in &after {
            assert_eq!(before[name] == *array, is_frozen(name), "{name}");
        }
        if let Some(state) = optimizer {
            assert!(
                state.keys().all(|name| !name.contains("conv")),
                "{:?}",
                state.keys()
            );
        }
    }
    let evaluation = place.evaluate("second", None).unwrap();
    assert_eq!(evaluation.metrics, outcome.metrics.unwrap());
    let own = fs::read(outcome.run.best()).unwrap();
    fs::copy(first.run.best(), outcome.run.best()).unwrap();
    let error = place.evaluate("second", None).unwrap_err().to_string();
    assert!(error.contains("best.safetensors: its labels"), "{error}");
    fs::write(outcome.run.best(), own).unwrap();

    // It goes on without the first run.
    fs::remove_dir_all(place.path("first")).unwrap();
    let longer = place.resume("second", Some(3)).unwrap();
    assert_eq!(longer.history.len(), 3);
    assert_eq!(longer.settings.recipe.training.frozen, CONVOLUTIONS);
    second.training.epochs = 1;
    let error = place.train(second, "third", Control::none()).unwrap_err();
    assert!(error.to_string().contains("first"), "{error}");
}

#[test]
fn without_weights_nothing_is_frozen() {
    let place = Place::new();
    let outcome = place.train(second_stage(), "run", Control::none()).unwrap();
    let told = outcome
        .warnings
        .iter()
        .find(|warning| warning.contains("from scratch"));
    assert!(told.unwrap().contains("conv1, conv2, conv3"), "{told:?}");
    assert!(outcome.settings.recipe.training.frozen.is_empty());
    let mut frozen = second_stage();
    frozen.training.frozen = vec!["conv9".into()];
    frozen.transfer.weights = Some(outcome.run.best());
    let error = place
        .train(frozen.clone(), "other", Control::none())
        .unwrap_err()
        .to_string();
    assert!(error.contains("`conv9`"), "{error}");

    let mut newer = fs::read(outcome.run.best()).unwrap();
    let format = br#"format\":1"#;
    let at = newer.windows(format.len()).position(|at| at == format);
    newer[at.unwrap() + format.len() - 1] = b'9';
    fs::write(outcome.run.best(), newer).unwrap();
    frozen.training.frozen.clear();
    let error = place.train(frozen, "newer", Control::none()).unwrap_err();
    assert!(error.to_string().contains("format 9"), "{error}");
}

/// Arrays as the second stage's convolutions, under other names and, for Keras, in its order.
fn published(name: impl Fn(usize, &str) -> String, keras: bool) -> Weights {
    let channels = [1usize, 16, 32, 32];
    let mut weights = Weights::new();
    for i in 0..3 {
        let (inputs, outputs) = (channels[i], channels[i + 1]);
        let shape = if keras {
            [3, 3, inputs, outputs]
        } else {
            [outputs, inputs, 3, 3]
        };
        let values = (0..9 * inputs * outputs)
            .map(|v| (v % 13) as f32 / 100.0)
            .collect();
        let (weight, bias) = if keras {
            ("kernel:0", "bias:0")
        } else {
            ("weight", "bias")
        };
        weights.insert(
            name(i, weight),
            Array {
                shape: shape.into(),
                values,
            },
        );
        weights.insert(
            name(i, bias),
            Array {
                shape: [outputs].into(),
                values: vec![0.25; outputs],
            },
        );
    }
    weights
}

#[test]
fn other_libraries_weights_are_found_by_their_names() {
    let place = Place::new();
    let torchvision = published(
        |i, array| format!("features.{}.{array}", [0, 3, 6][i]),
        false,
    );
    let keras = published(
        |i, array| format!("block{0}_conv1/block{0}_conv1/{array}", i + 1),
        true,
    );
    for (library, mut arrays) in [("torchvision", torchvision), ("keras", keras)] {
        let top = Array {
            shape: [7].into(),
            values: vec![1.0; 7],
        };
        arrays.insert("classifier.6.bias".into(), top);
        let path = place.path(&format!("{library}.safetensors"));
        fs::write(&path, state_dict::write(&arrays).unwrap()).unwrap();
        let mut recipe = second_stage();
        recipe.transfer.weights = Some(path.clone());
        for (i, layer) in CONVOLUTIONS.iter().enumerate() {
            let theirs = [
                format!("features.{}", 3 * i),
                format!("block{}_conv1", i + 1),
            ];
            recipe
                .transfer
                .names
                .extend(theirs.map(|name| (name, layer.to_string())));
        }
        let outcome = place
            .train(recipe.clone(), library, Control::none())
            .unwrap();
        let told = outcome
            .warnings
            .iter()
            .find(|warning| warning.contains("taken over"));
        let told = told.unwrap();
        for part in [
            "6 of 10 arrays",
            "not in the file: `linear1.weight`",
            "not in the network: `classifier/6.bias`",
        ] {
            assert!(told.contains(part), "{told}");
        }
        let (after, _) = weights(&outcome.run.best());
        assert_eq!(after["conv2.weight"].shape[..], [32, 16, 3, 3]);
        // The second output's second column.
        let found = after["conv2.weight"].values[16 * 9 + 1];
        let theirs = if library == "keras" {
            16 * 32 + 1
        } else {
            16 * 9 + 1
        };
        assert_eq!(found, (theirs % 13) as f32 / 100.0);

        // One that shall be frozen and is not there; then nothing at all.
        arrays.retain(|name, _| !name.contains("bias"));
        fs::write(&path, state_dict::write(&arrays).unwrap()).unwrap();
        let error = place
            .train(recipe.clone(), "refused", Control::none())
            .unwrap_err()
            .to_string();
        assert!(error.contains("`conv1.bias` is to be frozen"), "{error}");
        recipe.transfer.names.clear();
        let error = place
            .train(recipe.clone(), "refused", Control::none())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("none of its weights fits") && !error.contains('\n'),
            "{error}"
        );
        fs::write(&path, b"damaged").unwrap();
        let error = place
            .train(recipe, "refused", Control::none())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&path.display().to_string()) && !error.contains('\n'),
            "{error}"
        );
    }
}

#[test]
fn a_recipe_is_reproduced_stage_by_stage_and_seed_by_seed() {
    let place = Place::new();
    let stage = place.path("stage.toml");
    let first = Recipe {
        name: "stage".into(),
        ..recipe()
    };
    fs::write(&stage, first.to_toml().unwrap()).unwrap();
    let mut recipe = second_stage();
    recipe.transfer.stage = Some(stage.display().to_string());
    recipe.layout = Some(Layout::Folders);
    recipe.claimed = [
        ("accuracy".to_string(), 0.5),
        ("train_accuracy".into(), 0.9),
    ]
    .into();
    let (data, out) = (place.data(), place.path("out"));
    let reproducing = Reproducing {
        recipe: recipe.clone(),
        data: &data,
        out: &out,
        seeds: &[3, 4],
        folds: None,
        cache: None,
        command: "melgrad reproduce second".into(),
    };
    let device = Device::cpu();
    let done = reproduce(&reproducing, &device, Control::none()).unwrap();
    assert_eq!(
        (done.recipe.as_str(), done.data.as_str(), done.clips),
        ("second", "data", 18)
    );
    assert_eq!(done.claimed, recipe.claimed);
    let metrics = |seed: u64| {
        let run = RunFolder::open(&out.join(format!("second/seed-{seed}"))).unwrap();
        run.metrics().unwrap().accuracy
    };
    let accuracy = &done.measured["accuracy"];
    assert_eq!(accuracy.runs, [metrics(3), metrics(4)]);
    assert_abs_diff_eq!(
        accuracy.mean,
        (metrics(3) + metrics(4)) / 2.0,
        epsilon = 1e-12
    );
    let told = done.to_string();
    for name in [
        "accuracy",
        "train_accuracy",
        "validation_f1",
        "0.900",
        "seeds 3, 4",
    ] {
        assert!(told.contains(name), "{told}");
    }
    // The stage ran under the same seed, so on the same split, and is what the second began with.
    let [before, after] = ["stage", "second"].map(|name| {
        let run = RunFolder::open(&out.join(format!("{name}/seed-4"))).unwrap();
        weights(&run.best()).0
    });
    assert_eq!(before["conv3.weight"], after["conv3.weight"]);
    let stage = RunFolder::open(&out.join("stage/seed-4")).unwrap();
    let layout = stage.settings().unwrap().recipe.layout;
    assert_eq!(layout, Some(Layout::Folders), "of the same data");

    // Once more: everything is there, and nothing is trained again.
    let again = reproduce(&reproducing, &device, Control::none()).unwrap();
    assert_eq!(again, done);

    let path = place.path("result.json");
    let remarked = Reproduction {
        remark: "because".into(),
        ..done.clone()
    };
    remarked.write(&path).unwrap();
    done.write(&path).unwrap();
    assert_eq!(
        Reproduction::read(&path).unwrap(),
        remarked,
        "a remark stays"
    );

    // On folds the same: what the second stage is tested on, the first has not seen either.
    let folded = Reproducing {
        seeds: &[3],
        folds: Some(2),
        ..reproducing.clone()
    };
    assert!(folded.result().ends_with("out/second-2-folds.json"));
    let done = reproduce(&folded, &device, Control::none()).unwrap();
    assert_eq!(done.measured["accuracy"].runs.len(), 2);
    assert!(done.to_string().contains("2 folds, seed 3"), "{done}");
    let tested = ["stage", "second"].map(|name| {
        let run = |fold| out.join(format!("{name}-2-folds/seed-3-fold-{fold}"));
        let run = [1, 2].map(|fold| RunFolder::open(&run(fold)).unwrap());
        run.map(|run| {
            let fold = run.settings().unwrap().recipe.split.fold;
            (fold, run.metrics().unwrap().total())
        })
    });
    assert_eq!(tested[0], tested[1]);
    assert_eq!(tested[0][0].1 + tested[0][1].1, 18, "every clip once");

    let mut other = reproducing.clone();
    other.recipe.training.batch = 3;
    let error = reproduce(&other, &device, Control::none()).unwrap_err();
    assert!(matches!(error, models::Error::RunExists { .. }), "{error}");
    let none = Reproducing {
        seeds: &[],
        ..reproducing
    };
    assert!(reproduce(&none, &device, Control::none()).is_err());
}
