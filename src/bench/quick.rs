//! Quick run: time limits of the rows, and smaller shapes that fit them.

use std::time::{Duration, Instant};

use engine::Device;
use kernels::catalogue::CATALOGUE;
use kernels::measure::{self, Budget, Peaks};
use kernels::peak::cases::{COPY, FMA};
use kernels::peak::{PeakCopy, PeakFma};
use kernels::{Case, Kernel, Role};

/// Approximate duration of a quick run on a slow device. A fast device takes less.
const AIM: Duration = Duration::from_secs(25);
/// Rows that have not started by then are skipped.
const END: Duration = Duration::from_secs(45);

/// Part of a row's time that one launch may take. There are three kinds: the cold one, the check and the timing.
const LAUNCH: f64 = 0.2;

/// Time budget of a quick run, divided among the rows.
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

    /// Returns the seconds for the next of `left` remaining rows; `None` once the time is over.
    pub(super) fn share(self, left: usize) -> Option<f64> {
        let past = self.start.elapsed();
        if past >= END {
            return None;
        }
        // If the run is behind its target, the rows share the time up to the hard limit.
        let until = if past < AIM.mul_f64(0.9) { AIM } else { END };
        Some((until - past).as_secs_f64() / left.max(1) as f64)
    }
}

/// Measures the device's peaks. A software adapter gets a smaller measurement.
pub(super) fn peaks(device: &Device) -> kernels::Result<Peaks> {
    let (multiply_adds, copy) = match device.is_software() {
        true => (
            PeakFma {
                len: FMA.len / 8,
                steps: FMA.steps / 4,
            },
            PeakCopy { len: COPY.len / 4 },
        ),
        false => (FMA, COPY),
    };
    measure::peaks(device, &multiply_adds, &copy, Budget::QUICK)
}

/// Budget of a row that has so many seconds for compilation, check and timing: a third is for the timing.
pub(super) fn budget(seconds: f64) -> Budget {
    Budget {
        seconds: (seconds / 3.0).min(Budget::QUICK.seconds),
        least: 1,
        ..Budget::QUICK
    }
}

/// A kernel with one shape, and the name of the case.
pub(super) struct Shape {
    pub(super) kernel: Box<dyn Kernel>,
    pub(super) case: String,
    /// How often the batch was halved.
    pub(super) halved: u32,
    is_proof: bool,
}

impl Shape {
    /// Whether this is a proof case, not a shape of a paper's network.
    pub(super) fn is_proof(&self) -> bool {
        self.is_proof
    }

    /// Estimated cost of a launch, relative to other shapes of the same kernel.
    fn cost(&self) -> f64 {
        (self.kernel.flops() + self.kernel.bytes()) as f64
    }
}

/// The shapes that a case may be measured with, the largest first: its own, and with the batch halved ever more
/// often. Last
/// come the kernel's proof cases, for devices to which one example is too much.
pub(super) fn shapes(case: Case) -> Vec<Shape> {
    let kernel = case.kernel.name();
    let named = |halved| format!("{}{}", case.name, suffix(halved));
    let mut shapes = vec![Shape {
        kernel: case.kernel,
        case: named(0),
        halved: 0,
        is_proof: false,
    }];
    while let Some(last) = shapes.last()
        && let Some(kernel) = last.kernel.smaller()
        && kernel.check().is_ok()
    {
        let halved = last.halved + 1;
        let case = named(halved);
        shapes.push(Shape {
            kernel,
            case,
            halved,
            is_proof: false,
        });
    }
    let smallest = shapes.last().map_or(0.0, Shape::cost);
    let all = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    let proofs = all.filter(|case| case.role == Role::Proof && case.kernel.name() == kernel);
    let mut proofs: Vec<Shape> = proofs
        .map(|case| Shape {
            case: format!("{} (small)", case.name),
            kernel: case.kernel,
            halved: 0,
            is_proof: true,
        })
        .filter(|proof| proof.cost() < smallest)
        .collect();
    proofs.sort_by(|a, b| b.cost().total_cmp(&a.cost()));
    shapes.extend(proofs);
    shapes
}

/// Returns the largest shape that fits a row of so many seconds, given that a launch of the shape `probe` takes
/// `launch` seconds. `shapes` are sorted, the largest first. Returns the last if none fits.
pub(super) fn fitting(
    shapes: &[Shape],
    served: &[usize],
    probe: usize,
    launch: f64,
    seconds: f64,
) -> usize {
    let each = launch / shapes[probe].cost().max(1.0);
    let fits = |&&at: &&usize| each * shapes[at].cost() <= LAUNCH * seconds;
    let found = served.iter().find(fits).or(served.last());
    found.copied().unwrap_or(probe)
}

/// Returns why the device's limits exclude a kernel's shape, if they do.
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

/// Suffix of a case's name that tells how often the batch was halved.
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
    fn the_largest_shape_that_fits_is_taken() {
        let cases = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
        let mut cases = cases.filter(|case| case.kernel.name() == "matmul");
        let shapes = shapes(cases.find(|case| case.name == "square-1024").unwrap());
        let names: Vec<&str> = shapes.iter().map(|shape| shape.case.as_str()).collect();
        assert_eq!(
            names[..3],
            [
                "square-1024",
                "square-1024 (batch / 2)",
                "square-1024 (batch / 4)"
            ]
        );
        assert_eq!(shapes[10].kernel.inputs()[0].len, 1024, "one row");
        assert!(shapes.len() > 12 && names.last().unwrap().ends_with("(small)"));
        let all: Vec<usize> = (0..shapes.len()).collect();
        assert_eq!(fitting(&shapes, &all, 10, 1e-6, 1.0), 0, "all of it");
        let some = fitting(&shapes, &all, 10, 0.04, 1.0);
        assert!((7..10).contains(&some), "{some}");
        assert!(fitting(&shapes, &all, 10, 4.0, 1.0) > 10, "not one row");
        assert_eq!(fitting(&shapes, &all, 10, 1e9, 1.0), shapes.len() - 1);
    }

    #[test]
    fn the_time_is_dealt_out() {
        let share = Clock::start().share(100).unwrap();
        assert!((0.2..=0.25).contains(&share), "{share}");
        let budget = budget(share);
        assert!(budget.seconds < 0.1 && budget.least == 1);
    }
}
