//! The dispatches of both rungs.

use super::{BatchNormPool, BatchNormPoolGrad};
use crate::batch_norm::plan::{flag, statistics};
use crate::kernel::{Limits, Pass, Plan, Rung};
use crate::rung;

/// The words of `struct Shape` in every shader of this folder.
fn params(s: &BatchNormPool) -> Vec<u32> {
    [s.norm.n, s.norm.c]
        .into_iter()
        .chain(s.size)
        .chain(s.out())
        .chain(s.window)
        .map(|v| v as u32)
        .collect()
}

pub fn forward(s: &BatchNormPool, rung: &Rung, limits: &Limits) -> Plan {
    // Positions among x, weight, bias, y, index, won, stats, running_mean, running_var; where weight and bias are
    // missing, x stands at their bindings and is not read.
    let (affine, y) = if s.norm.affine {
        ([1, 2], 3)
    } else {
        ([0, 0], 1)
    };
    let mut plan = statistics(&s.norm, limits, [0, y + 3, y + 4, y + 5, y + 6]);
    let pass = Pass::of(rung, 7, params(s), limits.fold(s.y_len().div_ceil(64)))
        .over(&[0, affine[0], affine[1], y + 3, y, y + 1, y + 2])
        .with(&[
            ("AFFINE", flag(s.norm.affine)),
            ("ACTIVATION", s.norm.activation.code()),
        ])
        .looping(2 * s.places());
    plan.passes.push(pass);
    plan
}

pub fn grad(s: &BatchNormPoolGrad, rung: &Rung, limits: &Limits) -> Plan {
    let BatchNormPoolGrad { forward: s, before } = s;
    // Positions among dy, index, won, stats, weight, x, dweight, dbias, and the channels' factors. Where there is no
    // weight, dy stands at its binding and is not read.
    let (weight, x) = if s.norm.affine { (4, 5) } else { (0, 4) };
    let factors = x + 3;
    let sums = Pass::of(rung, 7, params(s), limits.fold(s.norm.c))
        .over(&[0, 2, 3, weight, x + 1, x + 2, factors])
        .with(&[("AFFINE", flag(s.norm.affine))])
        .looping(s.y_len().div_ceil(s.norm.c * 256) + 8);
    let apply = rung!("batch_norm_pool_grad_apply");
    let groups = limits.fold(s.norm.len().div_ceil(1024));
    let apply = Pass::of(&apply, 4, params(s), groups)
        .over(&[0, 1, factors, x])
        .with(&[("ACTIVATION", before.code())]);
    Plan {
        scratch: vec![4 * s.norm.c],
        passes: vec![sums, apply],
    }
}
