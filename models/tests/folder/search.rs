//! A search that was stopped in its first trial.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Device;
use models::Error;
use models::base::control::{Control, Event};
use models::recipe::Recipe;
use models::run::pipeline::Training;
use models::run::search::{resume, search};

use crate::place::{Place, recipe};

#[test]
fn a_search_that_has_begun_is_gone_on_with_alone_and_on_the_same_clips() {
    let place = Place::new();
    let (data, out) = (place.data(), place.path("found"));
    let ranges = |range: &str| -> Recipe {
        let mut recipe = recipe();
        recipe.set_range("training.learning_rate", range).unwrap();
        recipe
    };
    let begin = |range: &str, control: Control<'_>| {
        let training = Training {
            data: &data,
            recipe: ranges(range),
            out: &out,
            seed: 5,
            cache: None,
            profile: false,
        };
        search(&training, 1, &Device::cpu(), control).unwrap_err()
    };
    let stop = AtomicBool::new(false);
    let events = |event: Event<'_>| {
        if matches!(event, Event::Epoch { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let control = Control {
        events: &events,
        stop: &stop,
    };
    assert!(matches!(begin("[0.001]", control), Error::Stopped));
    let again = begin("[0.01]", Control::none());
    assert!(matches!(again, Error::RunExists { .. }), "{again}");

    // Also trials that have not begun know which clips the search began with.
    fs::remove_dir_all(out.join("trial-001")).unwrap();
    place.music("g2/new.wav", 2, 77);
    let error = resume(&out, None, None, &Device::cpu(), Control::none()).unwrap_err();
    assert!(error.to_string().contains("others than those"), "{error}");
    fs::remove_file(data.join("g2/new.wav")).unwrap();
    let found = resume(&out, None, None, &Device::cpu(), Control::none()).unwrap();
    assert_eq!((found.best, found.trials.len()), (Some(1), 1));
}
