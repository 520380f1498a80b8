//! What was measured: rows, JSON, a table.

use std::fmt;
use std::path::Path;

use engine::Device;
use kernels::cpu;
use kernels::measure::Peaks;
use serde::{Deserialize, Serialize};

use models::Error;
use models::base::columns::{table, time};
use models::base::files;

/// Everything that one run of the bench found. Its JSON is a contract: these names stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The device's name.
    pub device: String,
    /// Whether it is a software adapter.
    pub software: bool,
    /// Threads on the CPU.
    pub threads: usize,
    /// Measured multiply-adds in registers, 10⁹ operations a second.
    pub peak_gflops: f64,
    /// Measured copy, read and written, 10⁹ bytes a second.
    pub peak_gbps: f64,
    /// How kernels were timed.
    #[serde(default)]
    pub clock: String,
    /// Graphics API, driver and its version; instructions of a CPU.
    #[serde(default)]
    pub driver: String,
    /// The version of melgrad.
    #[serde(default)]
    pub melgrad: String,
    /// Whether it was only a look.
    #[serde(default)]
    pub quick: bool,
    /// Whether it came to its end.
    #[serde(default)]
    pub complete: bool,
    /// What was measured, in its order.
    pub rows: Vec<Row>,
    /// What was wrong, or could not be run.
    #[serde(default)]
    pub failed: Vec<String>,
    /// What was not measured, and why: the device's limits, or the time of a quick look.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `matmul`, `train_step/ajufo-cnn`.
    pub kernel: String,
    /// The case's name, or the shape of the input.
    pub case: String,
    /// The rung; `cpu` on the CPU, `best` for work of many kernels on a GPU.
    pub rung: String,
    /// How often the batch, or the sound, was halved so that it fits; the case says so too.
    #[serde(default)]
    pub halved: u32,
    /// Time once warm: the median, in microseconds.
    pub median_us: f64,
    /// 10⁹ floating-point operations a second.
    pub gflops: f64,
    /// 10⁹ bytes a second, of the fewest that must be moved.
    pub gbps: f64,
    /// The fewest time that the device's peaks allow, over the median.
    pub percent_of_peak: f64,
    /// The speed of copies that it was held against, in 10⁹ bytes a second: of kernels on a CPU that of copies right
    /// before and after it, else the report's own.
    #[serde(default)]
    pub copy_gbps: f64,
    /// The peak that bounds it: `compute` or `memory`.
    #[serde(default)]
    pub bound: String,
    /// How it was timed.
    #[serde(default)]
    pub clock: String,
    /// The shortest time, in microseconds.
    #[serde(default)]
    pub least_us: f64,
    /// The first time, pipelines compiled, by the host's clock, in microseconds.
    #[serde(default)]
    pub cold_us: f64,
    /// How often it was timed.
    #[serde(default)]
    pub runs: usize,
    /// Whose numbers it was held against: `cpu` (this very case), `oracle` (the small proof cases of the kernel, or
    /// of every
    /// kernel that the work launched), or only found `finite`, where nothing was launched.
    #[serde(default)]
    pub checked_against: String,
    /// The largest error found, relative to the largest number.
    #[serde(default)]
    pub error: f64,
}

impl Report {
    /// A report without rows.
    pub(super) fn new(device: &Device, peaks: Peaks) -> Self {
        Report {
            device: device.name().into(),
            software: device.is_software(),
            threads: cpu::threads(),
            peak_gflops: peaks.flops * 1e-9,
            peak_gbps: peaks.bytes * 1e-9,
            clock: peaks.clock.name().into(),
            driver: device.driver(),
            melgrad: env!("CARGO_PKG_VERSION").into(),
            quick: false,
            complete: false,
            rows: Vec::new(),
            failed: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Reads what [`Report::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for a file that is no such report.
    pub fn read(path: &Path) -> Result<Self, Error> {
        serde_json::from_str(&files::read_text(path)?).map_err(|error| Error::Malformed {
            path: path.into(),
            reason: format!("not a report of `melgrad bench`: {error}"),
        })
    }

    /// The JSON, figures with the digits that mean something.
    #[must_use]
    pub fn json(&self) -> String {
        let mut rounded = self.clone();
        let figures = [&mut rounded.peak_gflops, &mut rounded.peak_gbps];
        figures
            .into_iter()
            .for_each(|figure| *figure = digits(*figure));
        for row in &mut rounded.rows {
            let figures = [
                &mut row.median_us,
                &mut row.gflops,
                &mut row.gbps,
                &mut row.percent_of_peak,
                &mut row.copy_gbps,
                &mut row.least_us,
                &mut row.cold_us,
                &mut row.error,
            ];
            figures
                .into_iter()
                .for_each(|figure| *figure = digits(*figure));
        }
        // Strings and finite numbers only: nothing that JSON cannot hold.
        let mut text = serde_json::to_string_pretty(&rounded).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Writes the JSON, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        files::write_bytes(path, self.json().as_bytes())
    }
}

/// Four digits.
pub(super) fn digits(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let software = if self.software { ", software" } else { "" };
        writeln!(
            f,
            "{}{software}, {} threads on the CPU; peak {} GFLOP/s, {} GB/s ({})\n",
            self.device,
            self.threads,
            digits(self.peak_gflops),
            digits(self.peak_gbps),
            self.clock
        )?;
        let heads = [
            "kernel",
            "case",
            "rung",
            "median",
            "GFLOP/s",
            "GB/s",
            "% of peak",
            "bound",
            "cold",
        ];
        let mut rows = vec![heads.map(String::from).to_vec()];
        rows.extend(self.rows.iter().map(|row| {
            vec![
                row.kernel.clone(),
                row.case.clone(),
                row.rung.clone(),
                time(row.median_us),
                format!("{:.1}", row.gflops),
                format!("{:.1}", row.gbps),
                format!("{:.1}", row.percent_of_peak),
                row.bound.clone(),
                time(row.cold_us),
            ]
        }));
        write!(f, "{}", table(&rows, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_four_digits() {
        assert_eq!(digits(123_456.7), 123_500.0);
        assert_eq!(digits(0.012_345_6), 0.01235);
        assert_eq!(digits(0.0), 0.0);
    }
}
