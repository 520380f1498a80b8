//! Learning-rate range test (Smith 2015): a short training whose rate rises exponentially with each step.

use engine::Tensor;
use serde::Serialize;

use super::Trainer;
use super::tally::{Tally, out_of_memory};
use crate::Error;
use crate::base::control::{Control, Event};
use crate::input::examples::Batch;

/// A sweep ends once the mean loss of this many steps has risen to [`TOO_HIGH`] times the lowest.
const WINDOW: usize = 5;
const TOO_HIGH: f64 = 4.0;

/// Range of rates, and number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// Learning rate of the first step.
    pub from: f64,
    /// Learning rate of the last step.
    pub to: f64,
    /// Maximum number of steps.
    pub steps: usize,
}

impl Default for Sweep {
    /// fast.ai's: from 10⁻⁷ to 10 in 100 steps.
    fn default() -> Self {
        Sweep {
            from: 1e-7,
            to: 10.0,
            steps: 100,
        }
    }
}

/// One step of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SweepRow {
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Mean loss of its examples, before the step.
    pub loss: f64,
}

impl Sweep {
    /// Validates the range.
    ///
    /// # Errors
    /// [`Error::Setting`] for rates that are not increasing, or fewer than 10 steps.
    pub fn check(&self) -> Result<(), Error> {
        let sound = self.from > 0.0 && self.to > self.from && self.to.is_finite();
        if !sound {
            let reason = format!("from {} to {} is no range of rates", self.from, self.to);
            return Err(Error::setting("sweep", reason));
        }
        if self.steps < 2 * WINDOW {
            let reason = format!("{} steps; at least {}", self.steps, 2 * WINDOW);
            return Err(Error::setting("sweep", reason));
        }
        Ok(())
    }

    /// Returns the rate of a step, counted from 0.
    fn rate(&self, step: usize) -> f64 {
        let way = step as f64 / (self.steps - 1) as f64;
        self.from * (self.to / self.from).powf(way)
    }
}

impl Trainer<'_> {
    /// Trains with rising rates until the loss is far above its lowest, and tells the loss of every step. The network
    /// is
    /// of no use afterwards. A step whose loss is no finite number ends the sweep and is not among the rows.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Stopped`]; [`Error::OutOfMemory`]; any error of the device.
    pub fn sweep(mut self, sweep: &Sweep, control: Control<'_>) -> Result<Vec<SweepRow>, Error> {
        sweep.check()?;
        let size = self.setup.settings.batch;
        let examples = self.examples();
        let per_epoch = self.seen(examples.len()).div_ceil(size);
        control.tell(Event::Training {
            first_epoch: 1,
            epochs: 1,
            steps: sweep.steps,
        });
        let mut rows: Vec<SweepRow> = Vec::new();
        let (mut order, mut batch) = (Vec::new(), Batch::default());
        let mut lowest = f64::INFINITY;
        for step in 0..sweep.steps {
            control.check()?;
            let at = step % per_epoch;
            if at == 0 {
                order = self.order(examples.len(), 1 + step / per_epoch);
            }
            let some = &order[at * size..order.len().min((at + 1) * size)];
            self.read(&examples, some, step as u64, &mut batch)?;
            let learning_rate = sweep.rate(step);
            self.optimizer.set_learning_rate(learning_rate)?;
            let outputs = self.step(&batch, step as u64);
            let outputs = outputs.and_then(|outputs: Tensor| outputs.to_vec());
            let outputs = outputs.map_err(|error| out_of_memory(error, some.len()))?;
            let weights = self.weights.as_ref().map(|(weights, _)| weights.as_slice());
            let mut tally = Tally::default();
            if !tally.add(&outputs, &batch.targets, weights) {
                break;
            }
            rows.push(SweepRow {
                learning_rate,
                loss: tally.means().0,
            });
            control.tell(Event::Step {
                epoch: 1,
                step: step + 1,
                steps: sweep.steps,
            });
            if let Some(last) = rows.last_chunk::<WINDOW>() {
                let mean = last.iter().map(|row| row.loss).sum::<f64>() / WINDOW as f64;
                lowest = lowest.min(mean);
                if mean > TOO_HIGH * lowest {
                    break;
                }
            }
        }
        Ok(rows)
    }
}
