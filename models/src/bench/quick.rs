//! A quick look: how long each row may take, and shapes made smaller until they fit.

use std::time::{Duration, Instant};

use engine::Device;
use kernels::Kernel;
use kernels::measure::{self, Budget, Peaks};
use kernels::peak::PeakFma;
use kernels::peak::cases::FMA;

/// About how long a quick look takes on a slow device. On a fast one it takes less.
const AIM: Duration = Duration::from_secs(25);
/// What has not begun by then is left out.
const END: Duration = Duration::from_secs(45);

/// A naive kernel may take this many times as long as the device's peaks allow.
pub(super) const NAIVE: f64 = 10.0;

/// The time of a quick look, dealt out to what is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Clock {
        Clock {
            start: Instant::now(),
        }
    }

    /// Seconds for one of `left` things that are still to be measured; `None` once the time is over.
    pub(super) fn share(self, left: usize) -> Option<f64> {
        let past = self.start.elapsed();
        if past >= END {
            return None;
        }
        // When the aim is missed, what is left of the time is dealt out.
        let until = if past < AIM.mul_f64(0.9) { AIM } else { END };
        Some((until - past).as_secs_f64() / left.max(1) as f64)
    }
}

/// What a device can do at most. A software adapter shows it by an eighth of the work.
pub(super) fn peaks(device: &Device) -> kernels::Result<Peaks> {
    let steps = match device.is_software() {
        true => FMA.steps / 8,
        false => FMA.steps,
    };
    measure::peaks(device, &PeakFma { steps, ..FMA }, Budget::QUICK)
}

/// A budget of so many seconds for a row that is compiled, checked and timed: a third for the timing.
pub(super) fn budget(seconds: f64) -> Budget {
    Budget {
        seconds: (seconds / 3.0).min(Budget::QUICK.seconds),
        least: 1,
        ..Budget::QUICK
    }
}

/// A shape, and which part of its batch is left.
pub(super) struct Shape {
    pub(super) kernel: Box<dyn Kernel>,
    /// The batch was halved so often.
    pub(super) halved: u32,
}

impl Shape {
    /// Half the batch; false where there is nothing to halve.
    pub(super) fn halve(&mut self) -> bool {
        let Some(smaller) = self.kernel.smaller() else {
            return false;
        };
        self.kernel = smaller;
        self.halved += 1;
        true
    }

    /// Halves the batch while `too_large` says so.
    pub(super) fn halve_while(&mut self, too_large: impl Fn(&dyn Kernel) -> bool) {
        while too_large(&*self.kernel) && self.halve() {}
    }
}

/// Whether a launch, or a naive rung's, surely takes longer than `seconds`.
pub(super) fn takes_longer(kernel: &dyn Kernel, peaks: &Peaks, seconds: f64) -> bool {
    NAIVE * peaks.bound(kernel.flops(), kernel.bytes()).1 > seconds
}

/// What a device's limits say against a kernel's shape, if anything.
pub(super) fn ruled_out(device: &Device, kernel: &dyn Kernel) -> Option<String> {
    let limits = device.limits()?;
    let bytes = |arg: &kernels::Arg| 4 * arg.len as u64;
    let args = kernel.inputs().into_iter().chain(kernel.outputs());
    let largest = args.map(|arg| bytes(&arg)).max().unwrap_or(0);
    if largest > limits.binding_bytes {
        let most = limits.binding_bytes;
        return Some(format!(
            "a buffer of {largest} bytes, the device's limit is {most}"
        ));
    }
    let none = device.rungs(kernel).is_some_and(|rungs| rungs.is_empty());
    none.then(|| "no rung serves this shape within the device's limits".into())
}

/// What is said behind a case's name of a batch that was halved so often.
pub(super) fn suffix(halved: u32) -> String {
    match halved {
        0 => String::new(),
        _ => format!(" (batch / {})", 1u64 << halved.min(63)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_halved_until_they_fit() {
        let kernel = Box::new(kernels::matmul::Matmul::new(100, 7, 7));
        let mut shape = Shape { kernel, halved: 0 };
        shape.halve_while(|kernel| kernel.inputs()[0].len > 14 * 7);
        assert_eq!((shape.kernel.inputs()[0].len, shape.halved), (13 * 7, 3));
        shape.halve_while(|_| true);
        assert_eq!((shape.kernel.inputs()[0].len, shape.halved), (7, 7));
        assert!(!shape.halve());
        assert_eq!(
            (suffix(0), suffix(3)),
            (String::new(), " (batch / 8)".into())
        );
    }

    #[test]
    fn the_time_is_dealt_out() {
        let share = Clock::start().share(100).unwrap();
        assert!((0.2..=0.25).contains(&share), "{share}");
        let budget = budget(share);
        assert!(budget.seconds < 0.1 && budget.least == 1);
    }
}
