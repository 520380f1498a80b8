//! Statistics first, then the same numbers once more while they are still in the cache. All cuts depend on the shape
//! alone; sums are f32 for at most some hundred additions, and are joined in f64.
//!
//! | file | holds |
//! | --- | --- |
//! | `planes.rs` | long planes: a channel at a time, vectors run along its planes |
//! | `channel.rs` | statistics of a channel, and its factors |
//! | `columns.rs` | short planes: many channels at a time, vectors run across them |

mod channel;
mod columns;
pub mod planes;

use super::{BatchNorm, BatchNormGrad};
pub use channel::{Channel, factors};

/// Planes from this length on are long.
const LONG: usize = 64;

/// Writes `y` by these means and variances, or else by the batch's; gives those that it went by.
fn forward(
    s: &BatchNorm,
    x: &[f32],
    affine: &[&[f32]],
    given: Option<[&[f32]; 2]>,
    y: &mut [f32],
) -> Vec<[f64; 2]> {
    match s.plane < LONG {
        true => columns::forward(s, x, affine, given, y),
        false => planes::forward(s, x, affine, given, y),
    }
}

fn note(s: &BatchNorm, found: &[[f64; 2]], stats: &mut [f32]) {
    for (channel, [mean, var]) in found.iter().enumerate() {
        stats[channel] = *mean as f32;
        stats[s.c + channel] = (1.0 / (var + s.eps).sqrt()) as f32;
    }
}

pub fn batch_norm(s: &BatchNorm, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, stats, running @ ..] = outputs else {
        return;
    };
    let found = forward(s, inputs[0], &inputs[1..], None, y);
    finish(s, &found, stats, running);
}

/// Notes the means and variances of a batch; the running ones follow.
pub fn finish(s: &BatchNorm, found: &[[f64; 2]], stats: &mut [f32], running: &mut [&mut [f32]]) {
    note(s, found, stats);
    let [running_mean, running_var] = running else {
        return;
    };
    let count = s.count() as f64;
    let running = running_mean.iter_mut().zip(running_var.iter_mut());
    for ((running_mean, running_var), [mean, var]) in running.zip(found) {
        for (running, value) in [
            (running_mean, mean),
            (running_var, &(var * count / (count - 1.0))),
        ] {
            *running = ((1.0 - s.momentum) * f64::from(*running) + s.momentum * value) as f32;
        }
    }
}

pub fn inference(s: &BatchNorm, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, stats] = outputs else { return };
    let given = Some([inputs[1], inputs[2]]);
    let found = forward(s, inputs[0], &inputs[3..], given, y);
    note(s, &found, stats);
}

pub fn grad(s: &BatchNormGrad, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let (x, dy, stats) = (inputs[0], inputs[1], inputs[2]);
    let [dx, dweight, dbias] = outputs else {
        return;
    };
    let channel = |channel: usize| Channel {
        mean: stats[channel],
        rstd: stats[s.forward.c + channel],
        weight: inputs.get(3).map_or(1.0, |weight| weight[channel]),
    };
    let found = match s.forward.plane < LONG {
        true => columns::grad(s, x, dy, channel, dx),
        false => planes::grad(s, x, dy, channel, dx),
    };
    for (channel, found) in found.into_iter().enumerate() {
        (dweight[channel], dbias[channel]) = (found[0] as f32, found[1] as f32);
    }
}
