//! Results of a benchmark: rows, JSON, a table.

use std::fmt;
use std::path::Path;

use engine::Device;
use kernels::cpu;
use kernels::measure::Peaks;
use serde::{Deserialize, Serialize};

use models::Error;
use models::base::columns::{table, time};
use models::base::files;

/// Report of one run of the benchmark. The names in its JSON are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the device.
    pub device: String,
    /// Whether the device is a software adapter.
    pub software: bool,
    /// Number of CPU threads.
    pub threads: usize,
    /// Measured peak of multiply-adds in registers, in 10⁹ operations a second.
    pub peak_gflops: f64,
    /// Measured speed of copies (bytes read plus written), in 10⁹ bytes a second.
    pub peak_gbps: f64,
    /// How kernels were timed.
    #[serde(default)]
    pub clock: String,
    /// Graphics API, driver and driver version; instruction set of a CPU.
    #[serde(default)]
    pub driver: String,
    /// Version of melgrad.
    #[serde(default)]
    pub melgrad: String,
    /// Whether this was a quick run.
    #[serde(default)]
    pub quick: bool,
    /// Whether the run was completed.
    #[serde(default)]
    pub complete: bool,
    /// Rows, in the order in which they were measured.
    pub rows: Vec<Row>,
    /// Rows with wrong results, or that failed to run.
    #[serde(default)]
    pub failed: Vec<String>,
    /// Rows that were skipped, with the reason: the device's limits, or the time limit of a quick run.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the kernel or the work: `matmul`, `train_step/ajufo-cnn`.
    pub kernel: String,
    /// Name of the case, or shape of the input.
    pub case: String,
    /// Name of the rung; `cpu` on the CPU, `best` for work of several kernels on a GPU.
    pub rung: String,
    /// How often the batch, or the clip, was halved to fit; the case's name says so too.
    #[serde(default)]
    pub halved: u32,
    /// Median time after warm-up, in microseconds.
    pub median_us: f64,
    /// Speed, in 10⁹ floating-point operations a second.
    pub gflops: f64,
    /// Memory throughput, in 10⁹ bytes a second. Counts the fewest bytes that must be moved.
    pub gbps: f64,
    /// Shortest time that the device's peaks allow, as a percentage of the median.
    pub percent_of_peak: f64,
    /// Speed of copies used for `percent_of_peak`, in 10⁹ bytes a second. For kernels on a CPU it is measured right
    /// before and after the row; else it is the report's own.
    #[serde(default)]
    pub copy_gbps: f64,
    /// Peak that bounds the row: `compute` or `memory`.
    #[serde(default)]
    pub bound: String,
    /// How the row was timed.
    #[serde(default)]
    pub clock: String,
    /// Shortest time, in microseconds.
    #[serde(default)]
    pub least_us: f64,
    /// Time of the first run by the host's clock, including compilation of pipelines, in microseconds.
    #[serde(default)]
    pub cold_us: f64,
    /// Number of timed repetitions.
    #[serde(default)]
    pub runs: usize,
    /// Whose numbers it was held against: `cpu` (this very case), `oracle` (the small proof cases of the kernel, or
    /// of every
    /// kernel that the work launched), or only found `finite`, where nothing was launched.
    #[serde(default)]
    pub checked_against: String,
    /// Largest error found, relative to the largest value.
    #[serde(default)]
    pub error: f64,
}

impl Report {
    /// Returns a report without rows.
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

    /// Reads a report that [`Report::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] if the file is not a report.
    pub fn read(path: &Path) -> Result<Self, Error> {
        serde_json::from_str(&files::read_text(path)?).map_err(|error| Error::Malformed {
            path: path.into(),
            reason: format!("not a report of `melgrad bench`: {error}"),
        })
    }

    /// Returns the JSON, with numbers rounded to significant digits.
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
        // Strings and finite numbers only: JSON can represent all of them.
        let mut text = serde_json::to_string_pretty(&rounded).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Writes the JSON atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        files::write_bytes(path, self.json().as_bytes())
    }
}

/// Rounds to four significant digits.
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
