//! Files good and bad, the cache, copies, an early stop.

use super::*;
use crate::data::group::GroupRule;
use crate::recipe::Recipe;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn music(genre: usize, seed: u64) -> Vec<u8> {
    audio::wav::encode(&audio::synth::clip(genre, seed, 1.0, 8000))
}

fn input() -> Input {
    Recipe::load("demo").unwrap().input
}

fn ready(data: Dataset, cache: &Cache, control: Control<'_>) -> Result<Prepared, Error> {
    prepare(data, &input(), Extract::Ahead, cache, control)
}

fn dataset(dir: &Path) -> Dataset {
    for genre in 0..2 {
        for seed in 0..2 {
            write(dir, &format!("g{genre}/t{seed}.wav"), &music(genre, seed));
        }
    }
    write(dir, "g0/empty.wav", b"");
    write(dir, "g0/lies.mp3", b"no music at all");
    write(dir, "only-bad/zero.wav", &[0; 64]);
    Dataset::scan(dir, GroupRule::Take).unwrap()
}

#[test]
fn bad_files_cost_a_warning_each_and_the_rest_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let prepared = ready(dataset(dir.path()), &Cache::off(), Control::none()).unwrap();
    assert_eq!(prepared.dataset.labels, ["g0", "g1"]);
    assert_eq!(prepared.dataset.counts(), [2, 2]);
    for words in [
        "empty.wav",
        "lies.mp3",
        "zero.wav",
        "only-bad: not one clip",
    ] {
        assert!(
            prepared
                .dataset
                .warnings
                .iter()
                .any(|warning| warning.contains(words)),
            "{words}: {:?}",
            prepared.dataset.warnings
        );
    }
    assert!(
        prepared
            .features
            .iter()
            .all(|one| one.windows() == 1 && one.shape() == [64, 64])
    );
}

#[test]
fn the_cache_gives_the_same_numbers_and_survives_damage() {
    let (dir, cache_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = Cache::open(cache_dir.path(), &input());
    let fresh = ready(dataset(dir.path()), &cache, Control::none()).unwrap();
    let content = ContentHash::of(&music(0, 0));
    let entry = cache.entry(content).unwrap();
    assert!(entry.exists());
    fs::write(entry, b"damaged").unwrap();
    let again = ready(dataset(dir.path()), &cache, Control::none()).unwrap();
    assert_eq!(again.features, fresh.features);
    assert_eq!(again.fingerprint, fresh.fingerprint);
    assert!(
        cache.get(content).is_some(),
        "the damaged entry is written anew"
    );
    let off = Cache::off();
    let in_memory = ready(dataset(dir.path()), &off, Control::none()).unwrap();
    for (kept, fresh) in in_memory.features.iter().zip(&fresh.features) {
        assert_ne!(kept, fresh, "what a cache has stays on disk");
        let (mut a, mut b) = (Vec::new(), Vec::new());
        kept.read(0, &mut a).unwrap();
        fresh.read(0, &mut b).unwrap();
        assert_eq!(a, b);
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_one_warning() {
    let dir = tempfile::tempdir().unwrap();
    let data = dataset(dir.path());
    write(dir.path(), "blocked", b"a file where the cache should be");
    let warnings = Mutex::new(Vec::new());
    let events = |event: Event<'_>| {
        if let Event::Warning(words) = event {
            warnings.lock().unwrap().push(words.to_string());
        }
    };
    let control = Control {
        events: &events,
        stop: &AtomicBool::new(false),
    };
    ready(
        data,
        &Cache::open(&dir.path().join("blocked"), &input()),
        control,
    )
    .unwrap();
    assert_eq!(warnings.lock().unwrap().len(), 1);
}

#[test]
fn copies_stay_together_and_the_fingerprint_sees_content_and_names() {
    let dir = tempfile::tempdir().unwrap();
    let before = ready(dataset(dir.path()), &Cache::off(), Control::none()).unwrap();
    write(dir.path(), "g0/other-name.wav", &music(0, 0));
    write(dir.path(), "g1/wrong-label.wav", &music(0, 0));
    let data = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
    let after = ready(data, &Cache::off(), Control::none()).unwrap();
    let group = |name: &str| {
        after
            .dataset
            .items
            .iter()
            .find(|item| item.name == name)
            .unwrap()
            .group
            .clone()
    };
    assert_eq!(group("g0/other-name"), group("g0/t0"));
    assert!(
        after
            .dataset
            .warnings
            .iter()
            .any(|warning| warning.contains("under another label"))
    );
    assert_ne!(before.fingerprint, after.fingerprint);
}

#[test]
fn nothing_usable_and_a_stop_are_typed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a/x.wav", b"");
    let data = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
    let error = ready(data.clone(), &Cache::off(), Control::none()).unwrap_err();
    assert!(error.to_string().contains("none of its 1 clips"), "{error}");
    let control = Control {
        stop: &AtomicBool::new(true),
        ..Control::none()
    };
    assert!(matches!(
        ready(data, &Cache::off(), control),
        Err(Error::Stopped)
    ));
}
