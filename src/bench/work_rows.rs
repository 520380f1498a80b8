//! Rows of work that launches several kernels: a training step, inference, feature extraction.

use engine::Device;
use kernels::measure::{Budget, Timing};
use kernels::profile::Clock;

use super::quick;
use super::work::Work;
use super::{Bench, Checked, Names};
use models::Error;

impl Bench<'_> {
    /// Runs the work once more, and compares every kernel that it launches with the oracle.
    fn parts(&mut self, work: &mut impl Work) -> Result<Checked, String> {
        let text = |error: kernels::Error| error.to_string();
        self.device.start_profile(Clock::Host).map_err(text)?;
        let done = work.run().map_err(|error| error.to_string());
        let profile = self.device.take_profile().map_err(text)?;
        done?;
        let launched = profile.map(|profile| profile.by_kernel());
        let mut checked = Checked {
            against: "finite",
            error: 0.0,
        };
        for row in launched.unwrap_or_default() {
            checked.against = "oracle";
            checked.error = checked.error.max(self.proved(row.total.kernel)?);
        }
        Ok(checked)
    }

    /// How many times as long as its arithmetic at peak a network surely takes, by the worst of the kernels that it
    /// spends
    /// its time in; only software is so slow that this tells.
    fn slowness(&self) -> f64 {
        let main = ["conv2d", "conv2d_input_grad", "conv2d_weight_grad"];
        let last = |name: &&str| self.rows.iter().rev().find(|row| row.kernel == *name);
        let rows = main.iter().filter_map(last);
        let slowness = rows.map(|row| self.peaks.flops * 1e-9 / row.gflops.max(1e-9));
        slowness.fold(1.0, f64::max)
    }

    /// Measures work of several launches by the host's clock, with a wait at the end. `make` creates it with its batch,
    /// or its clip, halved so many times, at most `most`. A quick run starts with the smallest.
    pub(super) fn work<W: Work>(
        &mut self,
        name: String,
        seconds: Option<f64>,
        most: u32,
        make: impl Fn(&Device, u32) -> Result<W, Error>,
    ) -> Result<(), String> {
        let text = |error: Error| error.to_string();
        let mut halved = if seconds.is_some() { most } else { 0 };
        let made = make(self.device, halved).and_then(|mut work| {
            let at_peak = work.flops() as f64 / self.peaks.flops;
            if let Some(seconds) = seconds.filter(|_| self.device.is_software()) {
                let least = at_peak * self.slowness();
                if least > 2.0 * seconds {
                    return Ok(Err(format!("it takes about {least:.0} s at least")));
                }
            }
            let first = timed(&mut work)?;
            Ok(Ok((work, first)))
        });
        let (mut work, (mut cold, mut got)) = match made {
            Ok(Ok(made)) => made,
            Ok(Err(reason)) => {
                self.leave_out(&name, &reason);
                return Ok(());
            }
            Err(error) if is_too_large(&error) => {
                self.leave_out(&name, &text(error));
                return Ok(());
            }
            Err(error) => return Err(text(error)),
        };
        if let Some(seconds) = seconds.filter(|_| halved > 0) {
            let mut about = match cold < seconds / 2.0 {
                // The first run includes the compilation of pipelines.
                true => timed(&mut work).map_err(text)?.0,
                false => cold,
            };
            while halved > 0 && 2.0 * about < seconds / 4.0 {
                (halved, about) = (halved - 1, 2.0 * about);
            }
            if halved < most {
                work = make(self.device, halved).map_err(text)?;
                (cold, got) = timed(&mut work).map_err(text)?;
            }
        }
        if self.control.check().is_err() {
            return Ok(());
        }
        let checked = match self.device.is_gpu() {
            true => {
                let mut on_cpu = make(&Device::cpu(), halved).map_err(text)?;
                against_cpu(&got, &timed(&mut on_cpu).map_err(text)?.1)?
            }
            false if got.iter().all(|v| v.is_finite()) => self.parts(&mut work)?,
            false => return Err("not all of its numbers are finite".into()),
        };
        let before = self.device.counters();
        let (about, _) = timed(&mut work).map_err(text)?;
        let cost = self.device.counters() - before;
        let budget = seconds.map_or(Budget::FULL, quick::budget);
        // A quick run does not repeat a step that takes seconds.
        let more = (budget.seconds / about) as usize;
        let more = more.clamp(budget.least / 4, budget.most);
        let mut times = vec![about];
        for _ in 0..more {
            if self.control.check().is_err() {
                return Ok(());
            }
            times.push(timed(&mut work).map_err(text)?.0);
        }
        let (clock, rung) = match self.device.is_gpu() {
            true => (Clock::Batches, "best"),
            false => (Clock::Host, "cpu"),
        };
        let names = Names {
            kernel: name,
            case: format!("{}{}", work.shape(), quick::suffix(halved)),
            rung: rung.into(),
            halved,
        };
        let timing = Timing::of(clock, times);
        self.row(names, cost, cold, timing, checked, self.peaks);
        Ok(())
    }
}

/// Whether the error says that the work does not fit into memory.
fn is_too_large(error: &Error) -> bool {
    use kernels::Error::{OutOfMemory, TooLarge};
    let Error::Engine(error) = error else {
        return false;
    };
    match error.cause() {
        engine::Error::Batch { .. } => true,
        engine::Error::Kernel(cause) => matches!(cause, OutOfMemory { .. } | TooLarge { .. }),
        _ => false,
    }
}

/// Runs the work once and waits for it. Returns the seconds and the results.
fn timed(work: &mut impl Work) -> Result<(f64, Vec<f32>), Error> {
    let start = std::time::Instant::now();
    let numbers = work.run()?;
    Ok((start.elapsed().as_secs_f64(), numbers))
}

/// Errors of whole networks are sums of many kernels' errors: a thousandth of the largest value is tolerated.
fn against_cpu(got: &[f32], want: &[f32]) -> Result<Checked, String> {
    let scale = want.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let off = |(g, w): (&f32, &f32)| f64::from((g - w).abs() / scale);
    let error = got.iter().zip(want).map(off).fold(0.0, f64::max);
    match got.len() == want.len() && error <= 1e-3 && got.iter().all(|v| v.is_finite()) {
        true => Ok(Checked {
            against: "cpu",
            error,
        }),
        false => Err(format!("its numbers are {error:.1e} off the CPU's")),
    }
}
