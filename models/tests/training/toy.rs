//! Small labelled pictures to learn from, and a keeper that keeps a training in memory.

use engine::architecture::layer::{Conv2d, Dropout, Flatten, Linear, MaxPool2d};
use engine::{Architecture, Device, Function, ModelFile, Padding};
use kernels::philox::Philox;
use models::Error;
use models::base::control::Control;
use models::data::split::Split;
use models::input::examples::{ClipFeatures, Clips};
use models::input::frontend::{Frontend, fit};
use models::input::{Input, Normalisation, Normalise, Windows};
use models::training::history::EpochRow;
use models::training::settings::TrainingSettings;
use models::training::train::{Checkpoints, Setup, Trainer};

pub const SIDE: usize = 8;

/// Clips of three labels, one to three windows each; a label is a bright row among noise.
pub struct Toy {
    pub features: Vec<ClipFeatures>,
    pub targets: Vec<usize>,
    pub split: Split,
    pub labels: Vec<String>,
    pub input: Input,
    pub normalisation: Normalisation,
    pub architecture: Architecture,
    pub settings: TrainingSettings,
}

impl Toy {
    pub fn new() -> Toy {
        let mut random = Philox::new(7, 0);
        let (mut features, mut targets) = (Vec::new(), Vec::new());
        for clip in 0..30 {
            let (label, windows) = (clip % 3, 1 + clip % 2);
            let mut values = Vec::new();
            for at in 0..windows * SIDE * SIDE {
                let bright = (at / SIDE) % SIDE == 2 * label + 1;
                values.push(random.normal() * 0.3 + if bright { 1.0 } else { 0.0 });
            }
            features.push(ClipFeatures::from(Windows {
                windows,
                bands: SIDE,
                frames: SIDE,
                values,
            }));
            targets.push(label);
        }
        let split = Split {
            train: (0..20).collect(),
            validation: (20..30).collect(),
            ..Split::default()
        };
        let conv = Conv2d::new(4, [3, 3]).padded(Padding::Same);
        let layers = vec![
            conv.with(Function::Relu).into(),
            MaxPool2d::new([2, 2]).into(),
            Flatten::default().into(),
            Linear::new(16).with(Function::Relu).into(),
            Dropout { p: 0.2 }.into(),
            Linear::classes().into(),
        ];
        let architecture = Architecture {
            input: vec![1, SIDE, SIDE],
            layers,
        };
        let features_of = audio::FeatureSettings {
            n_mels: SIDE,
            ..Default::default()
        };
        let input = Input {
            seconds: None,
            frames: SIDE,
            channels: 1,
            columns: Vec::new(),
            picture_seconds: None,
            normalise: Normalise::Global,
            features: features_of,
        };
        let clips = Clips {
            features: &features,
            targets: &targets,
        };
        let front = Frontend::ahead(&Device::cpu(), Normalisation::NONE);
        let normalisation = fit(&front, &input, clips, &split.train, 3, Control::none()).unwrap();
        Toy {
            features,
            targets,
            split,
            labels: ["a", "b", "c"].map(String::from).to_vec(),
            input,
            normalisation,
            architecture: architecture.with_classes(3),
            settings: TrainingSettings {
                epochs: 12,
                batch: 7,
                learning_rate: 0.01,
                l2: 1e-4,
                class_weights: true,
                ..Default::default()
            },
        }
    }

    pub fn clips(&self) -> Clips<'_> {
        Clips {
            features: &self.features,
            targets: &self.targets,
        }
    }

    pub fn setup(&self, seed: u64) -> Setup<'_> {
        Setup {
            clips: self.clips(),
            split: &self.split,
            labels: &self.labels,
            input: &self.input,
            normalisation: &self.normalisation,
            architecture: &self.architecture,
            settings: &self.settings,
            seed,
        }
    }

    pub fn train(&self, seed: u64) -> Kept {
        let mut kept = Kept::default();
        let mut trainer = Trainer::new(self.setup(seed), &Device::cpu()).unwrap();
        trainer.run(&mut kept, Control::none()).unwrap();
        kept
    }
}

/// Keeps everything in memory, as the bytes of files.
#[derive(Default, Clone)]
pub struct Kept {
    pub best: Vec<u8>,
    pub last: Vec<u8>,
    pub history: Vec<EpochRow>,
    /// The disk is full from this epoch on.
    pub full_from: Option<usize>,
}

impl Checkpoints for Kept {
    fn best(&mut self, model: &ModelFile) -> Result<(), Error> {
        self.best = model.to_bytes()?;
        Ok(())
    }

    fn last(&mut self, model: &ModelFile, history: &[EpochRow]) -> Result<(), Error> {
        if self.full_from.is_some_and(|epoch| history.len() >= epoch) {
            return Err(Error::Io {
                action: "write",
                path: "last.safetensors".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        self.last = model.to_bytes()?;
        self.history = history.to_vec();
        Ok(())
    }
}

/// Without the wall clock.
pub fn figures(history: &[EpochRow]) -> Vec<EpochRow> {
    let timeless = |row: &EpochRow| EpochRow {
        seconds: 0.0,
        ..*row
    };
    history.iter().map(timeless).collect()
}

pub fn assert_same(a: &Kept, b: &Kept) {
    assert_eq!(figures(&a.history), figures(&b.history));
    assert_eq!(a.best, b.best, "the best weights differ");
    let state = |kept: &Kept| {
        let file = ModelFile::from_bytes(&kept.last).unwrap();
        (file.weights, file.resume.unwrap().optimizer)
    };
    assert_eq!(state(a), state(b), "the last weights or moments differ");
}
