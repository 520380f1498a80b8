//! Rows of work that launches many kernels: a training step, an answer, a clip's features.

use engine::Device;
use kernels::measure::{Budget, Timing};
use kernels::profile::Clock;

use super::quick;
use super::work::Work;
use super::{Bench, Checked, Names};
use crate::Error;

/// Work that was made, and perhaps done once.
struct Begun<W> {
    work: W,
    /// Seconds, and the numbers that came out.
    first: Option<(f64, Vec<f32>)>,
    /// Whether it takes longer than a quick look has for it.
    slow: bool,
}

impl Bench<'_> {
    /// Does the work once more, and holds every kernel that it launches against the oracle.
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

    /// Does some work once, unless a quick look surely has no time for it.
    fn begin<W: Work>(&self, mut work: W, seconds: Option<f64>) -> Result<Begun<W>, Error> {
        let limit = seconds.unwrap_or(f64::INFINITY) / 2.0;
        let at_peak = work.flops() as f64 / self.peaks.flops;
        let mut slow = quick::NAIVE * at_peak > limit;
        let mut first = None;
        if !slow {
            let done = timed(&mut work)?;
            // The first time, pipelines are compiled.
            slow = done.0 > limit && timed(&mut work)?.0 > limit;
            first = Some(done);
        }
        Ok(Begun { work, first, slow })
    }

    /// Work of many launches: timed by the host's clock with a wait at the end. `make` makes it with its batch, or its
    /// sound, halved so often; nothing where that cannot be halved.
    pub(super) fn work<W: Work>(
        &mut self,
        name: String,
        seconds: Option<f64>,
        make: impl Fn(&Device, u32) -> Result<Option<W>, Error>,
    ) -> Result<(), String> {
        let text = |error: Error| error.to_string();
        let (mut halved, mut found) = (0, None);
        loop {
            let made = make(self.device, halved);
            let begun =
                made.and_then(|work| work.map(|work| self.begin(work, seconds)).transpose());
            match begun {
                Ok(Some(begun)) => {
                    let slow = begun.slow;
                    found = Some((halved, begun));
                    if !slow {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) if has_no_room(&error) => {}
                Err(error) => return Err(text(error)),
            }
            halved += 1;
            if self.control.check().is_err() {
                return Ok(());
            }
        }
        let Some((
            halved,
            Begun {
                mut work, first, ..
            },
        )) = found
        else {
            self.leave_out(&name, "the device has no room for it");
            return Ok(());
        };
        let (cold, got) = match first {
            Some(first) => first,
            None => timed(&mut work).map_err(text)?,
        };
        let checked = match self.device.is_gpu() {
            true => {
                let on_cpu = make(&Device::cpu(), halved).map_err(text)?;
                let mut on_cpu = on_cpu.ok_or("the CPU has no room for it")?;
                against_cpu(&got, &timed(&mut on_cpu).map_err(text)?.1)?
            }
            false if got.iter().all(|v| v.is_finite()) => self.parts(&mut work)?,
            false => return Err("not all of its numbers are finite".into()),
        };
        let before = self.device.counters();
        let (about, _) = timed(&mut work).map_err(text)?;
        let cost = self.device.counters() - before;
        let budget = seconds.map_or(Budget::FULL, quick::budget);
        // A step of seconds is not repeated for a quick look.
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

/// Whether a smaller batch may well fit.
fn has_no_room(error: &Error) -> bool {
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

/// Does the work once and waits for it: seconds, and the numbers that came out.
fn timed(work: &mut impl Work) -> Result<(f64, Vec<f32>), Error> {
    let start = std::time::Instant::now();
    let numbers = work.run()?;
    Ok((start.elapsed().as_secs_f64(), numbers))
}

/// Errors of whole networks are sums of many kernels' errors: a thousandth of the largest number may be lost.
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
