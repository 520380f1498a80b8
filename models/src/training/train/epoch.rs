//! One epoch: its order, its steps, the learning rate of each.

use engine::{Mode, Tensor};

use super::Trainer;
use super::profile::Profiler;
use super::tally::{Tally, out_of_memory};
use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::random::{Stream, shuffled, stream};
use crate::input::examples::{Batch, Examples};
use crate::training::schedule::Moment;

/// Number of steps between reads of the outputs from the device: a read waits for all work before it.
const READ_EVERY: usize = 16;

impl Trainer<'_> {
    /// Trains one epoch; returns mean loss and accuracy.
    pub(super) fn epoch(
        &mut self,
        examples: &Examples<'_>,
        epoch: usize,
        control: Control<'_>,
    ) -> Result<(f64, f64), Error> {
        let order = self.order(examples.len(), epoch);
        let size = self.setup.settings.batch;
        let steps = order.len().div_ceil(size);
        let mut tally = Tally::default();
        let mut batch = Batch::default();
        let mut unread: Vec<(usize, Tensor, Vec<u32>)> = Vec::new();
        for (index, some) in order.chunks(size).enumerate() {
            control.check()?;
            let step = index + 1;
            let number = ((epoch - 1) * steps + index) as u64;
            self.read(examples, some, number, &mut batch)?;
            self.schedule(number, steps)?;
            let outputs = self
                .profiled_step(&batch, number, control)
                .map_err(|error| out_of_memory(error, some.len()))?;
            unread.push((step, outputs, batch.targets.clone()));
            if unread.len() == READ_EVERY || step == steps {
                for (step, outputs, targets) in unread.drain(..) {
                    let weights = self.weights.as_ref().map(|(weights, _)| weights.as_slice());
                    let outputs = outputs
                        .to_vec()
                        .map_err(|error| out_of_memory(error, some.len()))?;
                    if !tally.add(&outputs, &targets, weights) {
                        return Err(Error::Diverged { epoch, step });
                    }
                }
            }
            control.tell(Event::Step { epoch, step, steps });
        }
        if let Some(profile) = self.profiler.as_mut().and_then(Profiler::finish) {
            self.profiler = None;
            control.tell(Event::Profile(&profile));
        }
        Ok(tally.means())
    }

    /// Reads the examples of a step into `batch`, augmented according to the settings.
    pub(super) fn read(
        &self,
        examples: &Examples<'_>,
        some: &[usize],
        number: u64,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        examples.read(some.iter().copied(), batch)?;
        if !self.setup.settings.augment.is_empty() {
            let random = stream(self.setup.seed, Stream::Augment, number);
            let list = &self.setup.settings.augment;
            match self.front.shape() {
                None => batch.augment(list, examples.shape(), random),
                Some(shape) => batch.draw(list, shape, random),
            }
        }
        Ok(())
    }

    /// Sets the optimizer's learning rate for a step.
    fn schedule(&mut self, step: u64, steps: usize) -> engine::Result<()> {
        let settings = self.setup.settings;
        let Some(schedule) = &settings.schedule else {
            return Ok(());
        };
        let at = Moment {
            history: &self.history,
            step,
            steps,
            epochs: settings.epochs,
        };
        let rate = schedule.rate(settings.learning_rate, &at);
        self.optimizer.set_learning_rate(rate)
    }

    /// [`Trainer::step`], with profiling if requested. The first two steps allocate what later ones reuse.
    fn profiled_step(
        &mut self,
        batch: &Batch,
        number: u64,
        control: Control<'_>,
    ) -> engine::Result<Tensor> {
        let full = batch.targets.len() == self.setup.settings.batch;
        let Some(mut profiler) = self.profiler.take_if(|_| number >= 2 && full) else {
            return self.step(batch, number);
        };
        let device = self.network.device().clone();
        profiler.begin(&device)?;
        let outputs = self.step(batch, number)?;
        match profiler.end(&device)? {
            Some(profile) => control.tell(Event::Profile(&profile)),
            None => self.profiler = Some(profiler),
        }
        Ok(outputs)
    }

    /// Runs one step; returns the outputs before the update.
    pub(super) fn step(&mut self, batch: &Batch, number: u64) -> engine::Result<Tensor> {
        let device = self.network.device();
        let input = &self.setup.architecture.input;
        let x = self.front.tensor(batch, input)?;
        let targets = device.upload_u32(&batch.targets)?;
        let mode = Mode::Train {
            seed: self.setup.seed,
            step: number,
        };
        let outputs = self.network.forward(&x, mode)?;
        let weights = self.weights.as_ref().map(|(_, weights)| weights);
        let smoothing = self.setup.settings.label_smoothing as f32;
        let mut loss = outputs.cross_entropy_smoothed(&targets, weights, smoothing)?;
        if let Some(mixed) = &batch.mixed {
            let others = device.upload_u32(&mixed.targets)?;
            let other = outputs.cross_entropy_smoothed(&others, weights, smoothing)?;
            let other = other.scale(1.0 - mixed.share)?;
            loss = loss.scale(mixed.share)?.add(&other)?;
        }
        let gradients = loss.backward()?;
        self.optimizer.step(&self.parameters, &gradients)?;
        Ok(outputs.detach())
    }

    /// Returns the order of the training examples in an epoch. If the last step would be too small for the network's
    /// BatchNorm, its examples are left out of this epoch.
    pub(super) fn order(&self, len: usize, epoch: usize) -> Vec<usize> {
        let mut order = shuffled(len, self.setup.seed, Stream::Shuffle, epoch as u64);
        order.truncate(self.seen(len));
        order
    }

    /// Returns how many of so many examples an epoch uses.
    pub(super) fn seen(&self, len: usize) -> usize {
        let rest = len % self.setup.settings.batch;
        if rest < self.smallest {
            len - rest
        } else {
            len
        }
    }
}
