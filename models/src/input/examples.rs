//! What a training reads: the windows of clips, from memory or from the cache on disk, batch by batch.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use kernels::philox::Philox;

use crate::Error;
use crate::input::augment::{Augmentation, Change, Mixed, draw};
use crate::input::{Normalisation, Windows};
#[cfg(not(target_arch = "wasm32"))]
use crate::training::settings::balanced_weights;

/// The features of one clip: some windows of `bands × frames` numbers. A copy shares them.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipFeatures {
    windows: usize,
    bands: usize,
    frames: usize,
    values: Values,
}

/// Where the numbers are: `[windows, bands, frames]`.
#[derive(Debug, Clone, PartialEq)]
enum Values {
    Memory(Arc<Vec<f32>>),
    /// Little-endian, from `offset` on.
    Disk {
        path: PathBuf,
        offset: u64,
    },
}

impl From<Windows> for ClipFeatures {
    fn from(windows: Windows) -> Self {
        ClipFeatures {
            windows: windows.windows,
            bands: windows.bands,
            frames: windows.frames,
            values: Values::Memory(Arc::new(windows.values)),
        }
    }
}

impl ClipFeatures {
    /// Features that lie as little-endian numbers in a file, from `offset` on. They are read when they are needed.
    #[must_use]
    pub fn on_disk([windows, bands, frames]: [usize; 3], path: PathBuf, offset: u64) -> Self {
        ClipFeatures {
            windows,
            bands,
            frames,
            values: Values::Disk { path, offset },
        }
    }

    /// How many windows.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// Bands and frames of each window.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.bands, self.frames]
    }

    /// Appends one window, counted from 0, to `values`; a window that is not there adds nothing.
    ///
    /// # Errors
    /// [`Error::Io`] where a file in the cache can no longer be read.
    pub fn read(&self, window: usize, values: &mut Vec<f32>) -> Result<(), Error> {
        if window >= self.windows {
            return Ok(());
        }
        let len = self.bands * self.frames;
        match &self.values {
            Values::Memory(all) => values.extend_from_slice(&all[window * len..][..len]),
            Values::Disk { path, offset } => {
                let start = offset + 4 * (window * len) as u64;
                let old = values.len();
                values.resize(old + len, 0.0);
                let new = bytemuck::cast_slice_mut(&mut values[old..]);
                File::open(path)
                    .and_then(|mut file| {
                        file.seek(SeekFrom::Start(start))?;
                        file.read_exact(new)
                    })
                    .map_err(Error::io("read", path))?;
                for value in &mut values[old..] {
                    *value = f32::from_bits(u32::from_le(value.to_bits()));
                }
            }
        }
        Ok(())
    }
}

/// Labelled clips with their features.
#[derive(Debug, Clone, Copy)]
pub struct Clips<'a> {
    /// The features of every clip.
    pub features: &'a [ClipFeatures],
    /// The label of every clip, by its number.
    pub targets: &'a [usize],
}

#[cfg(not(target_arch = "wasm32"))]
impl Clips<'_> {
    /// How much each label weighs in the loss, by the number of its clips among the chosen ones.
    pub(crate) fn balanced_weights(&self, chosen: &[usize], labels: usize) -> Vec<f32> {
        let mut counts = vec![0; labels];
        chosen
            .iter()
            .for_each(|&clip| counts[self.targets[clip]] += 1);
        balanced_weights(&counts)
    }
}

/// A batch of windows, ready for the network.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// `[n, bands, frames]`, normalised; or `[n, samples]` for a device that makes such of them.
    pub values: Vec<f32>,
    /// A label per window.
    pub targets: Vec<u32>,
    /// With what the windows were mixed.
    pub mixed: Option<Mixed>,
    /// What is still to be done to them on the device.
    pub changes: Vec<Change>,
}

/// The windows of some clips, each an example of its own.
#[derive(Debug, Clone)]
pub struct Examples<'a> {
    clips: Clips<'a>,
    normalisation: &'a Normalisation,
    /// Clip and window of every example.
    list: Vec<(usize, usize)>,
}

impl<'a> Examples<'a> {
    /// All windows of the chosen clips, in their order; a number that is no clip counts for nothing.
    #[must_use]
    pub fn new(clips: Clips<'a>, chosen: &[usize], normalisation: &'a Normalisation) -> Self {
        let windows = |&clip: &usize| clips.features.get(clip).map_or(0, ClipFeatures::windows);
        let list = chosen
            .iter()
            .flat_map(|clip| (0..windows(clip)).map(|window| (*clip, window)));
        Examples {
            clips,
            normalisation,
            list: list.collect(),
        }
    }

    /// How many examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bands and frames of an example.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        self.clips
            .features
            .first()
            .map_or([0; 2], ClipFeatures::shape)
    }

    /// The clip that an example belongs to.
    #[must_use]
    pub fn clip(&self, example: usize) -> usize {
        self.list[example].0
    }

    /// Reads the examples with these numbers into `batch`, whose memory is used again.
    ///
    /// # Errors
    /// [`Error::Io`] where a file in the cache can no longer be read.
    pub fn read(
        &self,
        examples: impl Iterator<Item = usize>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        batch.values.clear();
        batch.targets.clear();
        batch.mixed = None;
        batch.changes.clear();
        for example in examples {
            let (clip, window) = self.list[example];
            let start = batch.values.len();
            self.clips.features[clip].read(window, &mut batch.values)?;
            self.normalisation.apply(&mut batch.values[start..]);
            batch.targets.push(self.clips.targets[clip] as u32);
        }
        Ok(())
    }
}

impl Batch {
    /// Changes the windows `[bands, frames]` at random, as a recipe says.
    pub fn augment(&mut self, list: &[Augmentation], shape: [usize; 2], random: Philox) {
        self.draw(list, shape, random);
        let values = &mut self.values;
        (self.changes.drain(..)).for_each(|change| change.on_host(shape, values));
    }

    /// Draws the same changes, for the device.
    pub fn draw(&mut self, list: &[Augmentation], shape: [usize; 2], random: Philox) {
        (self.changes, self.mixed) = draw(list, shape, &self.targets, random);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::control::Control;
    use crate::input::frontend::{Frontend, fit};
    use crate::input::{Input, Normalise};

    fn clip(windows: usize, first: f32) -> Windows {
        Windows {
            windows,
            bands: 2,
            frames: 3,
            values: (0..windows * 6).map(|i| first + i as f32).collect(),
        }
    }

    #[test]
    fn disk_and_memory_give_the_same_batches() {
        let dir = tempfile::tempdir().unwrap();
        let clips = [clip(1, 0.0), clip(3, 10.0)];
        let memory: Vec<ClipFeatures> = clips.iter().cloned().map(Into::into).collect();
        let on_disk = |(i, clip): (usize, &Windows)| {
            let path = dir.path().join(i.to_string());
            let numbers = clip.values.iter().flat_map(|v| v.to_le_bytes());
            let bytes: Vec<u8> = [7u8; 5].into_iter().chain(numbers).collect();
            std::fs::write(&path, bytes).unwrap();
            ClipFeatures::on_disk([clip.windows, 2, 3], path, 5)
        };
        let disk: Vec<ClipFeatures> = clips.iter().enumerate().map(on_disk).collect();
        let device = engine::Device::cpu();
        let front = Frontend::ahead(&device, Normalisation::NONE);
        let input = Input {
            seconds: None,
            picture_seconds: None,
            frames: 3,
            channels: 1,
            columns: Vec::new(),
            normalise: Normalise::Global,
            features: audio::FeatureSettings {
                n_mels: 2,
                ..Default::default()
            },
        };
        let fitted = |features: &[ClipFeatures], control| {
            let targets = &[4, 9];
            fit(
                &front,
                &input,
                Clips { features, targets },
                &[0, 1],
                3,
                control,
            )
        };
        let normalisation = fitted(&memory, Control::none()).unwrap();
        assert_eq!(fitted(&disk, Control::none()).unwrap(), normalisation);
        let stopped = Control {
            stop: &true.into(),
            ..Control::none()
        };
        assert!(matches!(fitted(&disk, stopped), Err(Error::Stopped)));
        let mut batches = Vec::new();
        for features in [&memory, &disk] {
            let targets = [4, 9];
            let clips = Clips {
                features,
                targets: &targets,
            };
            let examples = Examples::new(clips, &[1, 0], &normalisation);
            assert_eq!((examples.len(), examples.clip(3)), (4, 0));
            let mut batch = Batch::default();
            examples.read([2, 3].into_iter(), &mut batch).unwrap();
            assert_eq!(batch.targets, [9, 4]);
            batches.push(batch.values);
        }
        assert_eq!(batches[0].len(), 12);
        assert_eq!(batches[0], batches[1]);
        std::fs::remove_file(dir.path().join("1")).unwrap();
        assert!(
            disk[1]
                .read(0, &mut Vec::new())
                .unwrap_err()
                .to_string()
                .contains("cannot read")
        );
    }
}
