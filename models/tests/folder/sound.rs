//! Variants of training clips, their sound changed: each change from end to end.

use std::fs;
use std::path::Path;

use models::base::control::Control;
use models::recipe::Recipe;

use crate::place::{Place, assert_same_runs, recipe, weights};

const CHANGES: [&str; 6] = [
    "{ kind = \"time-stretch\", by = 0.3 }",
    "{ kind = \"pitch-shift\", semitones = 3.0 }",
    "{ kind = \"gain\", decibels = 12.0 }",
    "{ kind = \"noise\", snr = 10.0 }",
    "{ kind = \"time-shift\", up_to = 0.5 }",
    "{ kind = \"crop\", seconds = 0.6 }",
];

fn with(variants: usize, changes: &str) -> Recipe {
    let mut recipe = recipe();
    recipe.set("training.epochs", "2").unwrap();
    let sound = format!("{{ variants = {variants}, changes = [{changes}] }}");
    recipe.set("training.sound", &sound).unwrap();
    recipe
}

fn without() -> Recipe {
    let mut recipe = with(1, CHANGES[0]);
    recipe.training.sound = None;
    recipe
}

/// Entries of the cache.
fn entries(dir: &Path) -> usize {
    let folders = fs::read_dir(dir).unwrap();
    let files = folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count());
    files.sum()
}

#[test]
fn every_change_makes_another_training_and_always_the_same() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let plain = place.train(without(), "plain", Control::none()).unwrap();
    let model = |run: &str| fs::read(place.path(run).join("best.safetensors")).unwrap();
    for (number, change) in CHANGES.into_iter().enumerate() {
        let [name, again] = ["", "-again"].map(|what| format!("change{number}{what}"));
        let varied = place
            .train(with(1, change), &name, Control::none())
            .unwrap();
        assert_ne!(model(&name), model("plain"), "{change}");
        assert_eq!(varied.warnings, plain.warnings, "{change}");
        // From the cache, and without it.
        let cached = place
            .train(with(1, change), &again, Control::none())
            .unwrap();
        assert_same_runs(&cached.run, &varied.run);
        let fresh = elsewhere
            .train(with(1, change), &name, Control::none())
            .unwrap();
        assert_same_runs(&fresh.run, &varied.run);
    }
}

#[test]
fn only_training_clips_have_variants() {
    let place = Place::new();
    let cache = place.path("cache");
    let plain = place.train(without(), "plain", Control::none()).unwrap();
    assert_eq!(entries(&cache), 18);
    let all = CHANGES.join(", ");
    let varied = place.train(with(2, &all), "two", Control::none()).unwrap();
    let split = varied.settings.data.split;
    assert_eq!(split, plain.settings.data.split);
    assert_eq!(entries(&cache), 18 + 2 * split[0]);
    // What there is of them is found again.
    place
        .train(with(3, &all), "three", Control::none())
        .unwrap();
    assert_eq!(entries(&cache), 18 + 3 * split[0]);
    let normalisation = |run: &str| {
        let file = fs::read(place.path(run).join("best.safetensors")).unwrap();
        engine::ModelFile::from_bytes(&file).unwrap().normalisation
    };
    assert_eq!(normalisation("plain"), normalisation("two"));

    // A run that goes on finds them too.
    let mut short = with(2, &all);
    short.set("training.epochs", "1").unwrap();
    place.train(short, "short", Control::none()).unwrap();
    let longer = place.resume("short", Some(2)).unwrap();
    assert_same_runs(&longer.run, &varied.run);
    assert_ne!(weights(&longer.run.last()), weights(&plain.run.last()));
}

#[test]
fn what_has_no_sound_is_refused() {
    let place = Place {
        dir: tempfile::tempdir().unwrap(),
    };
    for number in 0..4 {
        let label = format!("g{}", number % 2);
        place.write(&format!("{label}/p{number}.png"), b"never read");
    }
    let error = place
        .train(with(1, CHANGES[3]), "run", Control::none())
        .unwrap_err()
        .to_string();
    for words in ["training.sound", "g0/p0 is a picture", "need sound"] {
        assert!(error.contains(words), "{error}");
    }
    assert!(!place.path("run").exists());
}

#[test]
fn a_table_has_no_sound_either() {
    let place = Place {
        dir: tempfile::tempdir().unwrap(),
    };
    let mut table = String::from("filename,one,two,label\n");
    for row in 0..12 {
        table += &format!("clip{row}.wav,{row},1,label{}\n", row % 2);
    }
    place.write("features.csv", table.as_bytes());
    let text = "name = \"own\"\n[input]\nframes = 1\ncolumns = [\"*\"]\n[input.features]\nkind = \"mel\"\n\
                [training.sound]\nchanges = [{ kind = \"gain\", decibels = 3.0 }]\n\
                [architecture]\nlayers = [{ kind = \"Flatten\" }, { kind = \"Linear\", out_features = \"classes\" }]";
    let recipe = Recipe::parse(text, Path::new("own.toml")).unwrap();
    assert_eq!(recipe.training.sound.as_ref().unwrap().variants, 1);
    let error = place.train(recipe, "run", Control::none()).unwrap_err();
    assert!(error.to_string().contains("is a table row"), "{error}");
}

#[test]
fn a_file_that_is_gone_costs_its_variants() {
    let place = Place::new();
    let gone = std::sync::Mutex::new(false);
    // Once the features are there, before those of the variants.
    let events = |event: models::base::control::Event<'_>| {
        if let models::base::control::Event::Split { .. } = event {
            for number in 0..6 {
                fs::remove_file(place.data().join(format!("g1/t{number}.wav"))).unwrap();
            }
            *gone.lock().unwrap() = true;
        }
    };
    let control = Control {
        events: &events,
        ..Control::none()
    };
    let outcome = place.train(with(1, CHANGES[3]), "run", control).unwrap();
    assert!(gone.into_inner().unwrap());
    let missing = outcome
        .warnings
        .iter()
        .filter(|words| words.contains("g1") && words.contains("without variants"));
    assert!((2..6).contains(&missing.count()), "{:?}", outcome.warnings);
}

#[test]
fn pieces_are_no_shorter_than_windows() {
    let mut recipe = recipe();
    let crop = "{ changes = [{ kind = \"crop\", seconds = 0.4 }] }";
    let error = recipe.set("training.sound", crop).unwrap_err().to_string();
    assert!(
        error.contains("shorter than a window") && error.contains("0.5"),
        "{error}"
    );
}

#[cfg(feature = "classical")]
#[test]
fn classifiers_that_are_no_networks_learn_from_variants_too() {
    let place = Place::new();
    let text = "name = \"own\"\n[input]\nframes = 1\nnormalise = \"band\"\n\
                [input.features]\nkind = \"mfcc\"\nsample_rate = 8000\nn_fft = 512\nhop = 256\nn_mels = 16\nn_mfcc = 13\n\
                statistics = [\"mean\", \"std\"]\n[split]\nvalidation = 0.0\ntest = 0.25\n[classifier]\nkind = \"svm\"";
    let recipe = Recipe::parse(text, Path::new("own.toml")).unwrap();
    let mut varied = recipe.clone();
    let sound = format!("{{ variants = 2, changes = [{}] }}", CHANGES[3]);
    varied.set("training.sound", &sound).unwrap();
    let model = |recipe: &Recipe, run: &str| {
        let outcome = place.train(recipe.clone(), run, Control::none()).unwrap();
        assert!(outcome.metrics.unwrap().accuracy > 0.5, "{run}");
        fs::read(place.path(run).join("model.json")).unwrap()
    };
    let plain = model(&recipe, "plain");
    assert_ne!(plain, model(&varied, "varied"));
    assert_eq!(model(&varied, "again"), model(&varied, "varied2"));
}
