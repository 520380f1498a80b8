//! A channel at a time: its statistics, then its numbers once more while they are still in the cache. A channel is cut
//! into pieces that fit the first-level cache, each a stretch of one image's plane or several whole planes; large
//! channels hand them to several threads. All cuts depend on the shape alone. Inside a piece sums are f32 in lanes,
//! at most some hundred additions long; lanes and pieces are joined in f64.

use super::{BatchNorm, BatchNormGrad};
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::vectorized;
use std::ops::Range;

/// Numbers in a piece.
const PIECE: usize = 4096;

/// Independent sums, so that the loops vectorise.
const LANES: usize = 64;

/// Some images' planes, or a stretch of one.
struct Piece {
    images: Range<usize>,
    places: Range<usize>,
}

impl Piece {
    fn count(&self) -> usize {
        self.images.len() * self.places.len()
    }

    /// Where its numbers lie in `[n, c, plane]`.
    fn runs(&self, s: &BatchNorm, channel: usize) -> impl Iterator<Item = Range<usize>> {
        let (c, plane, places) = (s.c, s.plane, self.places.clone());
        self.images.clone().map(move |image| {
            let start = (image * c + channel) * plane;
            start + places.start..start + places.end
        })
    }

    /// Its numbers side by side: where they lie, or else copied to `scratch`.
    fn read<'a>(
        &self,
        s: &BatchNorm,
        channel: usize,
        x: &'a [f32],
        scratch: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let mut runs = self.runs(s, channel);
        if self.images.len() == 1 {
            return &x[runs.next().unwrap_or(0..0)];
        }
        scratch.clear();
        runs.for_each(|run| scratch.extend_from_slice(&x[run]));
        scratch
    }

    /// Has `fill` write its numbers.
    ///
    /// # Safety
    /// Nobody else may read or write them meanwhile.
    unsafe fn write(
        &self,
        s: &BatchNorm,
        channel: usize,
        y: &Disjoint,
        scratch: &mut Vec<f32>,
        fill: impl FnOnce(&mut [f32]),
    ) {
        let mut runs = self.runs(s, channel);
        if self.images.len() == 1 {
            // SAFETY: the caller's.
            return fill(unsafe { y.slice(runs.next().unwrap_or(0..0)) });
        }
        scratch.resize(self.count(), 0.0);
        fill(scratch);
        for (run, values) in runs.zip(scratch.chunks(self.places.len())) {
            // SAFETY: the caller's.
            unsafe { y.slice(run) }.copy_from_slice(values);
        }
    }
}

/// How every channel is cut.
fn pieces(s: &BatchNorm) -> Vec<Piece> {
    let images = (PIECE / s.plane).max(1);
    let places = s.plane.min(PIECE);
    let mut pieces = Vec::new();
    for image in (0..s.n).step_by(images) {
        for place in (0..s.plane).step_by(places) {
            pieces.push(Piece {
                images: image..s.n.min(image + images),
                places: place..s.plane.min(place + places),
            });
        }
    }
    pieces
}

/// Runs `task` on every channel, small ones several in a task.
fn for_channels(s: &BatchNorm, task: impl Fn(usize) + Sync + Send) {
    for_ranges(s.c, GRAIN / s.count(), |channels| channels.for_each(&task));
}

/// Runs `task(number, piece, scratch)` on a channel's pieces.
fn for_pieces(pieces: &[Piece], task: impl Fn(usize, &Piece, &mut [Vec<f32>; 3]) + Sync + Send) {
    for_ranges(pieces.len(), 4 * GRAIN / PIECE, |range| {
        let mut scratch = [const { Vec::new() }; 3];
        for i in range {
            task(i, &pieces[i], &mut scratch);
        }
    });
}

/// Two sums over every piece of a channel.
fn sums(
    pieces: &[Piece],
    sum: impl Fn(&Piece, &mut [Vec<f32>; 3]) -> [f64; 2] + Sync + Send,
) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; pieces.len()];
    let shared = Disjoint::new(&mut sums);
    for_pieces(pieces, |i, piece, scratch| {
        // SAFETY: every piece has its own place.
        let own = unsafe { shared.slice(i..i + 1) };
        own[0] = sum(piece, scratch);
    });
    sums
}

/// Writes `y = act((x - mean) · scale + bias)` for a channel.
fn normalise(
    s: &BatchNorm,
    channel: usize,
    pieces: &[Piece],
    x: &[f32],
    [mean, rstd]: [f32; 2],
    affine: &[&[f32]],
    y: &Disjoint,
) {
    let (scale, bias) = match affine {
        [weight, bias] => (rstd * weight[channel], bias[channel]),
        _ => (rstd, 0.0),
    };
    for_pieces(pieces, |_, piece, [a, b, _]| {
        let x = piece.read(s, channel, x, a);
        // SAFETY: every piece of every channel is written by one task.
        unsafe {
            piece.write(s, channel, y, b, |y| {
                scaled(x, mean, scale, bias, y);
                s.activation.apply(y);
            });
        }
    });
}

pub fn batch_norm(s: &BatchNorm, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let x = inputs[0];
    let [y, stats, running @ ..] = outputs else {
        return;
    };
    let pieces = pieces(s);
    let count = s.count() as f64;
    let (y, mut found) = (Disjoint::new(y), vec![[0.0; 2]; s.c]);
    let shared = Disjoint::new(&mut found);
    for_channels(s, |channel| {
        let parts = sums(&pieces, |piece, [a, ..]| {
            moments(piece.read(s, channel, x, a))
        });
        let parts = || pieces.iter().map(|p| p.count() as f64).zip(&parts);
        let mean = parts().map(|(n, [mean, _])| n * mean).sum::<f64>() / count;
        let apart = |(n, [part, squares]): (f64, &[f64; 2])| squares + n * (part - mean).powi(2);
        let squares: f64 = parts().map(apart).sum();
        let rstd = 1.0 / (squares / count + s.eps).sqrt();
        let statistics = [mean as f32, rstd as f32];
        normalise(s, channel, &pieces, x, statistics, &inputs[1..], &y);
        // SAFETY: every channel has its own place.
        let own = unsafe { shared.slice(channel..channel + 1) };
        own[0] = [mean, squares];
    });
    for (channel, [mean, squares]) in found.into_iter().enumerate() {
        stats[channel] = mean as f32;
        stats[s.c + channel] = (1.0 / (squares / count + s.eps).sqrt()) as f32;
        for (running, value) in running.iter_mut().zip([mean, squares / (count - 1.0)]) {
            let old = f64::from(running[channel]);
            running[channel] = ((1.0 - s.momentum) * old + s.momentum * value) as f32;
        }
    }
}

pub fn inference(s: &BatchNorm, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, stats] = outputs else { return };
    for channel in 0..s.c {
        stats[channel] = inputs[1][channel];
        let var = f64::from(inputs[2][channel]);
        stats[s.c + channel] = (1.0 / (var + s.eps).sqrt()) as f32;
    }
    let (y, pieces) = (Disjoint::new(y), pieces(s));
    for_channels(s, |channel| {
        let statistics = [stats[channel], stats[s.c + channel]];
        normalise(s, channel, &pieces, inputs[0], statistics, &inputs[3..], &y);
    });
}

pub fn grad(s: &BatchNormGrad, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let (x, dy, stats) = (inputs[0], inputs[1], inputs[2]);
    let BatchNormGrad {
        forward: s,
        training,
    } = s;
    let [dx, dweight, dbias] = outputs else {
        return;
    };
    let pieces = pieces(s);
    let dx = Disjoint::new(dx);
    let (dweight, dbias) = (Disjoint::new(dweight), Disjoint::new(dbias));
    for_channels(s, |channel| {
        let (mean, rstd) = (stats[channel], stats[s.c + channel]);
        let parts = sums(&pieces, |piece, [a, b, _]| {
            let (x, dy) = (piece.read(s, channel, x, a), piece.read(s, channel, dy, b));
            products(x, dy, mean)
        });
        let total = |which: usize| parts.iter().map(|part| part[which]).sum::<f64>();
        let (bias, weight) = (total(0), total(1) * f64::from(rstd));
        // SAFETY: every channel has its own place.
        unsafe {
            dbias.slice(channel..channel + 1)[0] = bias as f32;
            dweight.slice(channel..channel + 1)[0] = weight as f32;
        }
        let scale = rstd * inputs.get(3).map_or(1.0, |weight| weight[channel]);
        let count = s.count() as f64;
        let [flat, tilted] = match training {
            true => [bias / count, weight * f64::from(rstd) / count],
            false => [0.0; 2],
        };
        for_pieces(&pieces, |_, piece, [a, b, out]| {
            let x = piece.read(s, channel, x, a);
            let dy = piece.read(s, channel, dy, b);
            // SAFETY: every piece of every channel is written by one task.
            unsafe {
                piece.write(s, channel, &dx, out, |dx| match training {
                    true => tilt(x, dy, [mean, scale, flat as f32, tilted as f32], dx),
                    false => scaled(dy, 0.0, scale, 0.0, dx),
                });
            }
        });
    });
}

/// Adds two terms of every pair of numbers up, in lanes that are joined in f64.
#[inline(always)]
fn add_up(x: &[f32], y: &[f32], term: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut lanes = [[0f32; LANES]; 2];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            let [a, b] = term(x[lane], y[lane]);
            lanes[0][lane] += a;
            lanes[1][lane] += b;
        }
    }
    for (lane, (x, y)) in x_rest.iter().zip(y_rest).enumerate() {
        let [a, b] = term(*x, *y);
        lanes[0][lane] += a;
        lanes[1][lane] += b;
    }
    lanes.map(|lanes| lanes.into_iter().map(f64::from).sum())
}

vectorized! {
    /// The mean, and the sum of squared deviations from it.
    fn moments(x: &[f32]) -> [f64; 2] {
        let count = x.len() as f64;
        // Distances from some number of the piece are small where the channel lies far from zero, and sum exactly.
        let some = if x[0].is_finite() { x[0] } else { 0.0 };
        let [sum, _] = add_up(x, x, |x, _| [x - some, 0.0]);
        let rough = (f64::from(some) + sum / count) as f32;
        // What the rounding of the mean left over corrects both. There is none of an infinity.
        let [rest, squares] = add_up(x, x, |x, _| [x - rough, (x - rough) * (x - rough)]);
        let mean = f64::from(rough) + if rest.is_finite() { rest / count } else { 0.0 };
        [mean, squares - rest * rest / count]
    }

    /// `Σ dy` and `Σ dy·(x - mean)`
    fn products(x: &[f32], dy: &[f32], mean: f32) -> [f64; 2] {
        add_up(x, dy, |x, dy| [dy, dy * (x - mean)])
    }

    /// `y = (x - mean) · scale + bias`
    fn scaled(x: &[f32], mean: f32, scale: f32, bias: f32, y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * scale + bias);
    }

    /// `dx = scale · (dy - flat - (x - mean) · tilted)`
    fn tilt(x: &[f32], dy: &[f32], factors: [f32; 4], dx: &mut [f32]) {
        let [mean, scale, flat, tilted] = factors;
        let inputs = x.iter().zip(dy);
        dx.iter_mut()
            .zip(inputs)
            .for_each(|(dx, (x, dy))| *dx = scale * (dy - flat - (x - mean) * tilted));
    }
}
