//! The training loop on small pictures made here: it learns, it is reproducible to the last bit, a stop costs nothing.

mod steps;
mod toy;

use approx::{abs_diff_eq, assert_abs_diff_eq};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use engine::architecture::layer::{Conv2d, Flatten, Linear, MaxPool2d};
use engine::{Architecture, Device, ModelFile, Padding};
use kernels::philox::Philox;
use models::Error;
use models::base::control::{Control, Event};
use models::classify::Classifier;
use models::evaluation::answers::evaluate;
use models::input::Windows;
use models::input::examples::ClipFeatures;
use models::input::frontend::Frontend;
use models::training::settings::{Best, TrainingSettings};
use models::training::train::{Setup, Trainer};
use toy::{Kept, Toy, assert_same};

/// Stops once `steps` steps are done in all, then goes on to the end.
fn interrupted(toy: &Toy, steps: usize, device: &Device) -> Kept {
    let (stop, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    let events = |event: Event<'_>| {
        if let Event::Step { .. } = event
            && seen.fetch_add(1, Ordering::Relaxed) + 1 == steps
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        events: &events,
        stop: &stop,
    };
    let mut kept = Kept::default();
    let mut trainer = Trainer::new(toy.setup(3), device).unwrap();
    let error = trainer.run(&mut kept, control).unwrap_err();
    assert!(matches!(error, Error::Stopped), "{error}");
    let file = ModelFile::from_bytes(&kept.last).unwrap();
    let mut trainer = Trainer::resume(toy.setup(3), device, &file, "last").unwrap();
    trainer.run(&mut kept, Control::none()).unwrap();
    kept
}

#[test]
fn it_learns_and_its_model_file_answers() {
    let toy = Toy::new();
    let kept = toy.train(1);
    let last = kept.history.last().unwrap();
    assert!(
        last.train_accuracy > 0.9 && last.validation_accuracy == Some(1.0),
        "{last:?}"
    );
    assert!(last.train_loss < 0.5 * kept.history[0].train_loss);
    let classifier = Classifier::from_bytes(&kept.best).unwrap();
    assert_eq!(classifier.labels(), toy.labels);
    let chosen = &toy.split.validation;
    let front = Frontend::ahead(classifier.network().device(), classifier.normalisation());
    let judged = evaluate(
        classifier.network(),
        &front,
        toy.clips(),
        chosen,
        None,
        4,
        Control::none(),
    )
    .unwrap();
    let truths: Vec<usize> = chosen.iter().map(|&clip| toy.targets[clip]).collect();
    assert_eq!(judged.answers().collect::<Vec<_>>(), truths);
    for clip in &judged.probabilities {
        assert_abs_diff_eq!(clip.iter().sum::<f64>(), 1.0, epsilon = 1e-9);
    }
    let answer = classifier
        .classify(&audio::synth::clip(0, 0, 0.5, 22_050))
        .unwrap();
    assert_eq!(
        (
            answer.ranking.len(),
            answer.top(9).len(),
            answer.top(1).len()
        ),
        (3, 3, 1)
    );
    assert!(
        answer
            .ranking
            .is_sorted_by(|a, b| a.probability >= b.probability)
    );
}

#[test]
fn a_tiny_set_is_learnt_by_heart() {
    let mut toy = Toy::new();
    toy.split.train = vec![0, 1, 2];
    toy.split.validation.clear();
    toy.settings.epochs = 60;
    toy.settings.l2 = 0.0;
    let kept = toy.train(1);
    let last = kept.history.last().unwrap();
    assert!(
        last.train_loss < 0.05 && last.train_accuracy == 1.0,
        "{last:?}"
    );
    assert_eq!(last.validation_loss, None);
    let (best, last) = (
        ModelFile::from_bytes(&kept.best).unwrap(),
        ModelFile::from_bytes(&kept.last).unwrap(),
    );
    assert_eq!(
        best.weights, last.weights,
        "without validation clips the last epoch is kept"
    );
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let toy = Toy::new();
    let once = toy.train(3);
    assert_same(&once, &toy.train(3));
    assert_ne!(once.best, toy.train(4).best);
}

#[test]
fn a_stop_anywhere_costs_nothing() {
    let toy = Toy::new();
    let whole = toy.train(3);
    let steps = 30usize.div_ceil(toy.settings.batch);
    for at in [
        1,
        steps - 1,
        steps,
        steps + 1,
        7 * steps + 2,
        12 * steps - 1,
    ] {
        assert_same(&whole, &interrupted(&toy, at, &Device::cpu()));
    }
}

#[test]
fn every_optimizer_learns_and_goes_on_after_a_stop() {
    use engine::optim::{AdamW, RmsProp, Sgd};
    let sgd = Sgd {
        momentum: 0.9,
        nesterov: true,
        ..Default::default()
    };
    let rules: [(engine::Rule, f64); 3] = [
        (sgd.into(), 0.01),
        (RmsProp::default().into(), 0.002),
        (AdamW::default().into(), 0.01),
    ];
    for (optimizer, learning_rate) in rules {
        let mut toy = Toy::new();
        toy.settings = models::training::settings::TrainingSettings {
            epochs: 4,
            optimizer,
            learning_rate,
            clip_norm: Some(1.0),
            label_smoothing: 0.1,
            ..toy.settings
        };
        let whole = toy.train(3);
        let loss = |row: usize| whole.history[row].train_loss;
        assert!(loss(3) < loss(0), "{optimizer:?}: {:?}", whole.history);
        assert_same(&whole, &interrupted(&toy, 7, &Device::cpu()));
        // A state of another rule is no state of this one.
        let file = ModelFile::from_bytes(&whole.last).unwrap();
        toy.settings.optimizer = Sgd::default().into();
        assert!(Trainer::resume(toy.setup(3), &Device::cpu(), &file, "last").is_err());
    }
}

#[test]
fn a_schedule_sets_every_step_and_goes_on_after_a_stop() {
    let spelt = [
        r#"{"kind": "plateau", "factor": 0.5, "patience": 0, "threshold": 0.3}"#,
        r#"{"kind": "one-cycle", "div_factor": 5.0}"#,
        r#"{"kind": "cyclical", "step_size": 0.7}"#,
    ];
    let constant = Toy::new().train(3);
    for text in spelt {
        let mut toy = Toy::new();
        toy.settings.schedule = Some(serde_json::from_str(text).unwrap());
        let whole = toy.train(3);
        assert_ne!(whole.last, constant.last, "{text}");
        assert_same(&whole, &interrupted(&toy, 17, &Device::cpu()));
        let rates: Vec<f64> = whole.history.iter().map(|row| row.learning_rate).collect();
        assert!(rates.iter().any(|&rate| rate < 0.006), "{text}: {rates:?}");
        let (first, last) = (whole.history[0], whole.history[11]);
        assert!(last.train_loss < first.train_loss, "{text}");
    }
}

#[cfg(feature = "gpu")]
#[test]
fn on_a_gpu_too_the_bits_are_the_same_and_a_stop_costs_nothing() {
    let device = Device::open("gpu")
        .expect("scripts/test installs a software adapter where there is no other");
    let mut toy = Toy::new();
    toy.settings.epochs = 3;
    let train = || {
        let mut kept = Kept::default();
        let mut trainer = Trainer::new(toy.setup(3), &device).unwrap();
        trainer.run(&mut kept, Control::none()).unwrap();
        kept
    };
    let whole = train();
    assert_same(&whole, &train());
    assert_same(&whole, &interrupted(&toy, 6, &device));
    let mut cpu = toy.train(3).history;
    for (gpu, cpu) in whole.history.iter().zip(&mut cpu) {
        let (gpu, cpu) = (gpu.train_loss, cpu.train_loss);
        assert!(
            abs_diff_eq!(gpu, cpu, epsilon = 1e-3 * cpu),
            "{gpu} on the GPU, {cpu} on the CPU"
        );
    }
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends_the_training() {
    let mut toy = Toy::new();
    // Labels without sense cannot be learnt: validation gets worse from early on.
    let mut random = Philox::new(1, 1);
    toy.targets
        .iter_mut()
        .for_each(|target| *target = random.below(3));
    toy.settings.epochs = 200;
    toy.settings.patience = Some(3);
    let kept = toy.train(1);
    let losses: Vec<f64> = kept
        .history
        .iter()
        .filter_map(|row| row.validation_loss)
        .collect();
    let best = (0..losses.len())
        .min_by(|&a, &b| losses[a].total_cmp(&losses[b]))
        .unwrap();
    assert_eq!(losses.len(), best + 1 + 3, "{losses:?}");
    let classifier = Classifier::from_bytes(&kept.best).unwrap();
    let mut counts = [0usize; 3];
    toy.split
        .train
        .iter()
        .for_each(|&clip| counts[toy.targets[clip]] += 1);
    let weights = models::training::settings::balanced_weights(&counts);
    let chosen = &toy.split.validation;
    let front = Frontend::ahead(classifier.network().device(), classifier.normalisation());
    let judged = evaluate(
        classifier.network(),
        &front,
        toy.clips(),
        chosen,
        Some(&weights),
        4,
        Control::none(),
    );
    // In batches of another size, whose sums are rounded otherwise.
    assert_abs_diff_eq!(judged.unwrap().loss, losses[best], epsilon = 1e-6);

    let file = ModelFile::from_bytes(&kept.last).unwrap();
    let mut again = Trainer::resume(toy.setup(1), &Device::cpu(), &file, "last").unwrap();
    again.run(&mut kept.clone(), Control::none()).unwrap();
    assert_eq!(
        again.history().len(),
        losses.len(),
        "it was over, and stays over"
    );

    toy.settings.best = Best::Last;
    toy.settings.epochs = 5;
    assert_eq!(toy.train(1).history.len(), 5);
}

#[test]
fn a_full_disk_ends_it_and_what_was_kept_goes_on() {
    let toy = Toy::new();
    let mut kept = Kept {
        full_from: Some(5),
        ..Kept::default()
    };
    let mut trainer = Trainer::new(toy.setup(3), &Device::cpu()).unwrap();
    let error = trainer.run(&mut kept, Control::none()).unwrap_err();
    assert!(
        error.to_string().contains("last.safetensors") && error.hint().unwrap().contains("space"),
        "{error}"
    );
    assert_eq!(kept.history.len(), 4);
    kept.full_from = None;
    let file = ModelFile::from_bytes(&kept.last).unwrap();
    let mut trainer = Trainer::resume(toy.setup(3), &Device::cpu(), &file, "last").unwrap();
    trainer.run(&mut kept, Control::none()).unwrap();
    assert_same(&kept, &toy.train(3));
}

#[test]
fn a_training_gone_astray_is_told_with_a_hint() {
    let mut toy = Toy::new();
    toy.settings.learning_rate = 1e30;
    let mut trainer = Trainer::new(toy.setup(1), &Device::cpu()).unwrap();
    let error = trainer
        .run(&mut Kept::default(), Control::none())
        .unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, .. }), "{error}");
    assert!(error.hint().unwrap().contains("learning_rate"));

    // In the last step, with nobody to notice.
    toy.settings = TrainingSettings {
        epochs: 1,
        batch: 100,
        optimizer: engine::optim::Sgd::default().into(),
        learning_rate: 1e3,
        l2: 1e38,
        ..toy.settings
    };
    toy.split.validation.clear();
    let mut trainer = Trainer::new(toy.setup(1), &Device::cpu()).unwrap();
    let error = trainer
        .run(&mut Kept::default(), Control::none())
        .unwrap_err();
    assert!(
        matches!(error, Error::Diverged { epoch: 1, step: 1 }),
        "{error}"
    );
}

#[test]
fn a_batch_that_does_not_fit_names_one_that_does() {
    let mut toy = Toy::new();
    toy.features = (0..30)
        .map(|_| {
            ClipFeatures::from(Windows {
                windows: 1,
                bands: 512,
                frames: 512,
                values: vec![0.0; 512 * 512],
            })
        })
        .collect();
    let layers = vec![
        Conv2d::new(512, [3, 3]).padded(Padding::Same).into(),
        MaxPool2d::new([512, 512]).into(),
        Flatten::default().into(),
        Linear::classes().into(),
    ];
    let architecture = Architecture {
        input: vec![1, 512, 512],
        layers,
    };
    toy.architecture = architecture.with_classes(3);
    toy.settings.batch = 20;
    let error = Trainer::new(toy.setup(1), &Device::cpu())
        .map(|_| ())
        .unwrap_err();
    let Error::Engine(engine::Error::Batch {
        batch: 20, largest, ..
    }) = error
    else {
        panic!("{error}");
    };
    assert!(largest < 20);
    assert!(error.hint().is_some(), "{error}");
}

#[test]
fn settings_and_files_of_other_trainings_are_refused() {
    let mut toy = Toy::new();
    let kept = toy.train(3);
    let (best, last) = (
        ModelFile::from_bytes(&kept.best).unwrap(),
        ModelFile::from_bytes(&kept.last).unwrap(),
    );
    let resume = |setup: Setup<'_>, file: &ModelFile| {
        let refused =
            Trainer::resume(setup, &Device::cpu(), file, "run/last.safetensors").map(|_| ());
        refused.unwrap_err().to_string()
    };
    assert!(
        resume(toy.setup(3), &best)
            .contains("run/last.safetensors: model file: not a file to go on from")
    );
    assert!(resume(toy.setup(4), &last).contains("other settings"));
    let mut odd = last.clone();
    odd.resume.as_mut().unwrap().counters["history"][0]["epoch"] = 9.into();
    assert!(resume(toy.setup(3), &odd).contains("does not count its epochs"));
    odd.resume.as_mut().unwrap().counters = 7.into();
    assert!(resume(toy.setup(3), &odd).contains("run/last.safetensors"));
    toy.settings.epochs = 0;
    let error = Trainer::new(toy.setup(3), &Device::cpu())
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("training.epochs"), "{error}");
    toy.settings.epochs = 1;
    toy.split.train.clear();
    let error = Trainer::new(toy.setup(3), &Device::cpu())
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("no clip to train on"), "{error}");
}

#[test]
fn damaged_models_are_refused_in_one_line() {
    let toy = Toy::new();
    let good = toy.train(3).best;
    for cut in (0..good.len()).step_by(97) {
        let error = Classifier::from_bytes(&good[..cut]).unwrap_err();
        assert!(
            matches!(error, Error::Model { .. }) && !error.to_string().contains('\n'),
            "{error}"
        );
    }
    let file = ModelFile::from_bytes(&good).unwrap();
    type Spoil = fn(&mut ModelFile);
    let cases: [(&str, Spoil); 5] = [
        ("feature settings", |f| f.features = 3.into()),
        ("frames", |f| f.features["frames"] = 0.into()),
        ("its features are 1×8×9", |f| {
            f.features["frames"] = 9.into()
        }),
        ("normalisation", |f| {
            f.normalisation["mean"] = vec![0.0, 1.0].into()
        }),
        ("normalisation", |f| {
            f.normalisation["deviation"] = vec![0.0].into()
        }),
    ];
    for (words, spoil) in cases {
        let mut file = file.clone();
        spoil(&mut file);
        let error = Classifier::from_bytes(&file.to_bytes().unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let missing = Classifier::load("no/such.safetensors")
        .unwrap_err()
        .to_string();
    assert!(missing.contains("no/such.safetensors"), "{missing}");
}
