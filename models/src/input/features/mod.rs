//! From the files of a dataset to features, through the cache, on all threads.
//!
//! A file that cannot be read or decoded costs one warning; the rest goes on. `features/variants.rs` does the same for
//! changed sound.

#[cfg(test)]
mod tests;
mod variants;

pub use variants::{Variants, variants};

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use audio::Clip;
use kernels::Device;

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::base::parallel::map;
use crate::data::dataset::{Content, Dataset, Item};
use crate::input::cache::{Cache, ContentHash};
use crate::input::examples::ClipFeatures;
use crate::input::{Input, Windows};
use crate::training::settings::Extract;

/// A dataset and what the network sees of it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The clips that could be used; copies of one recording share a group.
    pub dataset: Dataset,
    /// The features of every clip of `dataset.items`.
    pub features: Vec<ClipFeatures>,
    /// A hash of every clip's name and content, in order: what figures depend on.
    pub fingerprint: String,
    /// What `features` holds: features, or windows of sound.
    pub extract: Extract,
}

/// Computes the features of all clips, or takes them from the cache. What is in a cache stays there and is read when
/// it is
/// needed: memory does not grow with the dataset. Without one it lies in memory.
///
/// Features that are computed ahead are always computed on the CPU, one clip per thread, so that they do not depend on
/// the device that trains. For [`Extract::Device`] a clip's windows of sound stand in their place.
///
/// # Errors
/// [`Error::Stopped`]; [`Error::Dataset`] when not one clip can be used.
pub fn prepare(
    dataset: Dataset,
    input: &Input,
    extract: Extract,
    cache: &Cache,
    control: Control<'_>,
) -> Result<Prepared, Error> {
    let work = Work {
        device: Device::cpu(),
        input,
        extract,
        control,
    };
    let columns = input.chosen();
    let (done, total) = (AtomicUsize::new(0), dataset.items.len());
    let results = map(total, |at| {
        control.check()?;
        let result = work.clip(&dataset.items[at], &columns, cache);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        control.tell(Event::Features { done, total });
        Ok(result)
    })?;

    let mut dataset = dataset;
    let mut warnings = std::mem::take(&mut dataset.warnings);
    let items = std::mem::take(&mut dataset.items);
    let (mut kept, mut features, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (item, result) in items.into_iter().zip(results) {
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
            hint: "clips are sound files (WAV, AIFF, AU, MP3, AAC, FLAC, Ogg, MP4, Matroska, CAF) or PNG pictures",
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
        extract,
    })
}

struct Work<'a> {
    device: Device,
    input: &'a Input,
    extract: Extract,
    control: Control<'a>,
}

impl Work<'_> {
    /// The features of one clip; of a table's row, those of the columns.
    fn clip(
        &self,
        item: &Item,
        columns: &[String],
        cache: &Cache,
    ) -> Result<(ContentHash, ClipFeatures), Error> {
        if !self.extract.is_ahead() && !matches!(item.content, Content::Sound) {
            return Err(Error::Malformed {
                path: item.path.clone(),
                reason: "no sound, of which the device could compute features".into(),
            });
        }
        if let Content::Row(row) = &item.content {
            let hash = ContentHash::of(&files::le_bytes(&row.values));
            return Ok((hash, row.windows(columns, &item.name)?.into()));
        }
        let (bytes, hash) = Self::content(item)?;
        let features = self.through(cache, hash, || match &item.content {
            Content::Picture => self.input.picture(&bytes, &item.path),
            Content::Sound | Content::Row(_) => {
                let name = item.path.display().to_string();
                let limits = audio::Limits::default();
                let mut stream = audio::Stream::from_bytes(&bytes, &name, &limits)?;
                let clip = stream.clip(&audio::Segment::default())?;
                for warning in stream.warnings() {
                    self.control.tell(Event::Warning(&warning));
                }
                self.windows(&clip, &name)
            }
        })?;
        Ok((hash, features))
    }

    /// What a batch is to hold of a sound.
    fn windows(&self, clip: &Clip, name: &str) -> Result<Windows, Error> {
        match self.extract {
            Extract::Ahead => self.input.windows(&self.device, clip, name),
            Extract::Device => self.input.sound(clip, name),
        }
    }

    /// A file's bytes, and their hash.
    fn content(item: &Item) -> Result<(Vec<u8>, ContentHash), Error> {
        let limit = audio::Limits::default().max_bytes;
        let size = item
            .path
            .metadata()
            .map_err(Error::io("read", &item.path))?
            .len();
        if size > limit {
            return Err(Error::Malformed {
                path: item.path.clone(),
                reason: format!("{size} bytes, the limit is {limit}"),
            });
        }
        let bytes = files::read_bytes(&item.path)?;
        let hash = ContentHash::of(&bytes);
        Ok((bytes, hash))
    }

    /// What the cache has for a file, or else what is computed now and kept there.
    fn through(
        &self,
        cache: &Cache,
        hash: ContentHash,
        compute: impl FnOnce() -> Result<Windows, Error>,
    ) -> Result<ClipFeatures, Error> {
        let windows = match cache.get(hash) {
            Some(windows) => windows,
            None => {
                let windows = compute()?;
                if let Some(warning) = cache.put(hash, &windows) {
                    self.control.tell(Event::Warning(&warning));
                }
                windows
            }
        };
        let shape = [windows.windows, windows.bands, windows.frames];
        Ok(match cache.entry(hash).filter(|entry| entry.exists()) {
            Some(entry) => ClipFeatures::on_disk(shape, entry, Cache::VALUES),
            None => windows.into(),
        })
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
