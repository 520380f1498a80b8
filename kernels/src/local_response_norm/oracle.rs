//! The definition.

use super::LocalResponseNorm;

fn place(s: &LocalResponseNorm, image: usize, channel: usize, p: usize) -> usize {
    (image * s.c + channel) * s.plane + p
}

/// `s` of every element.
fn sums(s: &LocalResponseNorm, x: &[f64]) -> Vec<f64> {
    let factor = s.alpha / s.size as f64;
    let sum = |at: usize| {
        let (image, channel, p) = (at / s.plane / s.c, at / s.plane % s.c, at % s.plane);
        let squares = s
            .neighbours(channel)
            .map(|i| x[place(s, image, i, p)].powi(2));
        s.k + factor * squares.sum::<f64>()
    };
    (0..x.len()).map(sum).collect()
}

pub fn local_response_norm(s: &LocalResponseNorm, x: &[f64], y: &mut [f64]) {
    for ((y, x), sum) in y.iter_mut().zip(x).zip(sums(s, x)) {
        *y = x / sum.powf(s.beta);
    }
}

pub fn local_response_norm_grad(s: &LocalResponseNorm, x: &[f64], dy: &[f64], dx: &mut [f64]) {
    let sums = sums(s, x);
    let factor = 2.0 * s.alpha * s.beta / s.size as f64;
    for (at, dx) in dx.iter_mut().enumerate() {
        let (image, channel, p) = (at / s.plane / s.c, at / s.plane % s.c, at % s.plane);
        let shares = s.holders(channel).map(|c| {
            let at = place(s, image, c, p);
            dy[at] * x[at] / sums[at].powf(s.beta + 1.0)
        });
        *dx = dy[at] / sums[at].powf(s.beta) - factor * x[at] * shares.sum::<f64>();
    }
}
