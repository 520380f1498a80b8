//! Training loop: epochs over the training clips, the best epoch by the validation clips, early stopping, and resuming.
//!
//! Same seed, same device, same data: bit-identical weights. Everything random (initial weights, the order of examples,
//! dropout) is a function of the seed and of the number of the epoch or step. So a training resumed at the end of an
//! epoch gives the same result as one that was never stopped. A stop within an epoch discards that epoch.
//!
//! `epoch.rs` holds the steps of an epoch, `tally.rs` counts losses and correct predictions, `profile.rs` profiles a
//! step, `sweep.rs` trains with rising rates.

mod epoch;
mod profile;
mod sweep;
mod tally;

use std::time::Instant;

use engine::{
    Architecture, Clip, Device, Loaded, ModelFile, Network, Optimizer, Parameter, Resume, Tensor,
    Weights,
};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::memory::available;
use crate::data::split::Split;
use crate::evaluation::answers::evaluate;
use crate::evaluation::metrics::Metrics;
use crate::input::examples::{Clips, Examples};
use crate::input::frontend::Frontend;
use crate::input::{Input, Normalisation};
use crate::training::history::EpochRow;
use crate::training::settings::TrainingSettings;
use profile::Profiler;
pub use profile::StepProfile;
pub use sweep::{Sweep, SweepRow};

/// Inputs and settings of a training.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Labelled clips.
    pub clips: Clips<'a>,
    /// Split into training and validation clips; the test clips are not used.
    pub split: &'a Split,
    /// Names of the labels, in the order of the network's outputs.
    pub labels: &'a [String],
    /// Input settings; stored in the model file.
    pub input: &'a Input,
    /// Normalisation of the features; stored in the model file.
    pub normalisation: &'a Normalisation,
    /// Network, with its input's shape and one output per label.
    pub architecture: &'a Architecture,
    /// Training settings.
    pub settings: &'a TrainingSettings,
    /// Seed of everything random.
    pub seed: u64,
}

/// Receives the weights that a training saves.
pub trait Checkpoints {
    /// Saves the weights of the best epoch so far.
    ///
    /// # Errors
    /// Ends the training.
    fn best(&mut self, model: &ModelFile) -> Result<(), Error>;

    /// Saves the state after an epoch, or before the first: enough to resume.
    ///
    /// # Errors
    /// Ends the training.
    fn last(&mut self, model: &ModelFile, history: &[EpochRow]) -> Result<(), Error>;
}

/// Counters in a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    seed: u64,
    /// Number of optimizer steps.
    steps: u32,
    /// Number of the best epoch; 0 before the first.
    best: usize,
    /// All epochs so far, without their times: equal trainings give equal files.
    history: Vec<EpochRow>,
}

/// A training in progress.
pub struct Trainer<'a> {
    setup: Setup<'a>,
    network: Network,
    /// The network's own, with the penalty of the settings.
    parameters: Vec<Parameter>,
    front: Frontend<'a>,
    optimizer: Optimizer,
    /// Class weights, on the host and on the device.
    weights: Option<(Vec<f32>, Tensor)>,
    /// Smallest batch of a step.
    smallest: usize,
    /// Batch size in windows for validation.
    evaluated: usize,
    history: Vec<EpochRow>,
    best: usize,
    profiler: Option<Profiler>,
}

impl<'a> Trainer<'a> {
    /// Creates a training at its start.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Engine`] for an architecture whose layers do not fit together, or, as
    /// [`engine::Error::Batch`], for a batch that does not fit the device.
    pub fn new(setup: Setup<'a>, device: &Device) -> Result<Self, Error> {
        setup.settings.check()?;
        if setup.split.train.is_empty() {
            return Err(Error::setting("split", "no clip to train on"));
        }
        let batch = setup
            .settings
            .batch
            .min(Examples::new(setup.clips, &setup.split.train, setup.normalisation).len());
        let smallest = setup.architecture.smallest_batch()?;
        if batch < smallest {
            let reason =
                format!("{batch} example in a step; the network's BatchNorm needs {smallest}");
            return Err(Error::setting("training.batch", reason));
        }
        let frozen = &setup.settings.frozen;
        let (memory, available) = (setup.architecture.memory_frozen(frozen)?, available(device));
        memory.check(batch, available)?;
        let mut network = Network::new(setup.architecture, device, setup.seed)?;
        network.freeze(frozen)?;
        let mut parameters = network.parameters().to_vec();
        for parameter in parameters.iter_mut().filter(|p| p.tensor.shape().len() > 1) {
            parameter.l2 += setup.settings.l2 as f32;
        }
        let settings = setup.settings;
        let optimizer = Optimizer::new(&parameters, settings.optimizer, settings.learning_rate)?;
        let optimizer = optimizer.with_clip(Clip {
            norm: settings.clip_norm,
            value: None,
        })?;
        let weights = match setup.settings.class_weights {
            false => None,
            true => {
                let (chosen, labels) = (&setup.split.train, setup.labels.len());
                let weights = setup.clips.balanced_weights(chosen, labels);
                let tensor = Tensor::from_vec(device, &weights, [weights.len()])?;
                Some((weights, tensor))
            }
        };
        let (extract, input) = (settings.extract, setup.input);
        let front = Frontend::new(device, extract, input, setup.normalisation)?;
        Ok(Trainer {
            setup,
            front,
            network,
            parameters,
            optimizer,
            weights,
            smallest,
            evaluated: settings
                .batch
                .min(memory.largest_inference_batch(available)),
            history: Vec::new(),
            best: 0,
            profiler: None,
        })
    }

    /// Resumes a training from a file that [`Checkpoints::last`] received. `name` is used in errors.
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`Error::Model`] if the file is of another training.
    pub fn resume(
        setup: Setup<'a>,
        device: &Device,
        file: &ModelFile,
        name: &str,
    ) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Model {
            name: name.into(),
            source: engine::Error::ModelFile(reason),
        };
        let resume = file
            .resume
            .as_ref()
            .ok_or_else(|| refuse("not a file to go on from: no optimizer's state".into()))?;
        let counters: Counters = serde_json::from_value(resume.counters.clone())
            .map_err(|error| refuse(error.to_string()))?;
        if counters.seed != setup.seed
            || file.labels != setup.labels
            || file.architecture != *setup.architecture
        {
            return Err(refuse(
                "it belongs to a training with other settings".into(),
            ));
        }
        let epochs = counters.history.iter().map(|row| row.epoch);
        if !epochs.eq(1..=counters.history.len()) || counters.best > counters.history.len() {
            return Err(refuse("its history does not count its epochs".into()));
        }
        let mut trainer = Trainer::new(setup, device)?;
        trainer
            .network
            .set_weights(&file.weights)
            .map_err(Error::model(name))?;
        trainer
            .optimizer
            .set_state(&resume.optimizer, counters.steps)
            .map_err(Error::model(name))?;
        trainer.history = counters.history;
        trainer.best = counters.best;
        Ok(trainer)
    }

    /// Sets the times of earlier epochs, which the checkpoint does not hold.
    #[must_use]
    pub fn with_times(mut self, history: &[EpochRow]) -> Self {
        for (row, timed) in self.history.iter_mut().zip(history) {
            row.seconds = timed.seconds;
        }
        self
    }

    /// Loads the weights of an earlier training, as far as they match. Must be called before [`Trainer::run`].
    ///
    /// # Errors
    /// Any error of [`Network::load`].
    pub fn start_from(&mut self, weights: &Weights) -> Result<Loaded, Error> {
        Ok(self.network.load(weights)?)
    }

    /// Requests an [`Event::Profile`] of some of the first steps, which then wait for the device.
    ///
    /// # Errors
    /// [`Error::Engine`] for an architecture whose layers do not fit together.
    pub fn profile(&mut self) -> Result<(), Error> {
        let (architecture, settings) = (self.setup.architecture, self.setup.settings);
        let memory = architecture.memory_frozen(&settings.frozen)?;
        let bytes = memory.training(settings.batch).saturating_mul(2);
        self.profiler = Some(Profiler::new(bytes));
        Ok(())
    }

    /// Trains to the end.
    ///
    /// # Errors
    /// [`Error::Stopped`]; [`Error::Diverged`]; [`Error::OutOfMemory`]; any error of the device or of [`Checkpoints`].
    /// What was saved remains valid: the training can be resumed from there.
    pub fn run(
        &mut self,
        checkpoints: &mut dyn Checkpoints,
        control: Control<'_>,
    ) -> Result<(), Error> {
        let settings = self.setup.settings;
        let examples = self.examples();
        let steps = self.seen(examples.len()).div_ceil(settings.batch);
        let first = self.history.len() + 1;
        if self.history.is_empty() {
            checkpoints.last(&self.to_go_on_from(self.model()?)?, &[])?;
        }
        control.tell(Event::Training {
            first_epoch: first,
            epochs: settings.epochs,
            steps,
        });
        for epoch in first..=settings.epochs {
            if self.is_over() {
                break;
            }
            control.check()?;
            let start = Instant::now();
            let (train_loss, train_accuracy) = self.epoch(&examples, epoch, control)?;
            let mut row = EpochRow {
                epoch,
                train_loss,
                train_accuracy,
                learning_rate: self.optimizer.learning_rate(),
                ..Default::default()
            };
            self.validate(&mut row, steps, control)?;
            row.seconds = start.elapsed().as_secs_f64();
            let old = self
                .best
                .checked_sub(1)
                .and_then(|best| self.history.get(best));
            let best = old.is_none_or(|old| settings.best.prefers(&row, old));
            self.history.push(row);
            // The last step's weights have not been used for a forward pass yet.
            let model = self.model()?;
            finite(&model.weights).map_err(|error| astray(error, epoch, steps))?;
            if best {
                self.best = epoch;
                checkpoints.best(&model)?;
            }
            checkpoints.last(&self.to_go_on_from(model)?, &self.history)?;
            control.tell(Event::Epoch { row: &row, best });
        }
        Ok(())
    }

    /// Returns the metrics of all epochs so far.
    #[must_use]
    pub fn history(&self) -> &[EpochRow] {
        &self.history
    }

    /// Returns the number of the best epoch so far; 0 before the first.
    #[must_use]
    pub fn best_epoch(&self) -> usize {
        self.best
    }

    /// Returns the inputs of the training.
    fn examples(&self) -> Examples<'a> {
        let chosen = &self.setup.split.train;
        Examples::new(self.setup.clips, chosen, self.front.while_reading())
    }

    /// Whether early stopping ends the training.
    fn is_over(&self) -> bool {
        let waited = self.history.len() - self.best;
        self.setup
            .settings
            .patience
            .is_some_and(|patience| waited >= patience)
    }

    fn validate(
        &self,
        row: &mut EpochRow,
        steps: usize,
        control: Control<'_>,
    ) -> Result<(), Error> {
        let setup = &self.setup;
        let chosen = &setup.split.validation;
        if chosen.is_empty() {
            return Ok(());
        }
        let weights = self.weights.as_ref().map(|(weights, _)| weights.as_slice());
        let evaluated = evaluate(
            &self.network,
            &self.front,
            setup.clips,
            chosen,
            weights,
            self.evaluated,
            control,
        );
        let evaluated = evaluated.map_err(|error| astray(error, row.epoch, steps))?;
        let truths = chosen.iter().map(|&clip| setup.clips.targets[clip]);
        let metrics = Metrics::from_answers(setup.labels, truths.zip(evaluated.answers()));
        row.validation_loss = Some(evaluated.loss);
        row.validation_accuracy = Some(metrics.accuracy);
        row.validation_f1 = Some(metrics.weighted.f1);
        Ok(())
    }

    /// Returns the current network as a model file.
    fn model(&self) -> Result<ModelFile, Error> {
        let value = |what, value: Result<serde_json::Value, serde_json::Error>| {
            value.map_err(|error| Error::setting(what, error.to_string()))
        };
        let mut file = ModelFile::new(&self.network, self.setup.labels.to_vec())?;
        file.features = value("input", serde_json::to_value(self.setup.input))?;
        file.normalisation = value(
            "normalisation",
            serde_json::to_value(self.setup.normalisation),
        )?;
        Ok(file)
    }

    /// Returns the model file with the optimizer's state and the history.
    fn to_go_on_from(&self, model: ModelFile) -> Result<ModelFile, Error> {
        let counters = Counters {
            seed: self.setup.seed,
            steps: self.optimizer.steps(),
            best: self.best,
            history: self.history.iter().map(untimed).collect(),
        };
        let counters = serde_json::to_value(counters);
        Ok(ModelFile {
            resume: Some(Resume {
                optimizer: self.optimizer.state()?,
                counters: counters.map_err(|error| Error::setting("history", error.to_string()))?,
            }),
            ..model
        })
    }
}

fn untimed(row: &EpochRow) -> EpochRow {
    EpochRow {
        seconds: 0.0,
        ..*row
    }
}

/// Returns what is not finite after a step: the training diverged there.
fn astray(error: Error, epoch: usize, step: usize) -> Error {
    match error {
        Error::NotFinite { .. } => Error::Diverged { epoch, step },
        error => error,
    }
}

fn finite(weights: &Weights) -> Result<(), Error> {
    let mut values = weights.values().flat_map(|array| &array.values);
    match values.all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(Error::NotFinite {
            what: "the weights".into(),
        }),
    }
}
