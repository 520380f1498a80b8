//! Tables for a terminal.

/// Formats a time in a suitable unit.
pub fn time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us * 1e-3),
        us => format!("{:.2} s", us * 1e-6),
    }
}

/// Formats rows as a table; each column is as wide as its widest cell, and the first `left` columns are left-aligned.
pub fn table(rows: &[Vec<String>], left: usize) -> String {
    let printable = |row: &Vec<String>| row.iter().map(|cell| printable(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(printable).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, &w))| match i < left {
                true => format!("{cell:<w$}"),
                false => format!("{cell:>w$}"),
            });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Returns a name that is safe to print on one line: control characters, which a folder's name may contain, are
/// replaced.
pub(crate) fn printable(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_suits_them() {
        assert_eq!(time(3.21), "3.2 µs");
        assert_eq!(time(3210.0), "3.21 ms");
        assert_eq!(time(3.21e6), "3.21 s");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "1.0"], ["long", "12.5"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(table(&rows, 1), "a      1.0\nlong  12.5\n");
    }
}
