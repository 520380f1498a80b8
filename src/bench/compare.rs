//! Compares two reports.

use super::report::{Report, Row, digits};
use models::base::columns::{table, time};

/// Returns a table of times: `a`, `b`, and the ratio `b / a`. Rows that are in one report only have no ratio. Where the
/// two reports share no rung of a case (a CPU and a GPU), the fastest rungs are compared.
#[must_use]
pub fn compare(a: &Report, b: &Report) -> String {
    let mut rows = vec![
        ["kernel", "case", "rung", "A", "B", "B / A"]
            .map(String::from)
            .to_vec(),
    ];
    let mut logarithms = Vec::new();
    let mut add = |names: [&str; 3], left: Option<&Row>, right: Option<&Row>| {
        let cell = |row: Option<&Row>| row.map_or("–".into(), |row| time(row.median_us));
        let ratio = match (left, right) {
            (Some(left), Some(right)) => {
                let ratio = right.median_us / left.median_us;
                logarithms.push(ratio.ln());
                format!("{ratio:.2}")
            }
            _ => String::new(),
        };
        let mut cells = names.map(String::from).to_vec();
        cells.extend([cell(left), cell(right), ratio]);
        rows.push(cells);
    };
    for (kernel, case) in cases(a, b) {
        let of = |report: &'_ Report| -> Vec<Row> {
            let rows = report.rows.iter();
            let rows = rows.filter(|row| row.kernel == kernel && row.case == case);
            rows.cloned().collect()
        };
        let (left, right) = (of(a), of(b));
        let find = |rows: &[Row], rung: &str| rows.iter().position(|row| row.rung == rung);
        let shared = left.iter().any(|row| find(&right, &row.rung).is_some());
        if let (false, Some(x), Some(y)) = (shared, fastest(&left), fastest(&right)) {
            add(
                [kernel, case, &format!("{} | {}", x.rung, y.rung)],
                Some(x),
                Some(y),
            );
            continue;
        }
        for row in &left {
            let other = find(&right, &row.rung).map(|at| &right[at]);
            add([kernel, case, &row.rung], Some(row), other);
        }
        for row in right.iter().filter(|row| find(&left, &row.rung).is_none()) {
            add([kernel, case, &row.rung], None, Some(row));
        }
    }
    let head = |name, report: &Report| {
        let software = if report.software { ", software" } else { "" };
        let quick = if report.quick {
            "; only a quick look"
        } else {
            ""
        };
        format!(
            "{name}: {}{software}, {} threads on the CPU; peak {} GFLOP/s, {} GB/s{quick}\n",
            report.device,
            report.threads,
            digits(report.peak_gflops),
            digits(report.peak_gbps)
        )
    };
    let mean = match logarithms.len() {
        0 => "nothing was measured in both\n".into(),
        n => {
            let mean = (logarithms.iter().sum::<f64>() / n as f64).exp();
            format!("B takes {mean:.2} times as long as A: the geometric mean of {n} rows\n")
        }
    };
    format!(
        "{}{}\n{}\n{mean}",
        head("A", a),
        head("B", b),
        table(&rows, 3)
    )
}

/// Returns the cases of both reports, each once: first those of `a`, then those of `b` only.
fn cases<'a>(a: &'a Report, b: &'a Report) -> Vec<(&'a str, &'a str)> {
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for row in a.rows.iter().chain(&b.rows) {
        let case = (&*row.kernel, &*row.case);
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

fn fastest(rows: &[Row]) -> Option<&Row> {
    rows.iter()
        .min_by(|a, b| a.median_us.total_cmp(&b.median_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[(&str, &str, f64)]) -> Report {
        let row = |&(kernel, rung, median_us): &(&str, &str, f64)| {
            serde_json::json!({
                "kernel": kernel, "case": "c", "rung": rung, "median_us": median_us,
                "gflops": 1.0, "gbps": 1.0, "percent_of_peak": 1.0,
            })
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        let json = serde_json::json!({
            "device": "d", "software": false, "threads": 2, "peak_gflops": 1.0, "peak_gbps": 1.0, "rows": rows,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn rows_meet_by_rung_and_else_the_fastest_meet() {
        let a = report(&[
            ("conv", "r1", 10.0),
            ("conv", "r2", 5.0),
            ("pool", "cpu", 3.0),
        ]);
        let b = report(&[
            ("conv", "r2", 10.0),
            ("pool", "p1", 9.0),
            ("pool", "p2", 6.0),
            ("new", "n", 1.0),
        ]);
        let text = compare(&a, &b);
        let line = |words: &[&str]| {
            let found = text
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)));
            found
                .unwrap_or_else(|| panic!("{words:?} in {text}"))
                .to_string()
        };
        assert!(line(&["conv", "r2"]).ends_with("2.00"));
        assert!(!line(&["conv", "r1", "–"]).ends_with('0'));
        assert!(line(&["pool", "cpu | p2"]).ends_with("2.00"));
        line(&["new", "–", "1.0 µs"]);
        assert!(text.ends_with("B takes 2.00 times as long as A: the geometric mean of 2 rows\n"));
        assert!(compare(&a, &report(&[])).contains("nothing was measured in both"));
    }
}
