//! The dispatches of every rung.

use super::{BatchNorm, BatchNormGrad};
use crate::kernel::{Limits, Pass, Plan, Rung};
use crate::rung;

/// The words of `struct Shape` in every shader of this folder, behind which some have more.
fn params(s: &BatchNorm) -> Vec<u32> {
    [s.n, s.c, s.plane].map(|v| v as u32).to_vec()
}

pub fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// Of a channel: pieces, numbers in each, and the iterations of a thread. Enough to fill a card, none too small for a
/// workgroup, none too long for a thread.
fn pieces(s: &BatchNorm, limits: &Limits) -> (usize, usize, usize) {
    let count = s.count();
    let longest = 256 * limits.iterations / 8;
    let wanted = (512 / s.c).clamp(1, count.div_ceil(2048));
    let piece = count.div_ceil(wanted).min(longest);
    let pieces = count.div_ceil(piece);
    (pieces, piece, 2 * piece.div_ceil(256) + 2 * pieces + 16)
}

pub fn batch_norm(s: &BatchNorm, rung: &Rung, limits: &Limits) -> Plan {
    // Positions among x, weight, bias, y, stats, running_mean, running_var; where weight and bias are missing, x
    // stands at their bindings and is not read.
    let affine = if s.affine { [1, 2] } else { [0, 0] };
    let [y, stats, mean, var, part] = [0, 1, 2, 3, 4].map(|i| i + if s.affine { 3 } else { 1 });
    let constants = [
        ("AFFINE", flag(s.affine)),
        ("ACTIVATION", s.activation.code()),
    ];
    if rung.name == "batch_norm_1_naive" {
        let mut words = params(s);
        words.extend([s.eps, s.momentum].map(|v| (v as f32).to_bits()));
        return Pass::of(rung, 7, words, limits.fold(s.c.div_ceil(64)))
            .over(&[0, affine[0], affine[1], y, stats, mean, var])
            .with(&constants)
            .looping(3 * s.count())
            .into();
    }
    let mut plan = statistics(s, limits, [0, stats, mean, var, part]);
    let apply = rung!("batch_norm_apply");
    let apply = Pass::of(&apply, 5, params(s), limits.fold(s.len().div_ceil(1024)))
        .over(&[0, affine[0], affine[1], stats, y])
        .with(&constants);
    plan.passes.push(apply);
    plan
}

/// The statistics alone, as rung 2 finds them; `over` is where x, stats, the running mean and variance and the scratch
/// buffer stand.
pub fn statistics(s: &BatchNorm, limits: &Limits, over: [usize; 5]) -> Plan {
    let rung = rung!("batch_norm_2_split");
    let (pieces, piece, iterations) = pieces(s, limits);
    let mut words = params(s);
    words.extend([
        pieces as u32,
        piece as u32,
        (s.eps as f32).to_bits(),
        (s.momentum as f32).to_bits(),
    ]);
    let stage = |stage: usize, groups: usize| {
        Pass::of(&rung, 5, words.clone(), limits.fold(groups))
            .over(&over)
            .with(&[("STAGE", stage as f64)])
            .looping(iterations)
    };
    Plan {
        scratch: vec![2 * s.c * pieces],
        passes: vec![stage(0, s.c * pieces), stage(1, s.c.div_ceil(64))],
    }
}

pub fn inference(s: &BatchNorm, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let vector = if rung.name.ends_with("_vector") { 4 } else { 1 };
    if !s.plane.is_multiple_of(vector) {
        return None;
    }
    let (affine, y) = if s.affine { ([3, 4], 5) } else { ([0, 0], 3) };
    let mut words = params(s);
    words.push((s.eps as f32).to_bits());
    let groups = limits.fold((s.len() / vector).div_ceil(64));
    let pass = Pass::of(rung, 7, words, groups)
        .over(&[0, 1, 2, affine[0], affine[1], y, y + 1])
        .with(&[
            ("AFFINE", flag(s.affine)),
            ("ACTIVATION", s.activation.code()),
        ]);
    Some(pass.into())
}

pub fn grad(s: &BatchNormGrad, rung: &Rung, limits: &Limits) -> Plan {
    let BatchNormGrad {
        forward: s,
        training,
    } = s;
    let constants = [("AFFINE", flag(s.affine)), ("TRAINING", flag(*training))];
    let (weight, dx) = if s.affine { (3, 4) } else { (0, 3) };
    let all = [0, 1, 2, weight, dx, dx + 1, dx + 2];
    if rung.name == "batch_norm_grad_1_naive" {
        return Pass::of(rung, 7, params(s), limits.fold(s.c.div_ceil(64)))
            .over(&all)
            .with(&constants)
            .looping(2 * s.count())
            .into();
    }
    let (pieces, piece, iterations) = pieces(s, limits);
    let mut words = params(s);
    words.extend([pieces as u32, piece as u32]);
    let stage = |stage: usize, groups: usize| {
        Pass::of(rung, 6, words.clone(), limits.fold(groups))
            .over(&[0, 1, 2, dx + 1, dx + 2, dx + 3])
            .with(&[("STAGE", stage as f64)])
            .looping(iterations)
    };
    let apply = rung!("batch_norm_grad_apply");
    let apply = Pass::of(&apply, 7, params(s), limits.fold(s.len().div_ceil(1024)))
        .over(&all)
        .with(&constants);
    Plan {
        scratch: vec![2 * s.c * pieces],
        passes: vec![stage(0, s.c * pieces), stage(1, s.c.div_ceil(64)), apply],
    }
}
