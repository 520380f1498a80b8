//! The definition: every window, element by element.

use super::AvgPool2d;

/// Calls `visit(output, input, places)` for every element inside every window.
fn for_windows(s: &AvgPool2d, mut visit: impl FnMut(usize, usize, f64)) {
    let [oh, ow] = s.output();
    for plane in 0..s.n * s.c {
        for oy in 0..oh {
            for ox in 0..ow {
                let places = s.places(0, oy) * s.places(1, ox);
                for y in s.inside_of(0, oy) {
                    for x in s.inside_of(1, ox) {
                        let output = (plane * oh + oy) * ow + ox;
                        visit(output, (plane * s.h + y) * s.w + x, places as f64);
                    }
                }
            }
        }
    }
}

pub fn avg_pool2d(s: &AvgPool2d, x: &[f64], y: &mut [f64]) {
    y.fill(0.0);
    for_windows(s, |output, input, places| y[output] += x[input] / places);
}

pub fn avg_pool2d_grad(s: &AvgPool2d, dy: &[f64], dx: &mut [f64]) {
    dx.fill(0.0);
    for_windows(s, |output, input, places| dx[input] += dy[output] / places);
}
