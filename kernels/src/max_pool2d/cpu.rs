//! Row by row of the output, each tap of the window as one pass over the row; windows that tile the plane have their
//! taps unrolled, which makes the loop one of memory; wide windows are searched one by one, in lanes.

use super::MaxPool2d;
use crate::cpu::stream::{self, Runs};
use crate::cpu::tiles::{winners, wins};
use crate::cpu::{Disjoint, GRAIN};
use crate::kernel::{words, words_mut};
use crate::vectorized;

pub fn max_pool2d(s: &MaxPool2d, x: &[f32], y: &mut [f32], index: &mut [f32]) {
    let [oh, ow] = s.output();
    let (y, index) = (Disjoint::new(y), Disjoint::new(index));
    let row = match s.kernel[1] < WIDE {
        true => tiled(s).unwrap_or(general),
        false => wide,
    };
    let seen = s.kernel[0].min(s.h) * s.kernel[1].min(s.w);
    let grain = GRAIN / ow.saturating_mul(seen);
    stream::for_ranges(s.planes() * oh, grain, s.outputs_len(), |rows, way| {
        // SAFETY: every output row belongs to one task.
        let (y, index) = unsafe {
            let part = rows.start * ow..rows.end * ow;
            (y.slice(part.clone()), index.slice(part))
        };
        let (mut y, mut index) = (Runs::of(y, way), Runs::of(index, way));
        for number in rows {
            let first = number / oh * s.h * s.w;
            let plane = &x[first..first + s.h * s.w];
            row(s, plane, number % oh, y.next(ow), words_mut(index.next(ow)));
        }
    });
}

/// From this width on each window is searched by itself, with vectors along it instead of across windows.
const WIDE: usize = 16;

/// One row of output: shape, plane of `x`, number of the row, values and positions to write.
type Row = fn(&MaxPool2d, &[f32], usize, &mut [f32], &mut [u32]);

/// The unrolled version for windows that tile the plane.
fn tiled(s: &MaxPool2d) -> Option<Row> {
    if s.pad != [[0; 2]; 2] || s.stride[1] != s.kernel[1] {
        return None;
    }
    match s.kernel {
        [2, 2] => Some(tiled_2x2),
        [2, 4] => Some(tiled_2x4),
        [4, 2] => Some(tiled_4x2),
        [1, 2] => Some(tiled_1x2),
        [4, 4] => Some(tiled_4x4),
        _ => None,
    }
}

#[inline(always)]
fn unrolled<const KY: usize, const KX: usize>(
    s: &MaxPool2d,
    plane: &[f32],
    oy: usize,
    y: &mut [f32],
    index: &mut [u32],
) {
    let first = oy * s.stride[0] * s.w;
    let (start, w, width) = (first as u32, s.w as u32, KX as u32);
    let position = move |window, place| start + window * width + place / width * w + place % width;
    winners::<KY, KX>(plane, [first, s.w], |x| x, position, y, index);
}

vectorized! {
    fn tiled_2x2(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        unrolled::<2, 2>(s, plane, oy, y, index);
    }

    fn tiled_2x4(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        unrolled::<2, 4>(s, plane, oy, y, index);
    }

    fn tiled_4x2(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        unrolled::<4, 2>(s, plane, oy, y, index);
    }

    fn tiled_1x2(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        unrolled::<1, 2>(s, plane, oy, y, index);
    }

    fn tiled_4x4(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        unrolled::<4, 4>(s, plane, oy, y, index);
    }

    fn wide(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        let [[above, _], [left, _]] = s.pad;
        let start = oy * s.stride[0];
        let rows = start.saturating_sub(above)..(start + s.kernel[0] - above).min(s.h);
        for (ox, (y, index)) in y.iter_mut().zip(index).enumerate() {
            let start = ox * s.stride[1];
            let columns = start.saturating_sub(left)..(start + s.kernel[1] - left).min(s.w);
            let (mut best, mut at) = ([f32::NEG_INFINITY; LANES], [u32::MAX; LANES]);
            // Where nothing is greater than -∞, the first element is the maximum.
            at[0] = (rows.start * s.w + columns.start) as u32;
            // Whole rows are one long one.
            let (stretches, len) = match columns.len() == s.w {
                true => (rows.start..rows.start + 1, rows.len() * s.w),
                false => (rows.clone(), columns.len()),
            };
            for row in stretches {
                let first = row * s.w + columns.start;
                for (chunk, taps) in plane[first..first + len].chunks(LANES).enumerate() {
                    let first = first + chunk * LANES;
                    let lanes = best.iter_mut().zip(&mut at).zip(taps);
                    for (lane, ((best, at), tap)) in lanes.enumerate() {
                        wins(*tap, first + lane, best, at);
                    }
                }
            }
            let second = |a: (f32, u32), b: (f32, u32)| match (a.0.is_nan(), b.0.is_nan()) {
                (true, true) => b.1 > a.1,
                (false, false) => b.0 > a.0 || (b.0 == a.0 && b.1 < a.1),
                (_, b_nan) => b_nan,
            };
            let join = |a, b| if second(a, b) { b } else { a };
            let lanes = best.into_iter().zip(at);
            (*y, *index) = lanes.reduce(join).unwrap_or((f32::NAN, 0));
        }
    }

    fn general(s: &MaxPool2d, plane: &[f32], oy: usize, y: &mut [f32], index: &mut [u32]) {
        let [[above, _], [left, _]] = s.pad;
        let step = s.stride[1];
        let top = (oy * s.stride[0]).saturating_sub(above);
        let bottom = (oy * s.stride[0] + s.kernel[0] - above).min(s.h);
        // Where nothing is greater than -∞, the first element is the maximum.
        y.fill(f32::NEG_INFINITY);
        for (ox, at) in index.iter_mut().enumerate() {
            *at = (top * s.w + (ox * step).saturating_sub(left)) as u32;
        }
        for iy in top..bottom {
            for kx in 0..s.kernel[1] {
                // The windows whose column kx is inside the plane.
                let from = left.saturating_sub(kx).div_ceil(step).min(y.len());
                let to = (s.w + left).saturating_sub(kx).div_ceil(step).min(y.len());
                if from >= to {
                    continue;
                }
                let start = iy * s.w + from * step + kx - left;
                let taps = &plane[start..=start + (to - from - 1) * step];
                let (y, index) = (&mut y[from..to], &mut index[from..to]);
                match step {
                    1 => tap::<1>(taps, start, y, index),
                    2 => tap::<2>(taps, start, y, index),
                    3 => tap::<3>(taps, start, y, index),
                    4 => tap::<4>(taps, start, y, index),
                    _ => {
                        let windows = y.iter_mut().zip(index);
                        for (ox, (best, at)) in windows.enumerate() {
                            wins(taps[ox * step], start + ox * step, best, at);
                        }
                    }
                }
            }
        }
    }
}

/// Maxima side by side, in a wide window.
const LANES: usize = 32;

/// One element of every window, `STEP` apart, against the best so far.
#[inline(always)]
fn tap<const STEP: usize>(taps: &[f32], start: usize, best: &mut [f32], at: &mut [u32]) {
    // The last tap may have no full step behind it.
    let count = best.len() - 1;
    let (groups, (heads, last)) = (taps.as_chunks::<STEP>().0, best.split_at_mut(count));
    let (heads_at, last_at) = at.split_at_mut(count);
    let windows = heads.iter_mut().zip(heads_at).zip(&groups[..count]);
    for (ox, ((best, at), group)) in windows.enumerate() {
        wins(group[0], start + ox * STEP, best, at);
    }
    wins(
        taps[count * STEP],
        start + count * STEP,
        &mut last[0],
        &mut last_at[0],
    );
}

/// Band by band of rows that no two rows of windows share, while it is in the first-level cache; or else plane by plane.
pub fn max_pool2d_grad(s: &MaxPool2d, dy: &[f32], index: &[f32], dx: &mut [f32]) {
    let [oh, ow] = s.output();
    let (inside, outside) = (s.h * s.w, oh * ow);
    let (band, windows) = match s.stride[0] >= s.kernel[0] && s.pad[0] == [0, 0] {
        true => (s.stride[0], ow),
        false => (s.h, outside),
    };
    let (all, dx) = (dx.len(), Disjoint::new(dx));
    stream::for_ranges(s.planes(), GRAIN / inside, all, |planes, way| {
        // SAFETY: every plane belongs to one task.
        let dx = unsafe { dx.slice(planes.start * inside..planes.end * inside) };
        let mut dx = Runs::of(dx, way);
        for plane in planes {
            let part = plane * outside..(plane + 1) * outside;
            let (dy, index) = (&dy[part.clone()], &words(index)[part]);
            let mut won = dy.chunks(windows).zip(index.chunks(windows));
            for top in (0..s.h).step_by(band) {
                let rows = band.min(s.h - top);
                let (dy, index) = won.next().unwrap_or_default();
                give(dy, index, top * s.w, dx.next(rows * s.w));
            }
        }
    });
}

/// `dx`, which begins at number `first` of its plane: each gradient where its window's maximum was.
fn give(dy: &[f32], index: &[u32], first: usize, dx: &mut [f32]) {
    // In pieces, because memset leaves longer ones outside of the first-level cache.
    dx.chunks_mut(256).for_each(|piece| piece.fill(0.0));
    for (gradient, &at) in dy.iter().zip(index) {
        if let Some(slot) = dx.get_mut((at as usize).wrapping_sub(first)) {
            *slot += gradient;
        }
    }
}
