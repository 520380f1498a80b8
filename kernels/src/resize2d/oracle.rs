//! The definition, with positions as real numbers.

use super::{Mode, Resize2d};

/// What each output along an axis reads: inputs and their weights.
fn reads(from: usize, to: usize, mode: Mode) -> Vec<Vec<(usize, f64)>> {
    let ratio = from as f64 / to as f64;
    let one = |o: usize| -> Vec<(usize, f64)> {
        match mode {
            Mode::Bilinear => {
                let middle = ((o as f64 + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f64);
                let weight = |i: usize| 1.0 - (middle - i as f64).abs();
                (0..from)
                    .map(|i| (i, weight(i)))
                    .filter(|(_, w)| *w > 1e-12)
                    .collect()
            }
            Mode::Area => {
                let (first, end) = (o * from / to, ((o + 1) * from).div_ceil(to));
                (first..end)
                    .map(|i| (i, 1.0 / (end - first) as f64))
                    .collect()
            }
        }
    };
    (0..to).map(one).collect()
}

/// Calls `term(output, input, weight)` for every input of every output.
fn each(s: &Resize2d, mut term: impl FnMut(usize, usize, f64)) {
    let ([h, w], [oh, ow]) = (s.from, s.to);
    let (rows, columns) = (reads(h, oh, s.mode), reads(w, ow, s.mode));
    for plane in 0..s.planes {
        for (oy, row) in rows.iter().enumerate() {
            for (ox, column) in columns.iter().enumerate() {
                for (iy, wy) in row {
                    for (ix, wx) in column {
                        term(
                            (plane * oh + oy) * ow + ox,
                            (plane * h + iy) * w + ix,
                            wy * wx,
                        );
                    }
                }
            }
        }
    }
}

pub fn resize2d(s: &Resize2d, x: &[f64], y: &mut [f64]) {
    y.fill(0.0);
    each(s, |output, input, weight| y[output] += weight * x[input]);
}

pub fn resize2d_grad(s: &Resize2d, dy: &[f64], dx: &mut [f64]) {
    dx.fill(0.0);
    each(s, |output, input, weight| dx[input] += weight * dy[output]);
}
