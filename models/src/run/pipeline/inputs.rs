//! A dataset as features, and the training inputs: its clips, and variants of the training clips.

use std::path::{Path, PathBuf};

use engine::Device;
use serde::Serialize;

use crate::Error;
use crate::base::control::{Control, Event};
use crate::data::dataset::Dataset;
use crate::data::split::Split;
use crate::input::cache::Cache;
use crate::input::examples::{ClipFeatures, Clips};
use crate::input::features::{Prepared, prepare, variants};
use crate::input::frontend::{Frontend, fit};
use crate::input::{Input, Normalisation, Normalise};
use crate::recipe::Recipe;
use crate::training::settings::Extract;

/// A dataset as features, for one or several trainings.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub prepared: Prepared,
    pub(super) warnings: Vec<String>,
    targets: Vec<usize>,
    cache: Option<PathBuf>,
}

/// Inputs of one training: the dataset's clips, followed by the variants of its training clips.
#[derive(Debug)]
pub(crate) struct Varied {
    features: Vec<ClipFeatures>,
    targets: Vec<usize>,
    /// For each input, the index of its clip, or of the clip that it is a variant of.
    recordings: Vec<usize>,
    /// Split of the training; the variants are among the training clips.
    pub split: Split,
}

impl Inputs {
    pub fn make(
        dataset: Dataset,
        recipe: &Recipe,
        cache: Option<&Path>,
        control: Control<'_>,
    ) -> Result<Inputs, Error> {
        let mut warnings = Vec::new();
        let prepared = features(
            dataset,
            &recipe.input,
            recipe.training.extract,
            cache,
            control,
            &mut warnings,
        )?;
        prepared.dataset.check_labels()?;
        let items = &prepared.dataset.items;
        let targets = items.iter().map(|item| item.label).collect();
        Ok(Inputs {
            prepared,
            targets,
            warnings,
            cache: cache.map(Path::to_path_buf),
        })
    }

    /// Fits the recipe's normalisation to these clips.
    pub fn normalisation(
        &self,
        recipe: &Recipe,
        chosen: &[usize],
        device: &Device,
        control: Control<'_>,
    ) -> Result<Normalisation, Error> {
        let clips = Clips {
            features: &self.prepared.features,
            targets: &self.targets,
        };
        let (input, extract) = (&recipe.input, self.prepared.extract);
        let front = Frontend::new(device, extract, input, Normalisation::NONE)?;
        fit(&front, input, clips, chosen, recipe.training.batch, control)
    }

    /// Returns the clips with the recipe's variants of the training clips.
    pub fn varied(
        &self,
        recipe: &Recipe,
        split: &Split,
        control: Control<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Varied, Error> {
        let mut varied = Varied {
            features: self.prepared.features.clone(),
            targets: self.targets.clone(),
            recordings: (0..self.targets.len()).collect(),
            split: split.clone(),
        };
        let Some(sound) = &recipe.training.sound else {
            return Ok(varied);
        };
        // Independent of the number of variants: with more of them, the first stay the same.
        let kept = kept(&recipe.input, self.prepared.extract);
        let cache = |number| open(self.cache.as_deref(), &(&kept, &sound.changes, number));
        let caches: Vec<Cache> = (0..sound.variants).map(cache).collect();
        let input = &recipe.input;
        let made = variants(&self.prepared, &split.train, input, sound, &caches, control)?;
        control.warn(warnings, made.warnings);
        for (clip, features) in made.features {
            varied.split.train.push(varied.features.len());
            varied.features.push(features);
            varied.targets.push(self.targets[clip]);
            varied.recordings.push(clip);
        }
        Ok(varied)
    }
}

impl Varied {
    pub fn clips(&self) -> Clips<'_> {
        Clips {
            features: &self.features,
            targets: &self.targets,
        }
    }

    /// Returns the clip that an input is, or is a variant of: inputs of one clip stay together.
    #[cfg_attr(
        not(feature = "classical"),
        expect(
            dead_code,
            reason = "only a classical fit holds recordings back itself"
        )
    )]
    pub fn recording(&self, clip: usize) -> usize {
        self.recordings[clip]
    }
}

/// Returns the features of a dataset's clips, computed or from the cache. Warnings are reported, and added to
/// `warnings`.
pub(super) fn features(
    mut dataset: Dataset,
    input: &Input,
    extract: Extract,
    cache: Option<&Path>,
    control: Control<'_>,
    warnings: &mut Vec<String>,
) -> Result<Prepared, Error> {
    control.tell(Event::Dataset {
        layout: dataset.layout,
        labels: dataset.labels.len(),
        clips: dataset.items.len(),
    });
    control.warn(warnings, std::mem::take(&mut dataset.warnings));
    let mut prepared = {
        let cache = open(cache, &kept(input, extract));
        prepare(dataset, input, extract, &cache, control)?
    };
    control.warn(warnings, std::mem::take(&mut prepared.dataset.warnings));
    Ok(prepared)
}

/// Returns the cache key's settings: for features, all but the normalisation; for audio, the windows.
#[derive(Serialize)]
#[serde(untagged)]
enum Kept {
    Features(Box<Input>),
    Sound {
        seconds: Option<f64>,
        sample_rate: u32,
    },
}

fn kept(input: &Input, extract: Extract) -> Kept {
    match extract {
        Extract::Ahead => Kept::Features(Box::new(Input {
            normalise: Normalise::None,
            ..input.clone()
        })),
        Extract::Device => Kept::Sound {
            seconds: input.seconds,
            sample_rate: input.features.sample_rate,
        },
    }
}

fn open(dir: Option<&Path>, settings: &impl Serialize) -> Cache {
    dir.map_or_else(Cache::off, |dir| Cache::open(dir, settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_kept_by_all_of_the_input_and_sound_by_its_windows() {
        let json = |input: &Input, extract| serde_json::to_string(&kept(input, extract)).unwrap();
        let input = Recipe::load("demo").unwrap().input;
        let mut other = input.clone();
        other.normalise = Normalise::Band;
        let ahead = json(&input, Extract::Ahead);
        assert_eq!(ahead, json(&other, Extract::Ahead));
        other.normalise = Normalise::None;
        assert_eq!(ahead, serde_json::to_string(&other).unwrap());
        other.features.n_mels += 1;
        assert_ne!(ahead, json(&other, Extract::Ahead));
        let sound = json(&input, Extract::Device);
        assert_eq!(sound, json(&other, Extract::Device));
        other.features.sample_rate += 1;
        assert_ne!(sound, json(&other, Extract::Device));
    }
}
