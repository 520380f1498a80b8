//! From a folder of audio to a run, with everything that can be wrong with a folder.
#![cfg(feature = "report")]

#[cfg(feature = "classical")]
mod classical;
mod device;
mod layouts;
mod place;
mod ready;
mod search;
mod sound;
mod stages;

use approx::assert_abs_diff_eq;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Device;
use models::Error;
use models::base::control::{Control, Event};
use models::classify::Classifier;
use models::recipe::Recipe;
use models::run::demo::{Synthesis, synthesise};
use models::run::folder::RunFolder;
use models::run::pipeline::{Training, train_folder};
use place::{Place, assert_same_runs, recipe, warned};

#[test]
fn a_folder_becomes_a_run_that_can_be_judged_again() {
    let place = Place::new();
    place.write("g0/broken.mp3", b"no music");
    place.write("g1/notes.txt", b"left out");
    let heard = Mutex::new((Vec::new(), 0));
    let events = |event: Event<'_>| match event {
        Event::Warning(words) => heard.lock().unwrap().0.push(words.to_string()),
        Event::Epoch { .. } => heard.lock().unwrap().1 += 1,
        _ => {}
    };
    let stop = AtomicBool::new(false);
    let control = Control {
        events: &events,
        stop: &stop,
    };
    let outcome = place.train(recipe(), "run", control).unwrap();
    let (warnings, epochs) = heard.into_inner().unwrap();
    assert_eq!(epochs, 4);
    assert_eq!(warnings, outcome.warnings);
    for words in ["broken.mp3", "txt 1"] {
        assert!(
            warnings.iter().any(|warning| warning.contains(words)),
            "{words}: {warnings:?}"
        );
    }
    assert_eq!(outcome.history.len(), 4);
    assert_eq!(outcome.settings.data.split.iter().sum::<usize>(), 18);
    let metrics = outcome.metrics.unwrap();
    assert_eq!(metrics.total() as usize, outcome.tested.len());
    let run = RunFolder::open(&place.path("run")).unwrap();
    assert_eq!(run.settings().unwrap(), outcome.settings);
    assert_eq!(run.metrics().unwrap(), metrics);
    assert_eq!(run.history().unwrap(), outcome.history);
    let report = fs::read_to_string(run.report()).unwrap();
    assert!(
        report.contains("image/png")
            && report.contains("synthetic")
            && report.contains("broken.mp3")
    );
    for part in ["train", "validation"] {
        assert!(fs::read_dir(run.tensorboard().join(part)).unwrap().count() > 0);
    }

    let again = place.evaluate("run", None).unwrap();
    assert_eq!(again.metrics, metrics);
    assert_eq!(again.clips, outcome.tested);
    let own = place.evaluate("run", Some(&place.data())).unwrap();
    assert_eq!(
        own.metrics, metrics,
        "of its own dataset only the test clips are judged"
    );
    let clip = &outcome.tested[0];
    let classifier = Classifier::load(run.best()).unwrap();
    let answer = classifier.classify_file(&clip.path).unwrap();
    assert_eq!(answer.best().label, clip.answer);
    assert_abs_diff_eq!(answer.best().probability, clip.probability, epsilon = 1e-6);
    let bytes = fs::read(&clip.path).unwrap();
    assert_eq!(classifier.classify_bytes(&bytes, "it").unwrap(), answer);
    let error = classifier.classify_bytes(&bytes[..3], "it").unwrap_err();
    assert!(error.to_string().contains("it: "), "{error}");

    let error = place.train(recipe(), "run", Control::none()).unwrap_err();
    assert!(matches!(error, Error::RunExists { .. }), "{error}");
}

#[test]
fn foreign_clips_are_judged_by_label_names() {
    let place = Place::new();
    place.train(recipe(), "run", Control::none()).unwrap();
    let other = Place::new();
    fs::rename(other.data().join("g0"), other.data().join("zither")).unwrap();
    let judged = place.evaluate("run", Some(&other.data())).unwrap();
    assert_eq!(judged.metrics.total(), 12);
    assert_eq!(
        judged
            .metrics
            .classes
            .iter()
            .map(|class| class.support)
            .collect::<Vec<_>>(),
        [0, 6, 6]
    );
    assert!(
        judged
            .clips
            .iter()
            .all(|clip| clip.name.starts_with(&clip.truth))
    );
    assert!(
        judged
            .warnings
            .iter()
            .any(|warning| warning.contains("zither"))
    );
    fs::remove_dir_all(other.data().join("g1")).unwrap();
    fs::remove_dir_all(other.data().join("g2")).unwrap();
    let error = place.evaluate("run", Some(&other.data())).unwrap_err();
    assert!(error.to_string().contains("none of its labels"), "{error}");

    place.music("g2/new.wav", 2, 77);
    let error = place.evaluate("run", None).unwrap_err();
    assert!(
        error.to_string().contains("others than those") && error.hint().unwrap().contains("--data"),
        "{error}"
    );
    let all = place.evaluate("run", Some(&place.data())).unwrap();
    assert_eq!(all.metrics.total(), 19);
    warned(&all.warnings, "clips that it was trained on");
    let error = place.resume("run", Some(9)).unwrap_err();
    assert!(error.to_string().contains("others than those"), "{error}");
    assert!(
        place
            .evaluate("nothing", None)
            .unwrap_err()
            .to_string()
            .contains("holds no run")
    );
}

#[test]
fn a_stop_anywhere_and_more_epochs_give_the_same_run() {
    let place = Place::new();
    let whole = place.train(recipe(), "whole", Control::none()).unwrap();
    for (name, at) in [("features", 0), ("step", 2), ("later", 5)] {
        let stop = AtomicBool::new(false);
        let steps = AtomicBool::new(false);
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let events = |event: Event<'_>| match event {
            Event::Features { .. } if at == 0 => stop.store(true, Ordering::Relaxed),
            Event::Step { .. } if seen.fetch_add(1, Ordering::Relaxed) + 1 == at => {
                steps.store(true, Ordering::Relaxed);
                stop.store(true, Ordering::Relaxed);
            }
            _ => {}
        };
        let control = Control {
            events: &events,
            stop: &stop,
        };
        let error = place.train(recipe(), name, control).unwrap_err();
        assert!(matches!(error, Error::Stopped), "{name}: {error}");
        assert_eq!(steps.into_inner(), at > 0);
        assert!(!place.path(name).join("metrics.json").exists());
        let outcome = place.resume(name, None).unwrap();
        assert_same_runs(&outcome.run, &whole.run);
    }
    let mut short = recipe();
    short.set("training.epochs", "2").unwrap();
    place.train(short, "longer", Control::none()).unwrap();
    let longer = place.resume("longer", Some(4)).unwrap();
    assert_same_runs(&longer.run, &whole.run);
    assert_eq!(longer.settings.recipe, whole.settings.recipe);
}

#[test]
fn folders_that_cannot_be_learnt_from_leave_nothing_behind() {
    let place = Place {
        dir: tempfile::tempdir().unwrap(),
    };
    let refused = |words: &str| {
        let error = place.train(recipe(), "run", Control::none()).unwrap_err();
        assert!(
            error.to_string().contains(words) && !error.to_string().contains('\n'),
            "{words}: {error}"
        );
        assert!(!place.path("run").exists(), "{words}");
    };
    refused("data");
    fs::create_dir_all(place.data().join("empty")).unwrap();
    refused("no audio");
    place.music("only/a.wav", 0, 0);
    refused("only one label");
    let mut wrong = recipe();
    wrong.training.epochs = 0;
    let error = place.train(wrong, "run", Control::none()).unwrap_err();
    assert!(error.to_string().contains("training.epochs"), "{error}");
    place.music("other/a.wav", 1, 0);
    let mut wrong = recipe();
    wrong.architecture.input = vec![1, 9, 9];
    let error = place.train(wrong, "run", Control::none()).unwrap_err();
    assert!(error.to_string().contains("its input is 1×9×9"), "{error}");
    assert!(!place.path("run").exists());
    let training = Training {
        data: &place.data(),
        recipe: recipe(),
        out: &place.path("run"),
        seed: u64::MAX,
        cache: None,
        profile: false,
    };
    let error = train_folder(&training, &Device::cpu(), Control::none()).unwrap_err();
    assert!(error.to_string().contains("seed"), "{error}");
    assert!(!place.path("run").exists());

    place.write("other/a.wav", b"");
    let error = place.train(recipe(), "run", Control::none()).unwrap_err();
    assert!(error.to_string().contains("only one label"), "{error}");
}

#[test]
fn a_label_with_one_clip_is_trained_on_and_warned_of() {
    let place = Place::new();
    place.music("rare/one.wav", 4, 1);
    let outcome = place.train(recipe(), "run", Control::none()).unwrap();
    assert!(
        outcome
            .warnings
            .iter()
            .any(|warning| warning.starts_with("rare: 1 clip in 1 group")),
        "{:?}",
        outcome.warnings
    );
    let rare = outcome.metrics.unwrap().classes.pop().unwrap();
    assert_eq!((rare.label.as_str(), rare.support), ("rare", 0));
}

#[test]
fn everything_may_train_and_then_nothing_is_tested() {
    let place = Place::new();
    let mut all = recipe();
    all.set("split.test", "0.0").unwrap();
    all.set("split.validation", "0").unwrap();
    let outcome = place.train(all, "run", Control::none()).unwrap();
    assert!(outcome.metrics.is_none() && outcome.tested.is_empty());
    assert_eq!(outcome.best_epoch, 4);
    assert!(
        outcome
            .warnings
            .iter()
            .any(|warning| warning.contains("kept for a test"))
    );
    assert!(
        fs::read_to_string(outcome.run.report())
            .unwrap()
            .contains("Learning curves")
    );
    assert!(
        place
            .evaluate("run", None)
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("--data")
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_used_and_warned_of() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let folder = place.data().join(OsStr::from_bytes(b"sch\xf6n"));
    fs::create_dir(&folder).unwrap();
    for number in 0..5u64 {
        let clip = audio::synth::clip(5, number, 1.0, 8000);
        let name = [b"\xfc-".as_slice(), number.to_string().as_bytes(), b".wav"].concat();
        fs::write(
            folder.join(OsStr::from_bytes(&name)),
            audio::wav::encode(&clip),
        )
        .unwrap();
    }
    let outcome = place.train(recipe(), "run", Control::none()).unwrap();
    assert!(
        outcome
            .warnings
            .iter()
            .any(|warning| warning.contains("not UTF-8"))
    );
    assert_eq!(outcome.settings.data.clips, 23);
    assert_eq!(outcome.settings.data.labels[3], "sch\u{fffd}n");
    place.evaluate("run", None).unwrap();
}

#[test]
fn damaged_and_blocked_run_folders_are_named() {
    let place = Place::new();
    fs::create_dir(place.path("blocked")).unwrap();
    fs::write(place.path("blocked/tensorboard"), b"a file").unwrap();
    let error = place
        .train(recipe(), "blocked", Control::none())
        .unwrap_err();
    assert!(error.to_string().contains("tensorboard"), "{error}");
    assert!(!place.path("blocked").join("best.safetensors").exists());
    fs::write(place.path("file"), b"").unwrap();
    let error = place.train(recipe(), "file", Control::none()).unwrap_err();
    assert!(
        matches!(error, Error::Io { .. }) && error.to_string().contains("file"),
        "{error}"
    );

    let outcome = place.train(recipe(), "run", Control::none()).unwrap();
    for path in [outcome.run.last(), outcome.run.best()] {
        let good = fs::read(&path).unwrap();
        fs::write(&path, &good[..good.len() / 2]).unwrap();
        let error = match path == outcome.run.last() {
            true => place.resume("run", None).unwrap_err(),
            false => place.evaluate("run", None).unwrap_err(),
        };
        let name = path.display().to_string();
        assert!(
            error.to_string().contains(&name) && !error.to_string().contains('\n'),
            "{error}"
        );
        fs::write(&path, good).unwrap();
    }
    place.evaluate("run", None).unwrap();
}

#[test]
fn synthetic_music_is_dealt_to_all_labels_and_is_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut synthesis = Synthesis {
        dir: dir.path(),
        clips: 23,
        seconds: 0.2,
        sample_rate: 8000,
        seed: 1,
    };
    let paths = synthesise(&synthesis, Control::none()).unwrap();
    assert_eq!(paths.len(), 23);
    assert!(
        paths[22].ends_with("country/country.00002.wav"),
        "{:?}",
        paths[22]
    );
    let bytes = fs::read(&paths[22]).unwrap();
    synthesise(&synthesis, Control::none()).unwrap();
    assert_eq!(fs::read(&paths[22]).unwrap(), bytes);
    synthesis.seed = 2;
    synthesise(&synthesis, Control::none()).unwrap();
    assert_ne!(fs::read(&paths[22]).unwrap(), bytes);
    for (clips, seconds, sample_rate, words) in [
        (0, 1.0, 8000, "clips"),
        (1, f32::NAN, 8000, "seconds"),
        (1, 1e9, 8000, "seconds"),
        (1, 1.0, 7, "sample_rate"),
    ] {
        let wrong = Synthesis {
            clips,
            seconds,
            sample_rate,
            ..synthesis
        };
        let error = synthesise(&wrong, Control::none()).unwrap_err();
        assert!(error.to_string().starts_with(words), "{error}");
    }
}

#[test]
fn settings_are_changed_by_name() {
    let mut recipe = Recipe::load("georgopoulos-cnn").unwrap();
    for (key, value) in [
        ("split.test", "4-*"),
        ("training.patience", "3"),
        ("training.best", "last"),
        ("split.group", "fields:1"),
    ] {
        recipe.set(key, value).unwrap();
    }
    assert_eq!(recipe.split.test.to_string(), "4-*");
    assert_eq!(recipe.training.patience, Some(3));
    let before = recipe.clone();
    for (key, value, words) in [
        ("training.epoch", "3", "epoch"),
        ("training.epochs", "0", "training.epochs"),
        ("training.epochs", "many", "training.epochs = many"),
        ("training.epochs.more", "1", "no such setting"),
        ("training.epochs", "3\nlearning_rate = 1", "training.epochs"),
        ("input.features.n_mels", "-4", "n_mels"),
        ("", "1", "unknown field"),
    ] {
        let error = recipe.set(key, value).unwrap_err().to_string();
        assert!(error.contains(words), "{key} = {value}: {error}");
        assert_eq!(recipe, before);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    fs::write(
        &path,
        "layers = [{ kind = \"Flatten\" }, { kind = \"Linear\", out_features = \"classes\" }]",
    )
    .unwrap();
    let mine = recipe.with_architecture(&path).unwrap();
    assert_eq!(mine.name, "mine");
    let network = mine.architecture_for(7).unwrap();
    assert_eq!(network.summary().unwrap().parameters, (128 * 128 + 1) * 7);
    fs::write(&path, "layers = [{ kind = \"Flaten\" }]").unwrap();
    let error = recipe.with_architecture(&path).unwrap_err().to_string();
    assert!(
        error.contains("mine.toml: line 1") && error.contains("`Flatten`"),
        "{error}"
    );
    fs::write(&path, "layers = [{ kind = \"Flatten\" }]").unwrap();
    let error = recipe
        .with_architecture(&path)
        .unwrap()
        .architecture_for(7)
        .unwrap_err()
        .to_string();
    assert!(error.contains("puts out 16384 for 7 labels"), "{error}");
}
