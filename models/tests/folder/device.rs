//! Features that the device computes while it trains.

use approx::assert_abs_diff_eq;
use models::base::control::Control;
use models::recipe::Recipe;

use crate::place::{Place, assert_same_runs, recipe};

fn on_device() -> Recipe {
    let mut recipe = recipe();
    recipe.set("training.extract", "device").unwrap();
    recipe
}

#[test]
fn a_training_learns_from_sound_what_it_learns_from_features() {
    let place = Place::new();
    let train = |mut recipe: Recipe, run: &str| {
        let changes = "[{ kind = \"mixup\", alpha = 0.4 }, { kind = \"time-mask\", frames = 4 }]";
        recipe.set("training.augment", changes).unwrap();
        place.train(recipe, run, Control::none()).unwrap()
    };
    let ahead = train(recipe(), "ahead");
    let device = train(on_device(), "device");
    assert_eq!(ahead.history.len(), device.history.len());
    for (a, b) in ahead.history.iter().zip(&device.history) {
        assert_abs_diff_eq!(a.train_loss, b.train_loss, epsilon = 1e-3 * a.train_loss);
    }
    let answers = |outcome: &models::run::pipeline::Outcome| -> Vec<(String, String)> {
        let each = outcome.tested.iter();
        each.map(|clip| (clip.name.clone(), clip.answer.clone()))
            .collect()
    };
    assert_eq!(answers(&device), answers(&ahead));
    // Judged again, and elsewhere.
    let elsewhere = Place::new();
    for data in [None, Some(&*elsewhere.data())] {
        let again = place.evaluate("device", data).unwrap();
        assert_eq!(Some(again.metrics), device.metrics);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_a_run_goes_on() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let whole = place.train(on_device(), "whole", Control::none()).unwrap();
    let kept = place.train(on_device(), "kept", Control::none()).unwrap();
    assert_same_runs(&kept.run, &whole.run);
    let mut short = on_device();
    short.set("training.epochs", "2").unwrap();
    elsewhere.train(short, "short", Control::none()).unwrap();
    let longer = elsewhere.resume("short", Some(4)).unwrap();
    assert_same_runs(&longer.run, &whole.run);
}

#[test]
fn variants_of_the_sound_are_learnt_from_there_too() {
    let place = Place::new();
    let mut recipe = on_device();
    let sound = "{ variants = 1, changes = [{ kind = \"gain\", decibels = 12.0 }] }";
    recipe.set("training.sound", sound).unwrap();
    let varied = place.train(recipe, "varied", Control::none()).unwrap();
    let plain = place.train(on_device(), "plain", Control::none()).unwrap();
    let losses = |outcome: &models::run::pipeline::Outcome| outcome.history[0].train_loss;
    assert_ne!(losses(&varied), losses(&plain));
}

#[test]
fn what_cannot_be_is_named() {
    let place = Place::new();
    let clip = audio::synth::clip(0, 9, 0.3, 8000);
    place.write("g0/short.wav", &audio::wav::encode(&clip));
    let outcome = place.train(on_device(), "run", Control::none()).unwrap();
    // Filled up with silence, so that all of the dataset is there when it is judged again.
    assert_eq!(outcome.settings.data.clips, 19);
    let again = place.evaluate("run", None).unwrap();
    assert_eq!(Some(again.metrics), outcome.metrics);
    for (key, value, words) in [
        ("input.features.kind", "chroma", "chroma"),
        ("input.features.deltas", "1", "deltas"),
    ] {
        let error = on_device().set(key, value).unwrap_err().to_string();
        assert!(
            error.contains("training.extract") && error.contains(words),
            "{error}"
        );
    }
    let pictures = Place::empty();
    for number in 0..4 {
        let label = format!("g{}", number % 2);
        pictures.write(&format!("{label}/p{number}.png"), b"never read");
    }
    let error = pictures.train(on_device(), "run", Control::none());
    assert!(error.unwrap_err().to_string().contains("no sound"));
}
