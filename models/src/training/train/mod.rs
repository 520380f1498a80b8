//! The training itself: epochs over the training clips, the best epoch by the validation clips, an early end, and
//! going on after a stop.
//!
//! Same seed, same device, same data: bit-identical weights. Everything random (first weights, the order of examples,
//! dropout) is a function of the seed and of the number of the epoch or step, so that a training that goes on from
//! the end of an epoch does exactly what one that was never stopped does. A stop within an epoch gives that epoch up.
//!
//! `epoch.rs` holds the steps of an epoch; `tally.rs` counts losses and right answers; `profile.rs` says where the time of
//! a step goes; `sweep.rs` trains with rising rates.

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

/// Everything that a training starts from.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The clips with their labels.
    pub clips: Clips<'a>,
    /// Which of them train and which choose the epoch; the test clips are not looked at.
    pub split: &'a Split,
    /// What the labels are called, in the order of the network's outputs.
    pub labels: &'a [String],
    /// How sound became features; goes into the model file.
    pub input: &'a Input,
    /// How features are scaled; goes into the model file.
    pub normalisation: &'a Normalisation,
    /// The network, with its input's shape and one output per label.
    pub architecture: &'a Architecture,
    /// How it is trained.
    pub settings: &'a TrainingSettings,
    /// What everything random depends on.
    pub seed: u64,
}

/// Where a training puts what it has made.
pub trait Checkpoints {
    /// The weights of the best epoch so far.
    ///
    /// # Errors
    /// Ends the training.
    fn best(&mut self, model: &ModelFile) -> Result<(), Error>;

    /// Where the training stands after an epoch, or before the first: enough to go on from.
    ///
    /// # Errors
    /// Ends the training.
    fn last(&mut self, model: &ModelFile, history: &[EpochRow]) -> Result<(), Error>;
}

/// What a model file to go on from counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    seed: u64,
    /// Steps of the optimizer.
    steps: u32,
    /// The number of the best epoch; 0 before the first.
    best: usize,
    /// Every epoch so far, without its time: equal trainings give equal files.
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
    /// A weight per label, on the host and on the device.
    weights: Option<(Vec<f32>, Tensor)>,
    /// The fewest examples that a step takes.
    smallest: usize,
    /// Windows that go through the network at once where it is judged.
    evaluated: usize,
    history: Vec<EpochRow>,
    best: usize,
    profiler: Option<Profiler>,
}

impl<'a> Trainer<'a> {
    /// A training at its beginning.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Engine`] for an architecture that does not fit together, or, by
    /// [`engine::Error::Batch`], a batch that does not fit the device.
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

    /// A training that goes on from what [`Checkpoints::last`] was given. `name` goes into errors.
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`Error::Model`] where the file is of another training.
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

    /// Takes over the times of epochs that were done before, which the file to go on from does not hold.
    #[must_use]
    pub fn with_times(mut self, history: &[EpochRow]) -> Self {
        for (row, timed) in self.history.iter_mut().zip(history) {
            row.seconds = timed.seconds;
        }
        self
    }

    /// Takes over weights of an earlier training, as far as they fit. To be called before [`Trainer::run`].
    ///
    /// # Errors
    /// What [`Network::load`] refuses.
    pub fn start_from(&mut self, weights: &Weights) -> Result<Loaded, Error> {
        Ok(self.network.load(weights)?)
    }

    /// Asks for an [`Event::Profile`] of some of the first steps, which then wait for the device.
    ///
    /// # Errors
    /// [`Error::Engine`] for an architecture that does not fit together.
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
    /// [`Error::Stopped`]; [`Error::Diverged`]; [`Error::OutOfMemory`]; what the device or the keeper refuses. What
    /// the keeper was given stays good: the training can go on from there.
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
            // The last step's weights have met no example yet.
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

    /// The figures of every epoch so far.
    #[must_use]
    pub fn history(&self) -> &[EpochRow] {
        &self.history
    }

    /// The number of the best epoch so far; 0 before the first.
    #[must_use]
    pub fn best_epoch(&self) -> usize {
        self.best
    }

    /// What there is to learn from.
    fn examples(&self) -> Examples<'a> {
        let chosen = &self.setup.split.train;
        Examples::new(self.setup.clips, chosen, self.front.while_reading())
    }

    /// Whether patience has run out.
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

    /// The network as it is, as a model file.
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

    /// That model with the optimizer's state and the history.
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

/// What is no finite number after a step: the training went astray there.
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
