//! `melgrad bench`

use crate::failure::Failure;
use crate::options::DeviceArgs;
use crate::progress::Progress;
use crate::terminal;
use clap::{Args, Subcommand, ValueEnum};
use melgrad::bench::{self, Options, Report};
use std::path::{Path, PathBuf};

/// Benchmark: time, GFLOP/s, GB/s and % of this device's measured peak, for kernels, training, inference and features
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Results are checked before a row is timed. On a GPU they are compared with the CPU's on the same case. On the CPU, \
                  the kernel's small proof cases are compared with the oracle; for training, inference and features, those of \
                  every kernel launched (and the results must be finite).\n\n% of peak is the shortest time that the device's \
                  measured peaks allow, over the time taken. The peaks are multiply-adds in registers and copies of memory, on \
                  the same threads; on the CPU, copies are measured right before and after each kernel. Work that stays in caches \
                  can exceed 100. `cold` is the first launch, including compilation of pipelines.\n\nExamples:\n  melgrad bench --quick\n  melgrad bench conv2d --rung all --device \
                  gpu\n  melgrad bench train_step\n  melgrad bench --json here.json\n  melgrad bench compare here.json \
                  there.json"
)]
pub struct Bench {
    #[command(subcommand)]
    compare: Option<Command>,
    /// Measure only rows whose name begins with this: conv2d, matmul/1024, train_step, infer, extract
    #[arg(value_name = "KERNEL")]
    kernel: Option<String>,
    /// Rungs of a kernel to measure, on a GPU
    #[arg(long, value_name = "WHICH", default_value = "best")]
    rung: Which,
    /// Quick run, under a minute: each kernel's cheapest case, few repetitions, batches halved until a launch fits
    #[arg(long)]
    quick: bool,
    /// Also write the results to this file as JSON; `-` for standard output, in place of the table
    #[arg(long, value_name = "F")]
    json: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    All,
    Best,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two files of `melgrad bench --json`
    #[command(after_help = "Example:\n  melgrad bench compare here.json there.json")]
    Compare {
        #[arg(value_name = "A.json")]
        a: PathBuf,
        #[arg(value_name = "B.json")]
        b: PathBuf,
    },
}

impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(Command::Compare { a, b }) = &self.compare {
            let (a, b) = (Report::read(a)?, Report::read(b)?);
            return terminal::print(&bench::compare(&a, &b));
        }
        let options = Options {
            filter: self.kernel.as_deref(),
            all_rungs: self.rung == Which::All,
            quick: self.quick,
        };
        bench::check(&options)?;
        let device = self.device.open()?;
        let report = Progress::new().watch(|control| bench::run(&options, &device, control))?;
        match self.json.as_deref() {
            Some(path) if path == Path::new("-") => terminal::print(&report.json())?,
            Some(path) => {
                report.write(path)?;
                terminal::print(&report.to_string())?;
            }
            None => terminal::print(&report.to_string())?,
        }
        match (report.complete, &report.failed[..]) {
            (false, _) => Err(Failure::new(format!(
                "stopped before the end: {} rows were measured",
                report.rows.len()
            ))),
            (true, []) => Ok(()),
            (true, failed) => Err(Failure::new(format!("not measured: {}", failed.join(", ")))),
        }
    }
}
