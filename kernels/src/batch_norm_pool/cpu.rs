//! Plane by plane, as they lie in memory: the statistics' terms and the winners while a band of rows is in the first-level
//! cache, so that `x` is read once; and on the way back `dx` band by band, with the activation's derivative.
//!
//! All cuts depend on the shape alone; sums are f32 for at most some hundred additions, and are joined in f64.

use super::{BatchNormPool, BatchNormPoolGrad};
use crate::batch_norm::BatchNormGrad;
use crate::batch_norm::cpu::planes::{joined, moments, products, scaled};
use crate::batch_norm::cpu::{Channel, factors, finish};
use crate::cpu::tiles::{self, wins};
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::kernel::{words, words_mut};
use crate::vectorized;
use std::ops::Range;

/// Numbers in a band, about, and in a piece of the winners.
const PIECE: usize = 4096;

/// Rows of a plane in a band: whole windows.
fn band(s: &BatchNormPool) -> usize {
    let windows = PIECE / (s.window[0] * s.size[1]);
    windows.max(1) * s.window[0]
}

/// The bands of a plane, those at its end included that hold no whole window.
fn bands(s: &BatchNormPool) -> impl Iterator<Item = Range<usize>> + Clone {
    let (h, rows) = (s.size[0], band(s));
    (0..h).step_by(rows).map(move |top| top..h.min(top + rows))
}

/// Runs `task` on every plane, with its number.
fn for_planes(s: &BatchNormPool, task: impl Fn(usize) + Sync + Send) {
    let planes = s.norm.n * s.norm.c;
    for_ranges(planes, GRAIN / s.norm.plane, |range| range.for_each(&task));
}

pub fn forward(s: &BatchNormPool, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, index, won, stats, running @ ..] = outputs else {
        return;
    };
    let (x, affine, norm) = (inputs[0], &inputs[1..], &s.norm);
    let ([oh, ow], w, count) = (s.out(), s.size[1], bands(s).count());
    let pooled = oh * ow;
    let mut parts = vec![[0f64; 2]; norm.n * norm.c * count];
    {
        let (index, won, parts) = (
            Disjoint::new(words_mut(index)),
            Disjoint::new(won),
            Disjoint::new(&mut parts),
        );
        let search = Windows::of(s).search;
        for_planes(s, |plane| {
            // SAFETY: every plane belongs to one task.
            let (index, won, parts) = unsafe {
                let own = plane * pooled..(plane + 1) * pooled;
                let parts = parts.slice(plane * count..(plane + 1) * count);
                (index.slice(own.clone()), won.slice(own), parts)
            };
            let x = &x[plane * norm.plane..][..norm.plane];
            let negative = affine.first().is_some_and(|a| a[plane % norm.c] < 0.0);
            let sign = if negative { -1.0 } else { 1.0 };
            for (rows, part) in bands(s).zip(parts) {
                *part = moments(&x[rows.start * w..rows.end * w]);
                for oy in rows.start / s.window[0]..rows.end / s.window[0] {
                    let own = oy * ow..(oy + 1) * ow;
                    let x = &x[oy * s.window[0] * w..][..s.window[0] * w];
                    search(s, x, sign, &mut won[own.clone()], &mut index[own]);
                }
            }
        });
    }
    let found: Vec<[f64; 2]> = (0..norm.c)
        .map(|channel| {
            let planes = (0..norm.n).map(|image| image * norm.c + channel);
            joined(planes.flat_map(|plane| {
                let parts = &parts[plane * count..][..count];
                bands(s).map(|rows| (rows.len() * w) as f64).zip(parts)
            }))
        })
        .collect();
    let y = Disjoint::new(y);
    for_ranges(norm.n * norm.c, GRAIN / pooled, |planes| {
        for plane in planes {
            let own = plane * pooled..(plane + 1) * pooled;
            let channel = plane % norm.c;
            // SAFETY: every plane belongs to one task.
            let y = unsafe { y.slice(own.clone()) };
            scaled(&won[own], factors(norm, channel, found[channel], affine), y);
            norm.activation.apply(y);
        }
    });
    finish(norm, &found, stats, running);
}

pub fn grad(s: &BatchNormPoolGrad, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let (dy, index, won, stats) = (inputs[0], words(inputs[1]), inputs[2], inputs[3]);
    let [x, dweight, dbias] = outputs else {
        return;
    };
    let BatchNormPoolGrad { forward: s, before } = s;
    let ([oh, ow], norm) = (s.out(), &s.norm);
    let pooled = oh * ow;
    // Each plane's Σ dy and Σ dy·(won - mean).
    let mut parts = vec![[0f64; 2]; norm.n * norm.c];
    let shared = Disjoint::new(&mut parts);
    for_ranges(norm.n * norm.c, GRAIN / pooled, |planes| {
        for plane in planes {
            let own = plane * pooled..(plane + 1) * pooled;
            let (dy, won) = (&dy[own.clone()], &won[own]);
            // SAFETY: every plane has its own place.
            let [flat, tilted] = &mut unsafe { shared.slice(plane..plane + 1) }[0];
            for (dy, won) in dy.chunks(PIECE).zip(won.chunks(PIECE)) {
                let [a, b] = products(won, dy, stats[plane % norm.c]);
                (*flat, *tilted) = (*flat + a, *tilted + b);
            }
        }
    });
    let whole = BatchNormGrad {
        forward: *norm,
        training: true,
    };
    let factors: Vec<[f32; 3]> = (0..norm.c)
        .map(|channel| {
            let own = Channel {
                mean: stats[channel],
                rstd: stats[norm.c + channel],
                weight: inputs.get(4).map_or(1.0, |weight| weight[channel]),
            };
            let planes = parts.iter().skip(channel).step_by(norm.c);
            let total = |which: usize| planes.clone().map(|part| part[which]).sum::<f64>();
            let found = [total(1) * f64::from(own.rstd), total(0)];
            (dweight[channel], dbias[channel]) = (found[0] as f32, found[1] as f32);
            own.factors(&whole, found)
        })
        .collect();
    let (w, dx, spread) = (s.size[1], Disjoint::new(x), Windows::of(s).spread);
    for_ranges(norm.n * norm.c, GRAIN / norm.plane, |planes| {
        // What was there, a row of windows at a time, and once more for its activation's derivative.
        let mut x = vec![0f32; s.window[0] * w];
        for plane in planes {
            // SAFETY: every plane belongs to one task.
            let dx = unsafe { dx.slice(plane * norm.plane..(plane + 1) * norm.plane) };
            let (mean, factors) = (stats[plane % norm.c], factors[plane % norm.c]);
            for (oy, dx) in dx.chunks_mut(s.window[0] * w).enumerate() {
                let x = &mut x[..dx.len()];
                x.copy_from_slice(dx);
                if oy < oh {
                    let own = plane * pooled + oy * ow..plane * pooled + (oy + 1) * ow;
                    spread(s, x, (&dy[own.clone()], &index[own]), mean, factors, dx);
                } else {
                    bare(x, mean, factors, dx);
                }
                before.apply_grad(x, dx);
            }
        }
    });
}

/// The two loops over a row of windows.
struct Windows {
    search: Search,
    spread: Spread,
}

/// Of one row of windows: `x`, 1 or -1 where the smallest shall win, the winners and their places to write.
type Search = fn(&BatchNormPool, &[f32], f32, &mut [f32], &mut [u32]);

/// Of one row of windows: `x`, gradients and places of the winners, mean, factors, `dx` to write.
type Spread = fn(&BatchNormPool, &[f32], (&[f32], &[u32]), f32, [f32; 3], &mut [f32]);

macro_rules! windows {
    ($($search:ident $spread:ident $ky:literal $kx:literal;)*) => {
        impl Windows {
            /// The versions for this window: unrolled, or general.
            fn of(s: &BatchNormPool) -> Windows {
                match s.window {
                    $([$ky, $kx] => Windows { search: $search, spread: $spread },)*
                    _ => Windows { search, spread },
                }
            }
        }

        vectorized! {$(
            fn $search(s: &BatchNormPool, x: &[f32], sign: f32, won: &mut [f32], index: &mut [u32]) {
                tiles::winners::<$ky, $kx>(x, [0, s.size[1]], |x| x * sign, |_, place| place, won, index);
            }

            fn $spread(
                s: &BatchNormPool,
                x: &[f32],
                winners: (&[f32], &[u32]),
                mean: f32,
                factors: [f32; 3],
                dx: &mut [f32],
            ) {
                spread_unrolled::<$ky, $kx>(s, x, winners, mean, factors, dx);
            }
        )*}
    };
}
windows! {
    search_1x2 spread_1x2 1 2;
    search_2x2 spread_2x2 2 2;
    search_2x4 spread_2x4 2 4;
    search_4x2 spread_4x2 4 2;
    search_4x4 spread_4x4 4 4;
}

fn search(s: &BatchNormPool, x: &[f32], sign: f32, won: &mut [f32], index: &mut [u32]) {
    let ([down, across], w) = (s.window, s.size[1]);
    for (ox, (won, index)) in won.iter_mut().zip(index).enumerate() {
        let (mut best, mut at) = (x[ox * across] * sign, 0);
        for p in 0..down {
            for q in 0..across {
                let value = x[p * w + ox * across + q] * sign;
                wins(value, p * across + q, &mut best, &mut at);
            }
        }
        (*won, *index) = (best * sign, at);
    }
}

#[inline(always)]
fn spread_unrolled<const KY: usize, const KX: usize>(
    s: &BatchNormPool,
    x: &[f32],
    (dy, index): (&[f32], &[u32]),
    mean: f32,
    factors: [f32; 3],
    dx: &mut [f32],
) {
    let ([flat, tilted, scale], w) = (factors, s.size[1]);
    let index = &index[..dy.len()];
    for ky in 0..KY {
        let (x, dx) = (&x[ky * w..][..w], &mut dx[ky * w..][..w]);
        let (seen, left) = (&x.as_chunks::<KX>().0[..dy.len()], dy.len() * KX);
        let written = &mut dx.as_chunks_mut::<KX>().0[..dy.len()];
        for ox in 0..dy.len() {
            for kx in 0..KX {
                let dz = if index[ox] == (ky * KX + kx) as u32 {
                    dy[ox]
                } else {
                    0.0
                };
                written[ox][kx] = scale * (dz - flat - (seen[ox][kx] - mean) * tilted);
            }
        }
        for (dx, x) in dx[left..].iter_mut().zip(&x[left..]) {
            *dx = scale * (-flat - (x - mean) * tilted);
        }
    }
}

fn spread(
    s: &BatchNormPool,
    x: &[f32],
    (dy, index): (&[f32], &[u32]),
    mean: f32,
    factors: [f32; 3],
    dx: &mut [f32],
) {
    bare(x, mean, factors, dx);
    let [flat, tilted, scale] = factors;
    let ([_, across], w) = (s.window, s.size[1]);
    for (ox, (dy, &place)) in dy.iter().zip(index).enumerate() {
        let (p, q) = (place as usize / across, place as usize % across);
        // A place outside its window has won nothing.
        if p < s.window[0] {
            let at = p * w + ox * across + q;
            dx[at] = scale * (dy - flat - (x[at] - mean) * tilted);
        }
    }
}

vectorized! {
    /// `dx` where nothing has won.
    fn bare(x: &[f32], mean: f32, factors: [f32; 3], dx: &mut [f32]) {
        let [flat, tilted, scale] = factors;
        dx.iter_mut().zip(x).for_each(|(dx, x)| *dx = scale * (-flat - (x - mean) * tilted));
    }
}
