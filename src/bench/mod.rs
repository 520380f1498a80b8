//! `melgrad bench`: how long each operation takes, and how close it comes to the device's peak.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`run`]: from a filter to a [`Report`] |
//! | `kernel_rows.rs` | each rung of a kernel |
//! | `quick.rs` | time limits of the rows of a quick run, and smaller shapes that fit them |
//! | `work_rows.rs` | a row of work that launches several kernels |
//! | `work.rs` | work that launches several kernels: a training step, inference, feature extraction |
//! | `report.rs` | the [`Report`]: rows, JSON, a table |
//! | `compare.rs` | [`compare`]: compares two reports |
//!
//! A row is timed only after its results were checked. A GPU's results are compared with the CPU's on the same case. A
//! CPU's results are compared with the oracle on the kernel's small proof cases, because the oracle would take hours
//! for the case itself. For a training step, inference or feature extraction, every kernel launched is checked this
//! way, and the results must be finite.

mod compare;
mod kernel_rows;
mod quick;
mod report;
mod work;
mod work_rows;

use engine::Device;
use kernels::catalogue::CATALOGUE;
use kernels::measure::{Budget, Peaks, Subject, Timing, peaks, prove_all};
use kernels::peak::cases::{COPY, FMA};
use kernels::{Case, Counters, Kernel, Role};
use std::collections::HashMap;

pub use compare::compare;
use models::Error;
use models::base::control::{Control, Event};
use models::recipe::{Recipe, networks};
pub use report::{Report, Row};
pub use work::{Extract, Infer, TrainStep, Work};

/// Options of the benchmark.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Prefix of the names of the rows to measure: `conv2d`, `matmul/1024`, `train_step`.
    pub filter: Option<&'a str>,
    /// Measures every rung of a kernel, not only the best.
    pub all_rungs: bool,
    /// Quick run, under a minute: each kernel's cheapest case, few repetitions, batches halved until a launch fits.
    pub quick: bool,
}

/// Time budget for measuring the device's peaks, with which all rows are compared.
const PEAKS: Budget = Budget {
    seconds: 0.5,
    least: 8,
    most: 200,
};

/// Number of classes of the networks measured.
const CLASSES: usize = 10;

/// Something that yields rows.
enum Subjects {
    Kernel(Case),
    TrainStep(Recipe),
    Infer(Recipe),
    Extract(audio::Kind),
}

impl Subjects {
    fn name(&self) -> String {
        match self {
            Subjects::Kernel(case) => format!("{}/{}", case.kernel.name(), case.name),
            Subjects::TrainStep(recipe) => format!("train_step/{}", recipe.name),
            Subjects::Infer(recipe) => format!("infer/{}", recipe.name),
            Subjects::Extract(kind) => format!("extract/{kind}"),
        }
    }
}

/// The recipes that are measured unless others are asked for by name (`train_step/veselinov-vgg`): one of every shape
/// of
/// network, none that takes minutes.
pub const RECIPES: [&str; 6] = [
    "ajufo-cnn",
    "ajufo-crnn",
    "amin-cnn",
    "demo",
    "dwivedi-parallel",
    "georgopoulos-cnn",
];

/// Checks that the filter matches something, before a device is opened.
///
/// # Errors
/// [`Error::Bench`] if no row has such a name.
pub fn check(options: &Options<'_>) -> Result<(), Error> {
    subjects(options).map(|_| ())
}

fn subjects(options: &Options<'_>) -> Result<Vec<Subjects>, Error> {
    let cases = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    let mut cases: Vec<Case> = cases.filter(|case| case.role == Role::Bench).collect();
    if options.quick {
        // Moving a byte of memory takes about as long as ten operations.
        let cost = |case: &Case| case.kernel.flops() + 10 * case.kernel.bytes();
        let mut cheapest: HashMap<&'static str, (u64, &'static str)> = HashMap::new();
        for case in &cases {
            let this = (cost(case), case.name);
            let least = cheapest.entry(case.kernel.name()).or_insert(this);
            *least = this.min(*least);
        }
        cases.retain(|case| cheapest[case.kernel.name()].1 == case.name);
    }
    let mut all: Vec<Subjects> = cases.into_iter().map(Subjects::Kernel).collect();
    let named = options.filter.and_then(|filter| filter.split_once('/'));
    let named = named.is_some_and(|(_, recipe)| !recipe.is_empty());
    for recipe in networks()? {
        if !named && !RECIPES.contains(&recipe.name.as_str()) {
            continue;
        }
        all.push(Subjects::TrainStep(recipe.clone()));
        all.push(Subjects::Infer(recipe));
    }
    all.extend(audio::Kind::ALL.map(Subjects::Extract));
    if let Some(filter) = options.filter {
        all.retain(|subject| subject.name().starts_with(filter));
    }
    if all.is_empty() {
        let filter = options.filter.unwrap_or_default().into();
        return Err(Error::Bench { filter });
    }
    Ok(all)
}

/// Measures the rows that `options` select, on this device. If stopped, returns the rows so far in a report that is not
/// complete.
///
/// # Errors
/// [`Error::Bench`] if no row has such a name, and any error of the device before the first row. An error in one row is
/// only a warning; the row's name is added to [`Report::failed`].
pub fn run(options: &Options<'_>, device: &Device, control: Control<'_>) -> Result<Report, Error> {
    let subjects = subjects(options)?;
    let clock = options.quick.then(quick::Clock::start);
    let total = subjects.len();
    let tell = |done, name: &str| control.tell(Event::Bench { done, total, name });
    tell(0, "peak");
    let copy = (!device.is_gpu()).then(|| Subject::new(device, &COPY));
    let mut bench = Bench {
        device,
        control,
        all_rungs: options.all_rungs,
        peaks: (match options.quick {
            true => quick::peaks(device),
            false => peaks(device, &FMA, &COPY, PEAKS),
        })
        .map_err(engine::Error::from)?,
        copy: copy.transpose().map_err(engine::Error::from)?,
        overhead: f64::INFINITY,
        proved: HashMap::new(),
        rows: Vec::new(),
        left_out: Vec::new(),
    };
    let (mut failed, mut complete) = (Vec::new(), true);
    for (done, subject) in subjects.into_iter().enumerate() {
        if control.check().is_err() {
            complete = false;
            break;
        }
        let name = subject.name();
        let seconds = clock.map(|clock| clock.share(total - done));
        match seconds {
            Some(None) => bench.leave_out(&name, "the time of a quick look is over"),
            seconds => {
                if let Err(reason) = bench.measure(subject, seconds.flatten()) {
                    control.tell(Event::Warning(&format!("{name}: {reason}")));
                    failed.push(name.clone());
                }
            }
        }
        tell(done + 1, &name);
    }
    complete &= control.check().is_ok();
    Ok(Report {
        quick: options.quick,
        rows: bench.rows,
        failed,
        left_out: bench.left_out,
        complete,
        ..Report::new(device, bench.peaks)
    })
}

struct Bench<'a> {
    device: &'a Device,
    control: Control<'a>,
    all_rungs: bool,
    peaks: Peaks,
    /// On a CPU: measures the current memory speed.
    copy: Option<Subject<'a>>,
    /// Duration of the shortest launch so far, in seconds.
    overhead: f64,
    /// Largest errors of the kernels that were compared with the oracle.
    proved: HashMap<&'static str, Result<f64, String>>,
    rows: Vec<Row>,
    /// Rows that were skipped, with the reason. These are not failures.
    left_out: Vec<String>,
}

/// Name of a row, and how often its batch was halved.
struct Names {
    kernel: String,
    case: String,
    rung: String,
    halved: u32,
}

/// Reference that a row's results were compared with, and the largest error found.
struct Checked {
    against: &'static str,
    error: f64,
}

impl Bench<'_> {
    /// Measures one subject. A quick run has a time limit in seconds.
    fn measure(&mut self, subject: Subjects, seconds: Option<f64>) -> Result<(), String> {
        let name = subject.name();
        match subject {
            Subjects::Kernel(case) => self.kernel(case, seconds),
            Subjects::TrainStep(recipe) => {
                let most =
                    TrainStep::most_halved(&recipe, CLASSES).map_err(|error| error.to_string())?;
                self.work(name, seconds, most, |device, halved| {
                    TrainStep::halved(&recipe, CLASSES, halved, device)
                })
            }
            Subjects::Infer(recipe) => {
                self.work(name, seconds, 0, |d, _| Infer::new(&recipe, CLASSES, d))
            }
            Subjects::Extract(kind) => {
                self.work(name, seconds, Extract::MOST_HALVED, |device, halved| {
                    Ok(Extract::halved(kind, halved, device))
                })
            }
        }
    }

    /// Records that a row was skipped, and why.
    fn leave_out(&mut self, name: &str, reason: &str) {
        let words = format!("{name}: left out: {reason}");
        self.control.tell(Event::Warning(&words));
        self.left_out.push(words);
    }

    /// Bytes a second of copies made now. On a CPU that drifts with all else that the machine does, within minutes by
    /// more
    /// than a row is to tell, so that it is asked right before and after each.
    fn copying(&self) -> Result<f64, String> {
        let Some(copy) = &self.copy else {
            return Ok(self.peaks.bytes);
        };
        let copies = copy.time(None, self.peaks.clock, Budget::BESIDE);
        let copies = copies.map_err(|error| error.to_string())?;
        Ok(COPY.bytes() as f64 / copies.median)
    }

    /// Compares the proof cases of a kernel with its oracle, once.
    fn proved(&mut self, kernel: &'static str) -> Result<f64, String> {
        let device = self.device;
        let prove = || prove_all(device, kernel).map(|found| found.max_error);
        self.proved.entry(kernel).or_insert_with(prove).clone()
    }

    fn row(
        &mut self,
        names: Names,
        cost: Counters,
        cold: f64,
        timing: Timing,
        checked: Checked,
        peaks: Peaks,
    ) {
        let (bound, fewest) = peaks.bound(cost.flops, cost.bytes);
        self.rows.push(Row {
            kernel: names.kernel,
            case: names.case,
            rung: names.rung,
            halved: names.halved,
            median_us: timing.median * 1e6,
            gflops: cost.flops as f64 / timing.median * 1e-9,
            gbps: cost.bytes as f64 / timing.median * 1e-9,
            percent_of_peak: 100.0 * fewest / timing.median,
            copy_gbps: peaks.bytes * 1e-9,
            bound: bound.name().into(),
            clock: timing.clock.name().into(),
            least_us: timing.least * 1e6,
            cold_us: cold * 1e6,
            runs: timing.runs,
            checked_against: checked.against.into(),
            error: checked.error,
        });
    }
}
