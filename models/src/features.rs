//! From the files of a dataset to features, through the cache, on all threads.
//!
//! A file that cannot be read or decoded costs one warning; the rest goes on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use kernels::Device;
#[cfg(feature = "threads")]
use rayon::prelude::*;

use crate::cache::{Cache, ContentHash};
use crate::control::{Control, Event};
use crate::dataset::{Content, Dataset, Item};
use crate::examples::ClipFeatures;
use crate::input::Input;
use crate::{Error, files};

/// A dataset and what the network sees of it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The clips that could be used; copies of one recording share a group.
    pub dataset: Dataset,
    /// The features of every clip of `dataset.items`.
    pub features: Vec<ClipFeatures>,
    /// A hash of every clip's name and content, in order: what figures depend on.
    pub fingerprint: String,
}

/// Features beyond this many bytes stay in the cache on disk, where there is one, and are read when they are needed:
/// memory does not grow with the dataset.
const IN_MEMORY: u64 = 1 << 30;

/// Computes the features of all clips, or takes them from the cache.
///
/// Features are always computed on the CPU, one clip per thread, so that they do
/// not depend on the device that trains.
///
/// # Errors
/// [`Error::Stopped`]; [`Error::Dataset`] when not one clip can be used.
pub fn prepare(
    dataset: Dataset,
    input: &Input,
    cache: &Cache,
    control: Control<'_>,
) -> Result<Prepared, Error> {
    prepare_within(IN_MEMORY, dataset, input, cache, control)
}

fn prepare_within(
    bytes: u64,
    dataset: Dataset,
    input: &Input,
    cache: &Cache,
    control: Control<'_>,
) -> Result<Prepared, Error> {
    let work = Work {
        device: Device::cpu(),
        input,
        cache,
        control,
        bytes,
        used: AtomicU64::new(0),
    };
    let (done, total) = (AtomicUsize::new(0), dataset.items.len());
    let one = |item: &Item| {
        control.check()?;
        let result = work.clip(item);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        control.tell(Event::Features { done, total });
        Ok(result)
    };
    #[cfg(feature = "threads")]
    let results: Result<Vec<_>, Error> = dataset.items.par_iter().map(one).collect();
    #[cfg(not(feature = "threads"))]
    let results: Result<Vec<_>, Error> = dataset.items.iter().map(one).collect();

    let mut dataset = dataset;
    let mut warnings = std::mem::take(&mut dataset.warnings);
    let items = std::mem::take(&mut dataset.items);
    let (mut kept, mut features, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (item, result) in items.into_iter().zip(results?) {
        match result {
            Ok((hash, windows)) => {
                kept.push(item);
                hashes.push(hash);
                features.push(windows);
            }
            Err(error) => warnings.push(format!("{error}; left out")),
        }
    }
    if kept.is_empty() {
        let reason = format!(
            "none of its {total} clips can be used: {}",
            warnings.last().map_or("", String::as_str)
        );
        return Err(Error::Dataset {
            dir: dataset.dir,
            reason,
            hint: "clips are WAV or MP3 files, or PNG pictures",
        });
    }
    join_copies(&mut kept, &hashes, &mut warnings);
    let names = kept
        .iter()
        .zip(&hashes)
        .map(|(item, hash)| (item.name.clone(), *hash));
    let fingerprint = ContentHash::of_all(names).to_string();
    (dataset.items, dataset.warnings) = (kept, warnings);
    drop_empty_labels(&mut dataset);
    Ok(Prepared {
        dataset,
        features,
        fingerprint,
    })
}

struct Work<'a> {
    device: Device,
    input: &'a Input,
    cache: &'a Cache,
    control: Control<'a>,
    /// How much may lie in memory, and how much does.
    bytes: u64,
    used: AtomicU64,
}

impl Work<'_> {
    /// The features of one clip.
    fn clip(&self, item: &Item) -> Result<(ContentHash, ClipFeatures), Error> {
        if let Content::Row(row) = &item.content {
            let bytes = row.values.iter().flat_map(|value| value.to_le_bytes());
            let hash = ContentHash::of(&bytes.collect::<Vec<u8>>());
            return Ok((hash, self.input.row(row, &item.name)?.into()));
        }
        let limits = audio::Limits::default();
        let size = item
            .path
            .metadata()
            .map_err(Error::io("read", &item.path))?
            .len();
        if size > limits.max_bytes {
            let reason = format!("{size} bytes, the limit is {}", limits.max_bytes);
            return Err(Error::Malformed {
                path: item.path.clone(),
                reason,
            });
        }
        let bytes = files::read_bytes(&item.path)?;
        let hash = ContentHash::of(&bytes);
        let windows = match self.cache.get(hash) {
            Some(windows) => windows,
            None => {
                let name = item.path.display().to_string();
                let windows = match &item.content {
                    Content::Picture => self.input.picture(&bytes, &item.path)?,
                    Content::Sound | Content::Row(_) => {
                        let clip = audio::decode_bytes(&bytes, &name, &limits)?;
                        self.input.windows(&self.device, &clip, &name)?
                    }
                };
                if let Some(warning) = self.cache.put(hash, &windows) {
                    self.control.tell(Event::Warning(&warning));
                }
                windows
            }
        };
        let bytes = 4 * windows.values.len() as u64;
        let full = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes;
        let entry = self
            .cache
            .entry(hash)
            .filter(|entry| full && entry.exists());
        let shape = [windows.windows, windows.bands, windows.frames];
        Ok((
            hash,
            match entry {
                Some(entry) => ClipFeatures::on_disk(shape, entry, Cache::VALUES),
                None => windows.into(),
            },
        ))
    }
}

/// Copies of one file must not end up on both sides of a split: their groups become one.
fn join_copies(items: &mut [Item], hashes: &[ContentHash], warnings: &mut Vec<String>) {
    let mut first_of: BTreeMap<ContentHash, usize> = BTreeMap::new();
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (index, hash) in hashes.iter().enumerate() {
        let first = *first_of.entry(*hash).or_insert(index);
        if first == index {
            continue;
        }
        let (a, b) = (&items[first], &items[index]);
        if a.label == b.label {
            warnings.push(format!(
                "{} is a copy of {}; they belong together",
                b.name, a.name
            ));
        } else {
            warnings.push(format!(
                "{} is a copy of {}, under another label",
                b.name, a.name
            ));
        }
        let (a, b) = (
            representative(&joined, &a.group).to_string(),
            representative(&joined, &b.group).to_string(),
        );
        if a != b {
            joined.insert(b, a);
        }
    }
    for item in items {
        item.group = representative(&joined, &item.group).to_string();
    }
}

fn representative<'a>(joined: &'a BTreeMap<String, String>, mut group: &'a str) -> &'a str {
    while let Some(next) = joined.get(group) {
        group = next;
    }
    group
}

/// Labels all of whose clips were left out are no labels.
fn drop_empty_labels(dataset: &mut Dataset) {
    let counts = dataset.counts();
    let mut new_index = Vec::with_capacity(counts.len());
    let mut labels = Vec::new();
    for (label, count) in std::mem::take(&mut dataset.labels).into_iter().zip(counts) {
        new_index.push(labels.len());
        if count > 0 {
            labels.push(label);
        } else {
            dataset.warnings.push(format!(
                "{label}: not one clip of it can be used, so it is no label"
            ));
        }
    }
    for item in &mut dataset.items {
        item.label = new_index[item.label];
    }
    dataset.labels = labels;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::GroupRule;
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
        let prepared = prepare(
            dataset(dir.path()),
            &input(),
            &Cache::off(),
            Control::none(),
        )
        .unwrap();
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
        let fresh = prepare(dataset(dir.path()), &input(), &cache, Control::none()).unwrap();
        let content = ContentHash::of(&music(0, 0));
        let entry = cache.entry(content).unwrap();
        assert!(entry.exists());
        fs::write(entry, b"damaged").unwrap();
        let again = prepare(dataset(dir.path()), &input(), &cache, Control::none()).unwrap();
        assert_eq!(again.features, fresh.features);
        assert_eq!(again.fingerprint, fresh.fingerprint);
        let entry = cache.get(content).map(ClipFeatures::from);
        assert_eq!(
            entry.as_ref(),
            Some(&fresh.features[0]),
            "the damaged entry is written anew"
        );
        let lean =
            prepare_within(0, dataset(dir.path()), &input(), &cache, Control::none()).unwrap();
        for (lean, fresh) in lean.features.iter().zip(&fresh.features) {
            assert_ne!(
                lean, fresh,
                "beyond what may lie in memory features stay on disk"
            );
            let (mut a, mut b) = (Vec::new(), Vec::new());
            lean.read(0, &mut a).unwrap();
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
        prepare(
            data,
            &input(),
            &Cache::open(&dir.path().join("blocked"), &input()),
            control,
        )
        .unwrap();
        assert_eq!(warnings.lock().unwrap().len(), 1);
    }

    #[test]
    fn copies_stay_together_and_the_fingerprint_sees_content_and_names() {
        let dir = tempfile::tempdir().unwrap();
        let before = prepare(
            dataset(dir.path()),
            &input(),
            &Cache::off(),
            Control::none(),
        )
        .unwrap();
        write(dir.path(), "g0/other-name.wav", &music(0, 0));
        write(dir.path(), "g1/wrong-label.wav", &music(0, 0));
        let data = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        let after = prepare(data, &input(), &Cache::off(), Control::none()).unwrap();
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
        let error = prepare(data.clone(), &input(), &Cache::off(), Control::none()).unwrap_err();
        assert!(error.to_string().contains("none of its 1 clips"), "{error}");
        let control = Control {
            stop: &AtomicBool::new(true),
            ..Control::none()
        };
        assert!(matches!(
            prepare(data, &input(), &Cache::off(), control),
            Err(Error::Stopped)
        ));
    }
}
