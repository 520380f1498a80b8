//! Timing of kernels, and a device's peaks.
//!
//! [`peaks`] measures multiply-adds and a copy. [`Subject`] is a kernel with its buffers: it is first compared with the
//! oracle or the CPU, then timed. The first launch (pipelines compiled, pages touched) is timed separately.
//!
//! GPUs are timed by their own timestamps where they have them and these agree with the host's clock on a launch long
//! enough to tell; else by the host's clock around batches of launches. What was used is in every [`Timing`].

use crate::catalogue::CATALOGUE;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Role};
use crate::peak::cases::FMA;
use crate::peak::{PeakCopy, PeakFma};
use crate::philox::Philox;
use crate::profile::Clock;
use crate::proof::{self, Found};
use crate::{Arg, Buffer};
use std::cell::OnceCell;
use std::time::Instant;

/// Budget of a measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Approximate seconds for the repetitions of one kernel.
    pub seconds: f64,
    /// Minimum number of repetitions.
    pub least: usize,
    /// Maximum number of repetitions.
    pub most: usize,
}

impl Budget {
    /// Budget for results to keep.
    pub const FULL: Budget = Budget {
        seconds: 1.0,
        least: 5,
        most: 500,
    };

    /// Budget for a quick run.
    pub const QUICK: Budget = Budget {
        seconds: 0.15,
        least: 3,
        most: 50,
    };

    /// Budget for a copy next to a kernel.
    pub const BESIDE: Budget = Budget {
        seconds: 0.05,
        least: 5,
        most: 20,
    };

    fn repetitions(&self, seconds: f64) -> usize {
        ((self.seconds / seconds) as usize).clamp(self.least, self.most)
    }
}

/// Timing of repeated launches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Clock used.
    pub clock: Clock,
    /// Median, in seconds.
    pub median: f64,
    /// Shortest time, in seconds.
    pub least: f64,
    /// Number of repetitions.
    pub runs: usize,
}

impl Timing {
    /// Of these times, in seconds; the median of an even number is the lower of the two in the middle.
    ///
    /// # Panics
    /// If there are none.
    pub fn of(clock: Clock, mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Timing {
            clock,
            median: seconds[(seconds.len() - 1) / 2],
            least: seconds[0],
            runs: seconds.len(),
        }
    }
}

/// Measured peaks of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peaks {
    /// Floating-point operations per second.
    pub flops: f64,
    /// Bytes read and written per second.
    pub bytes: f64,
    /// Clock used; kernels are timed by the same.
    pub clock: Clock,
}

/// Bound of a kernel on a device with these peaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Floating-point operations.
    Compute,
    /// Memory traffic.
    Memory,
}

impl Bound {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Compute => "compute",
            Bound::Memory => "memory",
        }
    }
}

impl Peaks {
    /// Returns the bound of this work, and its shortest time in seconds (the roofline model). Work that stays in caches
    /// may be faster than the memory bound.
    pub fn bound(&self, flops: u64, bytes: u64) -> (Bound, f64) {
        let (compute, memory) = (flops as f64 / self.flops, bytes as f64 / self.bytes);
        match compute > memory {
            true => (Bound::Compute, compute),
            false => (Bound::Memory, memory),
        }
    }
}

/// Measures what this device can do at most, with all the threads that it has; multiply-adds and the copy by
/// these kernels.
pub fn peaks(
    device: &Device,
    multiply_adds: &PeakFma,
    copy: &PeakCopy,
    budget: Budget,
) -> Result<Peaks> {
    let fma = Subject::new(device, multiply_adds)?;
    let clock = agreed_clock(&fma)?;
    let best = |subject: &Subject<'_>| -> Result<f64> {
        let mut least = f64::INFINITY;
        for rung in subject.rungs() {
            least = least.min(subject.time(rung, clock, budget)?.least);
        }
        Ok(least)
    };
    let flops = multiply_adds.flops() as f64 / best(&fma)?;
    drop(fma);
    let bytes = copy.bytes() as f64 / best(&Subject::new(device, copy)?)?;
    Ok(Peaks {
        flops,
        bytes,
        clock,
    })
}

/// The clock that times this device's launches: the adapter's timestamps where they tell about the same as the host's clock
/// of a long launch, which this waits for.
///
/// # Errors
/// Whatever the device refuses.
pub fn trusted_clock(device: &Device) -> Result<Clock> {
    match device.is_gpu() {
        true => agreed_clock(&Subject::new(device, &FMA)?),
        false => Ok(Clock::Host),
    }
}

fn agreed_clock(long: &Subject<'_>) -> Result<Clock> {
    let device = long.device;
    if !device.is_gpu() {
        return Ok(Clock::Host);
    }
    let rung = long.rungs().last().copied().flatten();
    long.launch(rung)?;
    if device.start_profile(Clock::Timestamps)? != Clock::Timestamps {
        device.take_profile()?;
        return Ok(Clock::Batches);
    }
    let start = Instant::now();
    for _ in 0..3 {
        long.launch(rung)?;
    }
    let spans = device.take_profile()?.map(|profile| profile.spans);
    let wall = start.elapsed().as_secs_f64();
    let spans = spans.unwrap_or_default();
    let total: f64 = spans.iter().map(|span| span.seconds).sum();
    let sane = spans.iter().all(|span| span.seconds > 0.0) && (0.4..1.05).contains(&(total / wall));
    Ok(if sane {
        Clock::Timestamps
    } else {
        Clock::Batches
    })
}

/// A kernel with buffers of random numbers on a device, to be checked and timed.
pub struct Subject<'a> {
    device: &'a Device,
    kernel: &'a dyn Kernel,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    /// What outputs hold before the first launch; `None` for those that are not read.
    before: Vec<Option<Vec<f32>>>,
    /// What the CPU's outputs are.
    expected: OnceCell<Result<Vec<Vec<f32>>>>,
}

impl<'a> Subject<'a> {
    /// Makes the buffers. The same kernel gets the same numbers on every device.
    pub fn new(device: &'a Device, kernel: &'a dyn Kernel) -> Result<Self> {
        kernel.check()?;
        let mut random = Philox::new(1, 0);
        let values = proof::samples(kernel, &mut random);
        let args = kernel.inputs();
        let inputs = args.iter().zip(&values);
        let inputs = inputs.map(|(arg, v)| device.upload(&proof::to_words(arg.kind, v)));
        let inputs = inputs.collect::<Result<_>>()?;
        let mut before = |arg: &Arg| {
            let values = arg.updated.then(|| proof::sample(kernel, arg, &mut random));
            values.map(|values| proof::to_words(arg.kind, &values))
        };
        let before: Vec<_> = kernel.outputs().iter().map(&mut before).collect();
        Ok(Subject {
            device,
            kernel,
            inputs,
            outputs: outputs(device, kernel, &before)?,
            before,
            expected: OnceCell::new(),
        })
    }

    /// What can be measured, the best last: on a GPU every rung that serves this shape there, on the CPU the one
    /// implementation.
    pub fn rungs(&self) -> Vec<Option<&'static str>> {
        match self.device.rungs(self.kernel) {
            None => vec![None],
            Some(rungs) => rungs.into_iter().map(Some).collect(),
        }
    }

    /// Launches it once, without waiting.
    pub fn launch(&self, rung: Option<&str>) -> Result<()> {
        self.launch_into(rung, &self.outputs)
    }

    fn launch_into(&self, rung: Option<&str>, outputs: &[Buffer]) -> Result<()> {
        let inputs: Vec<&Buffer> = self.inputs.iter().collect();
        let outputs: Vec<&Buffer> = outputs.iter().collect();
        self.device
            .launch_rung(self.kernel, rung, &inputs, &outputs)
    }

    /// Launches it once more on fresh outputs and holds them against the CPU's: the largest error, relative to the
    /// output's largest number.
    ///
    /// # Errors
    /// A text that says what is wrong: an element that is further off than two sums in f32 may be.
    pub fn check_against_cpu(&self, rung: Option<&str>) -> Result<Found, String> {
        let text = |error: &Error| error.to_string();
        let run = |subject: &Subject<'_>, rung| -> Result<Vec<Vec<f32>>> {
            let fresh = outputs(subject.device, self.kernel, &subject.before)?;
            subject.launch_into(rung, &fresh)?;
            fresh.iter().map(Buffer::to_vec).collect()
        };
        let on_cpu = || run(&Subject::new(&Device::cpu(), self.kernel)?, None);
        let want = self.expected.get_or_init(on_cpu).as_ref().map_err(text)?;
        let got = run(self, rung).map_err(|error| text(&error))?;
        proof::agree(self.kernel, &got, want)
    }

    /// One launch and the wait for it, in seconds by the host's clock. The first of its kind is a cold one: pipelines
    /// are compiled, pages touched.
    ///
    /// # Errors
    /// [`Error::NoRung`] where the rung does not serve this shape here; whatever the device refuses.
    pub fn once(&self, rung: Option<&str>) -> Result<f64> {
        self.device.synchronize()?;
        let start = Instant::now();
        self.launch(rung)?;
        self.device.synchronize()?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Times repeated launches, after one that does not count.
    ///
    /// # Errors
    /// As [`Subject::once`].
    pub fn time(&self, rung: Option<&str>, clock: Clock, budget: Budget) -> Result<Timing> {
        self.once(rung)?;
        self.time_warm(rung, clock, budget)
    }

    /// [`Subject::time`] of a rung that was launched before. Where the budget allows one launch alone, that is what is
    /// timed, with the wait for it.
    ///
    /// # Errors
    /// As [`Subject::once`].
    pub fn time_warm(&self, rung: Option<&str>, clock: Clock, budget: Budget) -> Result<Timing> {
        let about = self.once(rung)?;
        let runs = budget.repetitions(about);
        if runs <= 1 {
            let clock = match clock {
                Clock::Host => Clock::Host,
                _ => Clock::Waits,
            };
            return Ok(Timing::of(clock, vec![about]));
        }
        match clock {
            Clock::Host | Clock::Waits => {
                let seconds: Result<Vec<f64>> = (0..runs).map(|_| self.once(rung)).collect();
                Ok(Timing::of(clock, seconds?))
            }
            Clock::Timestamps => {
                self.device.start_profile(clock)?;
                let launched = self.launch_many(rung, runs, about);
                let profile = self.device.take_profile()?;
                launched?;
                let spans = profile.map(|profile| profile.spans).unwrap_or_default();
                let seconds: Vec<f64> = spans.iter().map(|span| span.seconds).collect();
                // A launch shorter than a tick of the clock, or a clock that jumped.
                if seconds.is_empty() || seconds.iter().any(|s| *s <= 0.0) {
                    return self.time_warm(rung, Clock::Batches, budget);
                }
                Ok(Timing::of(clock, seconds))
            }
            Clock::Batches => {
                let batches = runs.min(5);
                let each = runs.div_ceil(batches);
                let batch = || -> Result<f64> {
                    let start = Instant::now();
                    self.launch_many(rung, each, about)?;
                    self.device.synchronize()?;
                    Ok(start.elapsed().as_secs_f64() / each as f64)
                };
                let seconds: Result<Vec<f64>> = (0..batches).map(|_| batch()).collect();
                Ok(Timing {
                    runs: batches * each,
                    ..Timing::of(clock, seconds?)
                })
            }
        }
    }

    /// No submission takes so long that a watchdog thinks the device hangs.
    fn launch_many(&self, rung: Option<&str>, count: usize, about: f64) -> Result<()> {
        for _ in 0..count {
            self.launch(rung)?;
            if about > 0.01 {
                self.device.flush()?;
            }
        }
        Ok(())
    }
}

/// Buffers for outputs, holding what they hold before a launch.
fn outputs(
    device: &Device,
    kernel: &dyn Kernel,
    before: &[Option<Vec<f32>>],
) -> Result<Vec<Buffer>> {
    let args = kernel.outputs().into_iter().zip(before);
    let made = args.map(|(arg, before)| match before {
        Some(values) => device.upload(values),
        None => device.upload(&vec![f32::NAN; arg.len]),
    });
    made.collect()
}

/// Holds every proof case of this kernel against its oracle: the largest error.
///
/// # Errors
/// A text that names the case and says what is wrong.
pub fn prove_all(device: &Device, kernel: &str) -> Result<Found, String> {
    let mut worst = Found::default();
    let cases = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    for case in cases.filter(|case| case.role == Role::Proof && case.kernel.name() == kernel) {
        let found = proof::prove(device, &*case.kernel, None, 0)
            .map_err(|error| format!("{kernel}/{}: {error}", case.name))?;
        if found.max_error >= worst.max_error {
            worst = found;
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_bound_from_both_sides() {
        let peaks = Peaks {
            flops: 100.0,
            bytes: 10.0,
            clock: Clock::Host,
        };
        assert_eq!(peaks.bound(1000, 10), (Bound::Compute, 10.0));
        assert_eq!(peaks.bound(100, 30), (Bound::Memory, 3.0));
    }

    #[test]
    fn medians() {
        let timing = Timing::of(Clock::Host, vec![3.0, 1.0, 2.0, 8.0]);
        assert_eq!((timing.median, timing.least, timing.runs), (2.0, 1.0, 4));
    }

    #[test]
    fn smaller_shapes_of_every_kernel_are_sound() {
        let mut halved = 0;
        for case in CATALOGUE.iter().flat_map(|(_, cases, _)| cases()) {
            if matches!(case.role, Role::Bad(_)) {
                continue;
            }
            let mut kernel = case.kernel;
            while let Some(smaller) = kernel.smaller() {
                assert_eq!(smaller.name(), kernel.name());
                assert!(smaller.bytes() < kernel.bytes(), "{smaller:?}");
                if let Err(error) = smaller.check() {
                    // One number a channel has no variance.
                    assert!(smaller.name().starts_with("batch_norm"), "{error}");
                }
                kernel = smaller;
                halved += 1;
            }
        }
        assert!(halved > 500, "{halved}");
    }

    #[test]
    fn a_kernel_is_checked_and_timed_by_every_clock() {
        let kernel = crate::softmax::Softmax {
            rows: 33,
            columns: 65,
            log: false,
        };
        #[cfg(feature = "gpu")]
        let devices = [Device::cpu(), Device::open("gpu").expect("an adapter")];
        #[cfg(not(feature = "gpu"))]
        let devices = [Device::cpu()];
        for device in &devices {
            let subject = Subject::new(device, &kernel).unwrap();
            for rung in subject.rungs() {
                let found = subject.check_against_cpu(rung).unwrap();
                assert!(found.max_error <= found.tolerance);
                let clocks: &[Clock] = match device.is_gpu() {
                    true => &[Clock::Timestamps, Clock::Batches, Clock::Waits],
                    false => &[Clock::Host],
                };
                for clock in clocks {
                    let timing = subject.time(rung, *clock, Budget::QUICK).unwrap();
                    assert_eq!(timing.clock, *clock);
                    assert!(timing.least > 0.0 && timing.median >= timing.least);
                    assert!(timing.runs >= 3);
                    let one = Budget {
                        seconds: 0.0,
                        least: 1,
                        most: 1,
                    };
                    assert_eq!(subject.time_warm(rung, *clock, one).unwrap().runs, 1);
                }
            }
        }
        assert!(prove_all(&devices[0], "softmax").unwrap().tolerance > 0.0);
    }
}
