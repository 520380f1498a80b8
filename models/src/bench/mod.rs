//! `melgrad bench`: how long everything takes, and how near that is to what the device can do.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`run`]: from a filter to a [`Report`] |
//! | `work.rs` | work of more than one kernel: a training step, an answer, a clip's features |
//! | `report.rs` | the [`Report`]: rows, JSON, a table |
//! | `compare.rs` | [`compare`]: two reports side by side |
//!
//! A row is measured only after its numbers were found right. On a GPU the very case is held against the CPU. On the CPU,
//! where the oracle would take hours for it, a kernel's small proof cases are held against the oracle; of a training step,
//! an answer or a clip's features, those of every kernel launched, and the numbers that come out must be finite.

mod compare;
mod report;
mod work;

use engine::Device;
use kernels::catalogue::CATALOGUE;
use kernels::measure::{Budget, Peaks, Subject, Timing, peaks, prove_all};
use kernels::peak::cases::COPY;
use kernels::profile::Clock;
use kernels::{Case, Counters, Kernel, Role};
use std::collections::HashMap;

use crate::Error;
use crate::control::{Control, Event};
use crate::recipe::{Recipe, networks};
pub use compare::compare;
pub use report::{Report, Row};
pub use work::{Extract, Infer, TrainStep, Work};

/// What is to be measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Only rows whose name begins so: `conv2d`, `matmul/1024`, `train_step`.
    pub filter: Option<&'a str>,
    /// Every rung of a kernel, not only the best.
    pub all_rungs: bool,
    /// A look: each kernel's cheapest case, few repetitions.
    pub quick: bool,
}

/// How long to look for the device's peaks: everything is measured against them.
const PEAKS: Budget = Budget {
    seconds: 0.5,
    least: 8,
    most: 200,
};

/// Labels of the networks that are measured.
const CLASSES: usize = 10;

/// Something that gives rows.
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

/// The recipes that are measured unless others are asked for by name (`train_step/veselinov-vgg`): one of every shape of
/// network, none that takes minutes.
pub const RECIPES: [&str; 6] = [
    "ajufo-cnn",
    "ajufo-crnn",
    "amin-cnn",
    "demo",
    "dwivedi-parallel",
    "georgopoulos-cnn",
];

/// Whether there is anything to be measured, before a device is opened.
///
/// # Errors
/// [`Error::Bench`] where nothing has such a name.
pub fn check(options: &Options<'_>) -> Result<(), Error> {
    subjects(options).map(|_| ())
}

fn subjects(options: &Options<'_>) -> Result<Vec<Subjects>, Error> {
    let cases = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    let mut cases: Vec<Case> = cases.filter(|case| case.role == Role::Bench).collect();
    if options.quick {
        // A byte of memory takes about as long as ten operations.
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

/// Measures what `options` name, on this device. Told to stop, it gives what it has: then the report is not complete.
///
/// # Errors
/// [`Error::Bench`] where nothing has such a name; whatever the device refuses before the first row. What goes wrong
/// with one row is a warning, and its name is in [`Report::failed`].
pub fn run(options: &Options<'_>, device: &Device, control: Control<'_>) -> Result<Report, Error> {
    let subjects = subjects(options)?;
    let budget = if options.quick {
        Budget::QUICK
    } else {
        Budget::FULL
    };
    let total = subjects.len();
    let tell = |done, name: &str| control.tell(Event::Bench { done, total, name });
    tell(0, "peak");
    let copy = (!device.is_gpu()).then(|| Subject::new(device, &COPY));
    let mut bench = Bench {
        device,
        budget,
        all_rungs: options.all_rungs,
        peaks: peaks(device, PEAKS).map_err(engine::Error::from)?,
        copy: copy.transpose().map_err(engine::Error::from)?,
        proved: HashMap::new(),
        rows: Vec::new(),
    };
    let (mut failed, mut complete) = (Vec::new(), true);
    for (done, subject) in subjects.into_iter().enumerate() {
        if control.check().is_err() {
            complete = false;
            break;
        }
        let name = subject.name();
        if let Err(reason) = bench.measure(subject) {
            control.tell(Event::Warning(&format!("{name}: {reason}")));
            failed.push(name.clone());
        }
        tell(done + 1, &name);
    }
    Ok(Report::new(
        device,
        bench.peaks,
        options.quick,
        bench.rows,
        failed,
        complete,
    ))
}

struct Bench<'a> {
    device: &'a Device,
    budget: Budget,
    all_rungs: bool,
    peaks: Peaks,
    /// On a CPU, what tells how fast memory is just now.
    copy: Option<Subject<'a>>,
    /// The largest errors of kernels that were held against the oracle.
    proved: HashMap<&'static str, Result<f64, String>>,
    rows: Vec<Row>,
}

/// Whose numbers a row's were held against, and the largest error found.
struct Checked {
    against: &'static str,
    error: f64,
}

impl Bench<'_> {
    fn measure(&mut self, subject: Subjects) -> Result<(), String> {
        let name = subject.name();
        match subject {
            Subjects::Kernel(case) => self.kernel(&case),
            Subjects::TrainStep(recipe) => self.work(name, |d| TrainStep::new(&recipe, CLASSES, d)),
            Subjects::Infer(recipe) => self.work(name, |d| Infer::new(&recipe, CLASSES, d)),
            Subjects::Extract(kind) => self.work(name, |d| Ok(Extract::new(kind, d))),
        }
    }

    fn kernel(&mut self, case: &Case) -> Result<(), String> {
        let text = |error: kernels::Error| error.to_string();
        let kernel = &*case.kernel;
        let subject = Subject::new(self.device, kernel).map_err(text)?;
        let mut rungs = subject.rungs();
        if !self.all_rungs {
            rungs.drain(..rungs.len().saturating_sub(1));
        }
        for rung in rungs {
            let before = self.copying()?;
            let cold = subject.once(rung).map_err(text)?;
            let checked = match rung {
                Some(_) => Checked {
                    against: "cpu",
                    error: subject.check_against_cpu(rung)?.max_error,
                },
                None => Checked {
                    against: "oracle",
                    error: self.proved(kernel.name())?,
                },
            };
            let timing = subject
                .time(rung, self.peaks.clock, self.budget)
                .map_err(text)?;
            let cost = Counters {
                flops: kernel.flops(),
                bytes: kernel.bytes(),
                ..Counters::default()
            };
            let names = [kernel.name(), case.name, rung.unwrap_or("cpu")].map(String::from);
            let peaks = Peaks {
                bytes: (before + self.copying()?) / 2.0,
                ..self.peaks
            };
            self.row(names, cost, cold, timing, checked, peaks);
        }
        Ok(())
    }

    /// Bytes a second of copies made now. On a CPU that drifts with all else that the machine does, within minutes by more
    /// than a row is to tell, so that it is asked right before and after each.
    fn copying(&self) -> Result<f64, String> {
        let Some(copy) = &self.copy else {
            return Ok(self.peaks.bytes);
        };
        let copies = copy.time(None, self.peaks.clock, Budget::BESIDE);
        let copies = copies.map_err(|error| error.to_string())?;
        Ok(COPY.bytes() as f64 / copies.median)
    }

    /// The proof cases of a kernel against its oracle, once.
    fn proved(&mut self, kernel: &'static str) -> Result<f64, String> {
        let device = self.device;
        let prove = || prove_all(device, kernel).map(|found| found.max_error);
        self.proved.entry(kernel).or_insert_with(prove).clone()
    }

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

    /// Work of many launches: timed by the host's clock with a wait at the end.
    fn work<W: Work>(
        &mut self,
        name: String,
        make: impl Fn(&Device) -> Result<W, Error>,
    ) -> Result<(), String> {
        let text = |error: Error| error.to_string();
        let mut work = make(self.device).map_err(text)?;
        let (cold, got) = timed(&mut work).map_err(text)?;
        let checked = match self.device.is_gpu() {
            true => {
                let (_, want) = timed(&mut make(&Device::cpu()).map_err(text)?).map_err(text)?;
                against_cpu(&got, &want)?
            }
            false if got.iter().all(|v| v.is_finite()) => self.parts(&mut work)?,
            false => return Err("not all of its numbers are finite".into()),
        };
        let before = self.device.counters();
        let (about, _) = timed(&mut work).map_err(text)?;
        let cost = self.device.counters() - before;
        // A step of seconds is not repeated for a quick look.
        let more = (self.budget.seconds / about) as usize;
        let more = more.clamp(self.budget.least / 4, self.budget.most);
        let mut seconds = vec![about];
        for _ in 0..more {
            seconds.push(timed(&mut work).map_err(text)?.0);
        }
        let clock = match self.device.is_gpu() {
            true => Clock::Batches,
            false => Clock::Host,
        };
        let timing = Timing::of(clock, seconds);
        let rung = if self.device.is_gpu() { "best" } else { "cpu" };
        self.row(
            [name, work.shape(), rung.into()],
            cost,
            cold,
            timing,
            checked,
            self.peaks,
        );
        Ok(())
    }

    fn row(
        &mut self,
        names: [String; 3],
        cost: Counters,
        cold: f64,
        timing: Timing,
        checked: Checked,
        peaks: Peaks,
    ) {
        let (bound, fewest) = peaks.bound(cost.flops, cost.bytes);
        let [kernel, case, rung] = names;
        self.rows.push(Row {
            kernel,
            case,
            rung,
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
