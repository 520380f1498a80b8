//! The page of ladders: every kernel, its rungs, what each does, and what was measured. Writes docs/kernels.md.
//!
//! ```text
//! cargo run --example ladders
//! ```
//!
//! Kernels and rungs come from the catalogue, the words from the rungs' headers, the figures from the reports of
//! `melgrad bench` in benches/results. A test holds the page against what this writes.

use melgrad::bench::{Report, Row};
use melgrad::kernels::catalogue::CATALOGUE;
use melgrad::kernels::{Case, Kernel, Role, Rung};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[allow(dead_code)] // Not as a module of the test.
fn main() -> std::io::Result<()> {
    std::fs::write(path(), page(&reports()))
}

/// Where the page is.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernels.md")
}

/// Every report in benches/results, by name of the file.
pub fn reports() -> Vec<(String, Report)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let report = |file: PathBuf| {
        let name = file.file_name()?.to_string_lossy().into_owned();
        // Comparisons with other programs lie there too.
        Some((name, Report::read(&file).ok()?))
    };
    files.into_iter().filter_map(report).collect()
}

/// The whole page.
pub fn page(reports: &[(String, Report)]) -> String {
    let mut text = String::from(
        "# Kernels and their rungs\n\n\
         Written by `cargo run --example ladders` from the catalogue and from the reports in \
         [benches/results](../benches/results), which `melgrad bench` and `benches/gpu.sh` make: do not edit.\n\n\
         A rung is one WGSL version of a kernel, from the one to read first to the fastest; what a sentence promises \
         without a figure is what the rung is expected to do. Each figure is the median time of the kernel's largest case, \
         once warm, and the time that the device's own measured peaks would allow as a share of it. On a GPU these are the \
         peaks in the table below; on the CPU, whose memory drifts with all else that the machine does, bytes are held \
         against copies made right before and right after the row, multiply-adds against the peak in the table. Data that \
         stays in caches, or is written where it was read, may go beyond 100 %.\n\n",
    );
    match reports {
        [] => text += "No device has been measured yet.\n",
        reports => {
            text += "| | device | peak GFLOP/s | peak GB/s | timed by | report |\n| --- | --- | --- | --- | --- | --- |\n";
            for (number, (file, report)) in (1..).zip(reports) {
                let _ = writeln!(
                    text,
                    "| {number} | {}{} | {:.0} | {:.1} | {} | [{file}](../benches/results/{file}) |",
                    report.device,
                    notes(report),
                    report.peak_gflops,
                    report.peak_gbps,
                    report.clock
                );
            }
        }
    }
    for (folder, cases, _) in CATALOGUE {
        let _ = writeln!(text, "\n## {folder}");
        let cases = cases();
        for case in headline_cases(&cases) {
            kernel(&mut text, case, reports);
        }
    }
    text
}

fn notes(report: &Report) -> String {
    let mut notes = String::new();
    if report.software {
        notes += ", software: no card";
    }
    if report.device == "cpu" {
        let _ = write!(notes, ", {} threads ({})", report.threads, report.driver);
    }
    if report.quick {
        notes += "; a quick look";
    }
    notes
}

/// Of every kernel the bench case with most to do, in the order of the catalogue.
fn headline_cases(cases: &[Case]) -> Vec<&Case> {
    let cost = |case: &Case| case.kernel.flops() + 10 * case.kernel.bytes();
    let mut largest: Vec<&Case> = Vec::new();
    for case in cases.iter().filter(|case| case.role == Role::Bench) {
        let same = |other: &&mut &Case| other.kernel.name() == case.kernel.name();
        match largest.iter_mut().find(same) {
            None => largest.push(case),
            Some(other) if cost(case) > cost(other) => *other = case,
            Some(_) => {}
        }
    }
    largest
}

fn kernel(text: &mut String, case: &Case, reports: &[(String, Report)]) {
    let kernel: &dyn Kernel = &*case.kernel;
    let _ = writeln!(text, "\n### `{}`\n", kernel.name());
    let own = |row: &Row| row.kernel == kernel.name();
    let numbers: Vec<usize> = (0..reports.len())
        .filter(|&i| reports[i].1.rows.iter().any(own))
        .collect();
    let heads: String = numbers
        .iter()
        .map(|i| format!(" device {} |", i + 1))
        .collect();
    let lines = " --- |".repeat(numbers.len());
    let _ = writeln!(text, "| rung | what it does |{heads}\n| --- | --- |{lines}");
    let mut row = |rung: &str, does: &str| {
        let cells: String = numbers
            .iter()
            .map(|&i| {
                let rows = reports[i].1.rows.iter();
                let rows: Vec<&Row> = rows.filter(|row| own(row) && row.rung == rung).collect();
                let headline = rows.iter().find(|row| row.case == case.name);
                // A quick look has another case.
                let row = headline.or(rows.first());
                row.map_or(" |".into(), |row| format!(" {} |", cell(row, case.name)))
            })
            .collect();
        let _ = writeln!(text, "| `{rung}` | {does} |{cells}");
    };
    for rung in kernel.rungs() {
        row(rung.name, &does(rung));
    }
    row("cpu", "The CPU implementation.");
}

/// Time and % of peak; the case where it is not the headline's.
fn cell(row: &Row, headline: &str) -> String {
    let time = match row.median_us {
        us if us < 1e3 => format!("{us:.1} µs"),
        us => format!("{:.2} ms", us * 1e-3),
    };
    let case = match row.case == headline {
        true => String::new(),
        false => format!(" ({})", row.case),
    };
    format!("{time}, {:.0} %{case}", row.percent_of_peak)
}

/// The first sentence behind `Rung N` in the header; what stands between the number and its colon is part of it.
pub fn does(rung: &Rung) -> String {
    let header = rung
        .source
        .lines()
        .take_while(|line| line.starts_with("//"));
    let words: Vec<&str> = header
        .map(|line| line.trim_start_matches('/').trim())
        .collect();
    let text = words.join(" ");
    let behind = text.split_once("Rung ").map_or(&*text, |(_, rest)| rest);
    let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    let text = behind.trim_start_matches([':', ',', ' ']);
    let sentence = text.split_once(". ").map_or(text, |(sentence, _)| sentence);
    let sentence = sentence.trim_end_matches('.').replace('|', "\\|");
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
