//! `melgrad bench`

use crate::failure::Failure;
use crate::options::DeviceArgs;
use crate::progress::Progress;
use crate::terminal;
use clap::{Args, Subcommand, ValueEnum};
use melgrad::bench::{self, Options, Report};
use std::path::{Path, PathBuf};

/// Measure kernels, training steps, inference and features: time, GFLOP/s, GB/s, % of this device's peak
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
    /// Only rows whose name starts with this: conv2d, matmul/1024, train_step, infer, extract
    #[arg(value_name = "KERNEL")]
    kernel: Option<String>,
    /// Which WGSL versions (rungs) of a kernel, on a GPU
    #[arg(long, value_name = "WHICH", default_value = "best")]
    rung: Which,
    /// At most a minute: each kernel's smallest case, few repetitions, batches halved until a launch fits
    #[arg(long)]
    quick: bool,
    /// Write the figures to this file as JSON too; `-` writes JSON to standard output instead of the table
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
