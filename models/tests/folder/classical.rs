//! Classifiers that are no networks, from end to end: on a feature table and on sound.

use approx::abs_diff_eq;
use std::fmt::Write as _;
use std::fs;

use audio::Segment;
use engine::Device;
use models::Error;
use models::base::control::Control;
use models::recipe::Recipe;
use models::run::folder::RunFolder;
use models::run::pipeline::{
    ClipAnswer, Evaluating, Outcome, Resuming, TrainedModel, Training, evaluate_run, resume,
    train_folder,
};

use crate::place::{Place, recipe};

/// A table whose labels lie in three corners of two of its columns.
fn table(rows: usize) -> String {
    let mut text = String::from("filename,one,constant,two,label\n");
    for row in 0..rows {
        let angle = row as f64;
        let (x, y) = ((angle * 1.7).sin(), (angle * 2.3).cos());
        let (label, x, y) = match row % 3 {
            0 => ("blues", x, y),
            1 => ("jazz", x + 2.5, y),
            _ => ("rock", x, y + 2.5),
        };
        writeln!(text, "clip{row:05}.wav,{x:.6},7,{y:.6},{label}").unwrap();
    }
    text
}

fn of_table(classifier: &str) -> Recipe {
    let text = format!(
        "name = \"own\"\n[input]\nframes = 1\ncolumns = [\"*\"]\nnormalise = \"band\"\n[input.features]\nkind = \
         \"mel\"\n[split]\nvalidation = 0.0\ntest = 0.25\n[classifier]\n{classifier}"
    );
    Recipe::parse(&text, "own.toml".as_ref()).unwrap()
}

const VOTE: &str = "kind = \"vote\"\nmembers = [{ kind = \"trees\", rounds = 10, rows = 0.8 }, { kind = \"svm\" }]";

fn train(place: &Place, classifier: &str, run: &str) -> Result<Outcome, Error> {
    place.write("features.csv", table(120).as_bytes());
    let training = Training {
        data: &place.data().join("features.csv"),
        recipe: of_table(classifier),
        out: &place.path(run),
        seed: 5,
        cache: None,
        profile: false,
    };
    train_folder(&training, &Device::cpu(), Control::none())
}

#[test]
fn every_classifier_learns_a_table_and_is_judged_again_alike() {
    let place = Place::empty();
    for (name, classifier) in [
        ("depth", "kind = \"trees\"\nrounds = 20"),
        (
            "leaf",
            "kind = \"trees\"\nrounds = 20\ngrowth = \"leaf\"\nleaves = 4",
        ),
        ("svm", "kind = \"svm\""),
        ("logistic", "kind = \"logistic\""),
        ("neighbours", "kind = \"neighbours\""),
        ("vote", VOTE),
    ] {
        let outcome = train(&place, classifier, name).unwrap();
        let metrics = outcome.metrics.as_ref().unwrap();
        assert_eq!(metrics.total(), 30, "{name}");
        assert!(metrics.accuracy > 0.75, "{name}: {}", metrics.accuracy);
        assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
        let sure = |p: f64| (1.0 / 3.0..=1.0).contains(&p);
        assert!(outcome.tested.iter().all(|clip| sure(clip.probability)));
        let run = RunFolder::open(&place.path(name)).unwrap();
        assert!(run.trained().ends_with("model.json") && !run.best().exists());
        let report = fs::read_to_string(run.report()).unwrap();
        assert!(report.contains("Confusion matrix") && !report.contains("Learning curves"));
        // Rows have nothing to show but their names, right ones and wrong ones.
        assert!(report.contains("What it heard") && !report.contains("<img"));
        let named = |clip: &ClipAnswer| report.contains(&format!("\"file\">{}<", clip.name));
        let mut tested = outcome.tested.iter();
        assert!(tested.any(named) && report.contains("% sure"));
        assert_eq!(report.contains(", said "), metrics.accuracy < 1.0, "{name}");
        let evaluating = Evaluating {
            run: run.dir(),
            data: None,
            cache: None,
        };
        let again = evaluate_run(&evaluating, &Device::cpu(), Control::none()).unwrap();
        assert_eq!((&again.metrics, &again.clips), (metrics, &outcome.tested));
    }
}

#[test]
fn the_same_seed_writes_the_same_model_and_resuming_fits_anew() {
    let place = Place::empty();
    train(&place, VOTE, "one").unwrap();
    train(&place, VOTE, "two").unwrap();
    let model = |run: &str| fs::read(place.path(run).join("model.json")).unwrap();
    assert_eq!(model("one"), model("two"));
    fs::remove_file(place.path("two").join("model.json")).unwrap();
    let resuming = Resuming {
        run: &place.path("two"),
        data: None,
        epochs: None,
        cache: None,
        profile: false,
    };
    resume(&resuming, &Device::cpu(), Control::none()).unwrap();
    assert_eq!(model("one"), model("two"));
    assert!(matches!(
        train(&place, VOTE, "one"),
        Err(Error::RunExists { .. })
    ));
}

#[test]
fn a_damaged_model_is_refused_by_name() {
    let place = Place::empty();
    train(&place, "kind = \"trees\"\nrounds = 2", "run").unwrap();
    let path = place.path("run").join("model.json");
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [
        text[..text.len() / 2].to_string(),
        text.replace("[1,", "[9,")
            .replace("[0,", "[9,")
            .replace("[2,", "[9,"),
        text.replace("\"jazz\",", ""),
        text.replace("\"frames\":1", "\"frames\":0"),
        text.replace("\"trees\":[[", "\"trees\":[[],["),
    ] {
        assert_ne!(damaged, text);
        fs::write(&path, damaged).unwrap();
        let evaluating = Evaluating {
            run: &place.path("run"),
            data: None,
            cache: None,
        };
        let error = evaluate_run(&evaluating, &Device::cpu(), Control::none()).unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("model.json") && !words.contains('\n'),
            "{words}"
        );
    }
}

#[test]
fn sound_is_learnt_from_window_by_window() {
    let place = Place::new();
    let mut recipe = recipe();
    recipe.architecture.layers.clear();
    recipe.classifier = Some(toml("kind = \"trees\"\nrounds = 10"));
    recipe.check().unwrap();
    let outcome = place.train(recipe, "run", Control::none()).unwrap();
    let metrics = outcome.metrics.unwrap();
    assert_eq!(metrics.total() as usize, outcome.tested.len());
    assert!(metrics.accuracy > 0.5, "{}", metrics.accuracy);
}

#[test]
fn sound_files_are_named_by_what_was_learnt() {
    let place = Place::new();
    let table = "name = \"own\"\n[input]\nframes = 1\nnormalise = \"band\"\n[input.features]\nkind = \"gtzan\"\n[split]\n\
                 validation = 0.0\ntest = 0.5\n[classifier]\nkind = \"vote\"\nmembers = [{ kind = \"logistic\" }, { kind = \
                 \"neighbours\" }]";
    let table = Recipe::parse(table, "own.toml".as_ref()).unwrap();
    let mut windows = recipe();
    windows.architecture.layers.clear();
    windows.classifier = Some(toml("kind = \"svm\""));
    for (recipe, run) in [
        (table, "table"),
        (windows, "windows"),
        (recipe(), "network"),
    ] {
        let outcome = place.train(recipe, run, Control::none()).unwrap();
        for model in [place.path(run), outcome.run.trained()] {
            let trained = TrainedModel::load(&model, &Device::cpu()).unwrap();
            for clip in &outcome.tested {
                let answer = trained.classify_segment(&clip.path, &Segment::default());
                let answer = answer.unwrap();
                let best = answer.best();
                assert_eq!((&best.label, answer.ranking.len()), (&clip.answer, 3));
                assert!(
                    abs_diff_eq!(best.probability, clip.probability, epsilon = 1e-6),
                    "{run}"
                );
            }
        }
    }
    train(&place, "kind = \"svm\"", "ready").unwrap();
    let trained = TrainedModel::load(&place.path("ready"), &Device::cpu()).unwrap();
    let sound = place.data().join("g0/t0.wav");
    let error = trained.classify_segment(&sound, &Segment::default());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("t0.wav: sound") && error.contains("ready table"),
        "{error}"
    );
}

fn toml(classifier: &str) -> models::classical::Classical {
    of_table(classifier).classifier.unwrap()
}

#[test]
fn a_recipe_has_a_network_or_a_classifier() {
    let recipe = of_table("kind = \"svm\"");
    let error = recipe.architecture_for(3).unwrap_err().to_string();
    assert!(error.contains("svm"), "{error}");
    let mut both = self::recipe();
    both.classifier = recipe.classifier.clone();
    assert!(
        both.check()
            .unwrap_err()
            .to_string()
            .starts_with("classifier")
    );
    let mut neither = recipe;
    neither.classifier = None;
    assert!(
        neither
            .check()
            .unwrap_err()
            .to_string()
            .starts_with("architecture")
    );
}
