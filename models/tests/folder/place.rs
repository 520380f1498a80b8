//! A place with a folder of music, and what can be done there.

use std::fs;
use std::path::{Path, PathBuf};

use engine::{Device, ModelFile};
use models::Error;
use models::base::control::Control;
use models::recipe::Recipe;
use models::run::folder::RunFolder;
use models::run::pipeline::{
    Evaluating, Evaluation, Outcome, Resuming, Training, evaluate_run, resume, train_folder,
};

/// A network small enough for tests, on sound of 8 kHz.
pub fn recipe() -> Recipe {
    let mut recipe = Recipe::load("demo").unwrap();
    for (key, value) in [
        ("input.seconds", "0.5"),
        ("input.frames", "16"),
        ("input.features.sample_rate", "8000"),
        ("input.features.n_fft", "512"),
        ("input.features.hop", "256"),
        ("input.features.n_mels", "16"),
        ("training.epochs", "4"),
        ("training.batch", "8"),
        ("training.class_weights", "true"),
        ("split.test", "0.25"),
        ("split.validation", "0.25"),
    ] {
        recipe.set(key, value).unwrap();
    }
    recipe
}

pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    /// With nothing in it yet.
    pub fn empty() -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// With six clips of one second of each of three labels.
    pub fn new() -> Place {
        let place = Place::empty();
        for genre in 0..3 {
            for number in 0..6 {
                place.music(&format!("g{genre}/t{number}.wav"), genre, number);
            }
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.data().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn music(&self, name: &str, genre: usize, seed: u64) {
        let clip = audio::synth::clip(genre, seed, 1.0, 8000);
        self.write(name, &audio::wav::encode(&clip));
    }

    pub fn train(&self, recipe: Recipe, run: &str, control: Control<'_>) -> Result<Outcome, Error> {
        let training = Training {
            data: &self.data(),
            recipe,
            out: &self.path(run),
            seed: 5,
            cache: Some(&self.path("cache")),
            profile: false,
        };
        train_folder(&training, &Device::cpu(), control)
    }

    pub fn resume(&self, run: &str, epochs: Option<usize>) -> Result<Outcome, Error> {
        let resuming = Resuming {
            run: &self.path(run),
            data: None,
            epochs,
            cache: Some(&self.path("cache")),
            profile: false,
        };
        resume(&resuming, &Device::cpu(), Control::none())
    }

    pub fn evaluate(&self, run: &str, data: Option<&Path>) -> Result<Evaluation, Error> {
        let evaluating = Evaluating {
            run: &self.path(run),
            data,
            cache: None,
        };
        evaluate_run(&evaluating, &Device::cpu(), Control::none())
    }
}

/// Some warning holds these words.
#[track_caller]
pub fn warned(warnings: &[String], words: &str) {
    let found = warnings.iter().any(|warning| warning.contains(words));
    assert!(found, "{words}: {warnings:?}");
}

pub fn weights(path: &Path) -> (engine::Weights, Option<engine::Weights>) {
    let file = ModelFile::from_bytes(&fs::read(path).unwrap()).unwrap();
    (file.weights, file.resume.map(|resume| resume.optimizer))
}

pub fn assert_same_runs(a: &RunFolder, b: &RunFolder) {
    assert_eq!(fs::read(a.best()).unwrap(), fs::read(b.best()).unwrap());
    assert_eq!(fs::read(a.last()).unwrap(), fs::read(b.last()).unwrap());
    let losses = |run: &RunFolder| {
        run.history()
            .unwrap()
            .iter()
            .map(|row| row.train_loss)
            .collect::<Vec<_>>()
    };
    assert_eq!(losses(a), losses(b));
    assert_eq!(a.metrics().unwrap(), b.metrics().unwrap());
}
