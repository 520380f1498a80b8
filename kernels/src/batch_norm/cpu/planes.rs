//! Long planes: a channel at a time, in pieces that fit the first-level cache; large channels hand them to several
//! threads.

use super::channel::{Channel, corrected, factors, finite};
use crate::batch_norm::{BatchNorm, BatchNormGrad};
use crate::cpu::stream::{self, Way};
use crate::cpu::{Disjoint, GRAIN, for_ranges, prefetch};
use crate::vectorized;
use std::ops::Range;

/// Numbers in a piece.
const PIECE: usize = 4096;

/// Numbers that are written in one go, at most: what is streamed has few ends.
const RUN: usize = 1 << 16;

/// Independent sums, so that the loops vectorise.
const LANES: usize = 64;

/// Where the pieces of channel 0 lie: stretches of its planes, of `len` numbers at most.
fn pieces(s: &BatchNorm, len: usize) -> Vec<Range<usize>> {
    let starts = (0..s.n).flat_map(|image| {
        let start = image * s.c * s.plane;
        (0..s.plane).step_by(len).map(move |place| (start, place))
    });
    starts
        .map(|(start, place)| start + place..start + s.plane.min(place + len))
        .collect()
}

/// The same piece of another channel.
fn of(s: &BatchNorm, piece: &Range<usize>, channel: usize) -> Range<usize> {
    let offset = channel * s.plane;
    piece.start + offset..piece.end + offset
}

/// Runs `task(channel)`, small channels several in a task, and keeps its results.
fn for_channels(s: &BatchNorm, task: impl Fn(usize) -> [f64; 2] + Sync + Send) -> Vec<[f64; 2]> {
    let mut found = vec![[0.0; 2]; s.c];
    let shared = Disjoint::new(&mut found);
    for_ranges(s.c, GRAIN / s.count(), |channels| {
        for channel in channels {
            // SAFETY: every channel has its own place.
            let own = unsafe { shared.slice(channel..channel + 1) };
            own[0] = task(channel);
        }
    });
    found
}

/// Runs `task(place, way)` on the places of a channel that are to be written.
fn for_runs(s: &BatchNorm, channel: usize, task: impl Fn(Range<usize>, Way) + Sync + Send) {
    let runs = pieces(s, RUN);
    stream::for_ranges(
        runs.len(),
        4 * GRAIN / s.plane.min(RUN),
        s.len(),
        |range, way| {
            runs[range]
                .iter()
                .for_each(|run| task(of(s, run, channel), way));
        },
    );
}

/// Two sums over every piece of a channel.
fn sums(count: usize, sum: impl Fn(usize) -> [f64; 2] + Sync + Send) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; count];
    let shared = Disjoint::new(&mut sums);
    for_ranges(count, 4 * GRAIN / PIECE, |range| {
        for i in range {
            // SAFETY: every piece has its own place.
            let own = unsafe { shared.slice(i..i + 1) };
            own[0] = sum(i);
        }
    });
    sums
}

pub fn forward(
    s: &BatchNorm,
    x: &[f32],
    affine: &[&[f32]],
    given: Option<[&[f32]; 2]>,
    y: &mut [f32],
) -> Vec<[f64; 2]> {
    let (pieces, y) = (pieces(s, PIECE), Disjoint::new(y));
    for_channels(s, |channel| {
        let statistics = match given {
            Some(given) => given.map(|values| f64::from(values[channel])),
            None => measure(s, &pieces, x, channel),
        };
        let factors = factors(s, channel, statistics, affine);
        for_runs(s, channel, |place, way| {
            // SAFETY: every place of every channel is written by one task.
            let y = unsafe { y.slice(place.clone()) };
            let x = &x[place];
            way.fill(y, &[x], |block, y| {
                scaled(&x[block], factors, y);
                s.activation.apply(y);
            });
        });
        statistics
    })
}

/// Mean and variance of a channel: those of its pieces, joined.
fn measure(s: &BatchNorm, pieces: &[Range<usize>], x: &[f32], channel: usize) -> [f64; 2] {
    let parts = sums(pieces.len(), |i| moments(&x[of(s, &pieces[i], channel)]));
    joined(pieces.iter().map(|p| p.len() as f64).zip(&parts))
}

/// Mean and variance of a whole, from the length, mean and squares of each of its parts.
pub fn joined<'a>(parts: impl Iterator<Item = (f64, &'a [f64; 2])> + Clone) -> [f64; 2] {
    let count = parts.clone().map(|(n, _)| n).sum::<f64>();
    let mean = parts.clone().map(|(n, [mean, _])| n * mean).sum::<f64>() / count;
    let apart = |(n, [part, squares]): (f64, &[f64; 2])| squares + n * (part - mean).powi(2);
    [mean, parts.map(apart).sum::<f64>() / count]
}

pub fn grad(
    s: &BatchNormGrad,
    x: &[f32],
    dy: &[f32],
    of_channel: impl Fn(usize) -> Channel + Sync + Send,
    dx: &mut [f32],
) -> Vec<[f64; 2]> {
    let shape = &s.forward;
    let (pieces, dx) = (pieces(shape, PIECE), Disjoint::new(dx));
    for_channels(shape, |channel| {
        let own = of_channel(channel);
        let parts = sums(pieces.len(), |i| {
            let place = of(shape, &pieces[i], channel);
            products(&x[place.clone()], &dy[place], own.mean)
        });
        let total = |which: usize| parts.iter().map(|part| part[which]).sum::<f64>();
        let found = [total(1) * f64::from(own.rstd), total(0)];
        let factors = own.factors(s, found);
        for_runs(shape, channel, |place, way| {
            // SAFETY: every place of every channel is written by one task.
            let dx = unsafe { dx.slice(place.clone()) };
            let (x, dy) = (&x[place.clone()], &dy[place]);
            match s.training {
                true => way.fill(dx, &[x, dy], |block, dx| {
                    tilt(&x[block.clone()], &dy[block], own.mean, factors, dx);
                }),
                false => way.fill(dx, &[dy], |block, dx| {
                    scaled(&dy[block], [0.0, factors[2], 0.0], dx);
                }),
            }
        });
        found
    })
}

/// Adds two terms of every pair of numbers up, in lanes that are joined in f64. If `NEXT` is set, as much of `x` as
/// lies a piece behind is asked for.
#[inline(always)]
fn add_up<const NEXT: bool>(x: &[f32], y: &[f32], term: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut lanes = [[0f32; LANES]; 2];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        if NEXT {
            prefetch(x.as_ptr().wrapping_add(PIECE), LANES);
        }
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
    pub fn moments(x: &[f32]) -> [f64; 2] {
        let (count, some) = (x.len() as f64, finite(x[0]));
        let [sum, _] = add_up::<false>(x, x, |x, _| [x - some, 0.0]);
        let rough = (f64::from(some) + sum / count) as f32;
        let around = add_up::<true>(x, x, |x, _| [x - rough, (x - rough) * (x - rough)]);
        corrected(rough, around, count)
    }

    /// `Σ dy` and `Σ dy·(x - mean)`
    pub fn products(x: &[f32], dy: &[f32], mean: f32) -> [f64; 2] {
        add_up::<false>(x, dy, |x, dy| [dy, dy * (x - mean)])
    }

    /// `y = (x - mean) · scale + bias`
    pub fn scaled(x: &[f32], factors: [f32; 3], y: &mut [f32]) {
        let [mean, scale, bias] = factors;
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * scale + bias);
    }

    /// `dx = scale · (dy - flat - (x - mean) · tilted)`
    fn tilt(x: &[f32], dy: &[f32], mean: f32, factors: [f32; 3], dx: &mut [f32]) {
        let [flat, tilted, scale] = factors;
        let inputs = x.iter().zip(dy);
        dx.iter_mut()
            .zip(inputs)
            .for_each(|(dx, (x, dy))| *dx = scale * (dy - flat - (x - mean) * tilted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More numbers than are written as usual, in planes that end within a run and within a line of the cache.
    #[test]
    fn streamed_planes_are_those_written_as_usual() {
        let s = BatchNorm::new([2, 1, 4_200_001]).plain();
        let way_back = BatchNormGrad {
            forward: s,
            training: true,
        };
        let x: Vec<f32> = (0..s.len()).map(|i| (i % 1013) as f32 * 0.01).collect();
        let empty = || vec![f32::NAN; s.len()];
        let (mut y, mut dx, mut want) = (empty(), empty(), empty());
        let found = forward(&s, &x, &[], None, &mut y)[0];
        let factors = factors(&s, 0, found, &[]);
        scaled(&x, factors, &mut want);
        assert!(y == want);
        let own = || Channel {
            mean: factors[0],
            rstd: factors[1],
            weight: 0.5,
        };
        let sums = grad(&way_back, &x, &y, |_| own(), &mut dx)[0];
        tilt(
            &x,
            &y,
            own().mean,
            own().factors(&way_back, sums),
            &mut want,
        );
        assert!(dx == want);
    }
}
