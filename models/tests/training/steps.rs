//! What a step takes, what a penalty is put on, and what a clip's answer is.

use approx::abs_diff_eq;
use engine::architecture::layer::{BatchNorm, Conv2d, Flatten, Linear};
use engine::{Architecture, Device, ModelFile, Padding};
use models::base::control::Control;
use models::evaluation::answers::evaluate;
use models::input::Windows;
use models::input::examples::{ClipFeatures, Clips};
use models::input::frontend::Frontend;
use models::training::train::{Sweep, Trainer};

use crate::toy::{Kept, Toy};

/// A network whose BatchNorm sees one number of each channel, on `examples` examples.
fn narrow(examples: usize, batch: usize) -> Toy {
    let mut toy = Toy::new();
    let layers = vec![
        Flatten::default().into(),
        Linear::new(6).into(),
        BatchNorm::default().into(),
        Linear::classes().into(),
    ];
    let input = toy.architecture.input.clone();
    toy.architecture = Architecture { input, layers }.with_classes(3);
    toy.features.truncate(examples);
    toy.targets.truncate(examples);
    let one = |clip: &ClipFeatures| {
        let [bands, frames] = clip.shape();
        let mut values = Vec::new();
        clip.read(0, &mut values).unwrap();
        ClipFeatures::from(Windows {
            windows: 1,
            bands,
            frames,
            values,
        })
    };
    toy.features = toy.features.iter().map(one).collect();
    toy.split.train = (0..examples).collect();
    toy.split.validation.clear();
    (toy.settings.batch, toy.settings.epochs) = (batch, 3);
    toy
}

#[test]
fn a_last_step_of_one_example_is_left_out_where_batch_norm_needs_two() {
    let (toy, others) = (narrow(9, 4), narrow(9, 3));
    let steps = |kept: &Kept| {
        let file = ModelFile::from_bytes(&kept.last).unwrap();
        file.resume.unwrap().counters["steps"].as_u64().unwrap()
    };
    assert_eq!(steps(&toy.train(1)), 3 * 2, "the ninth is left out");
    assert_eq!(steps(&others.train(1)), 3 * 3);
    let pairs = narrow(9, 7).train(1);
    assert_eq!(steps(&pairs), 3 * 2, "two are enough");
    for toy in [narrow(9, 1), narrow(1, 4)] {
        let refused = Trainer::new(toy.setup(1), &Device::cpu()).map(|_| ());
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("training.batch") && error.contains("BatchNorm"),
            "{error}"
        );
    }
    // Where it sees planes, one example is enough.
    let mut wide = Toy::new();
    wide.settings.batch = 29;
    wide.settings.epochs = 1;
    let layers = vec![
        Conv2d::new(2, [3, 3]).into(),
        BatchNorm::default().into(),
        Flatten::default().into(),
        Linear::classes().into(),
    ];
    let input = wide.architecture.input.clone();
    wide.architecture = Architecture { input, layers }.with_classes(3);
    assert_eq!(steps(&wide.train(1)), 2, "30 windows: 29 and 1");
}

#[test]
fn the_penalty_is_on_weights_alone() {
    let mut toy = Toy::new();
    let conv = Conv2d::new(4, [3, 3]).padded(Padding::Same);
    let layers = vec![
        conv.into(),
        BatchNorm::default().into(),
        Flatten::default().into(),
        Linear::classes().into(),
    ];
    let input = toy.architecture.input.clone();
    toy.architecture = Architecture { input, layers }.with_classes(3);
    // Steps so small that only the penalty is seen: each takes 2·l2·rate, a fiftieth, of what it is put on.
    toy.settings.epochs = 4;
    toy.settings.optimizer = engine::optim::Sgd::default().into();
    (toy.settings.learning_rate, toy.settings.l2) = (1e-6, 1e4);
    let kept = toy.train(1);
    let file = ModelFile::from_bytes(&kept.last).unwrap();
    let steps = file.resume.unwrap().counters["steps"].as_u64().unwrap();
    let before = engine::Network::new(&toy.architecture, &Device::cpu(), 1).unwrap();
    let before = before.weights().unwrap();
    for (name, shrunk) in [
        ("conv1.weight", true),
        ("linear1.weight", true),
        ("conv1.bias", false),
        ("linear1.bias", false),
        ("norm1.weight", false),
    ] {
        let size = |values: &[f32]| values.iter().map(|x| x.abs()).sum::<f32>();
        let (old, new) = (size(&before[name].values), size(&file.weights[name].values));
        let wanted = match shrunk {
            true => 0.98f32.powi(steps as i32),
            false => 1.0,
        };
        assert!(
            abs_diff_eq!(new / old, wanted, epsilon = 1e-3),
            "{name}: {old} to {new}"
        );
    }
}

#[test]
fn a_clips_answer_is_the_mean_over_its_windows() {
    let toy = Toy::new();
    let network = engine::Network::new(&toy.architecture, &Device::cpu(), 5).unwrap();
    let judged = |features: &[ClipFeatures], targets: &[usize]| {
        let clips = Clips { features, targets };
        let all: Vec<usize> = (0..features.len()).collect();
        let front = Frontend::ahead(network.device(), &toy.normalisation);
        let judged = evaluate(&network, &front, clips, &all, None, 4, Control::none());
        judged.unwrap().probabilities
    };
    let (mut voted, mut several) = (0, false);
    for (clip, &target) in toy.features.iter().zip(&toy.targets) {
        let [bands, frames] = clip.shape();
        let window = |number: usize| {
            let mut values = Vec::new();
            clip.read(number, &mut values).unwrap();
            ClipFeatures::from(Windows {
                windows: 1,
                bands,
                frames,
                values,
            })
        };
        let alone: Vec<ClipFeatures> = (0..clip.windows()).map(window).collect();
        several |= alone.len() > 1;
        let alone = judged(&alone, &vec![target; alone.len()]);
        let whole = judged(std::slice::from_ref(clip), &[target]);
        for (label, &p) in whole[0].iter().enumerate() {
            let mean = alone.iter().map(|p| p[label]).sum::<f64>() / alone.len() as f64;
            assert!(abs_diff_eq!(p, mean, epsilon = 1e-6), "{p} {mean}");
        }
        voted += 1;
    }
    assert!(voted == 30 && several);
}

#[test]
fn a_sweep_rises_and_ends_where_the_loss_flies_apart() {
    let toy = Toy::new();
    let sweep = |sweep: Sweep| {
        let trainer = Trainer::new(toy.setup(2), &Device::cpu()).unwrap();
        trainer.sweep(&sweep, Control::none())
    };
    let rows = sweep(Sweep::default()).unwrap();
    assert!(rows.is_sorted_by(|a, b| a.learning_rate < b.learning_rate));
    assert_eq!(rows[0].learning_rate, 1e-7);
    assert!(rows.len() < 100 && rows.iter().all(|row| row.loss.is_finite()));
    assert_eq!(
        rows,
        sweep(Sweep::default()).unwrap(),
        "the same seed, the same rows"
    );
    for bad in [
        Sweep {
            from: 0.0,
            ..Sweep::default()
        },
        Sweep {
            to: 1e-8,
            ..Sweep::default()
        },
        Sweep {
            to: f64::INFINITY,
            ..Sweep::default()
        },
        Sweep {
            steps: 1,
            ..Sweep::default()
        },
    ] {
        assert!(sweep(bad).unwrap_err().to_string().starts_with("sweep: "));
    }
}
