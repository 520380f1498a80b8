//! The dispatches of every rung of the three directions.

use super::Conv2d;
use crate::kernel::{Limits, Pass, Plan, Rung};
use crate::rung;

/// The words of `struct Shape` in every conv2d shader.
pub(crate) fn params(s: &Conv2d) -> Vec<u32> {
    let [oh, ow] = s.out();
    [
        s.n,
        s.c,
        s.h,
        s.w,
        s.out_channels,
        oh,
        ow,
        s.kernel[0],
        s.kernel[1],
        s.stride[0],
        s.stride[1],
        s.pad[0][0],
        s.pad[1][0],
        s.dilation[0],
        s.dilation[1],
        s.groups,
    ]
    .map(|v| v as u32)
    .to_vec()
}

/// The kernel's size, which rung 3 wants to know when it is compiled.
fn taps(s: &Conv2d) -> [(&'static str, f64); 2] {
    [("KH", s.kernel[0] as f64), ("KW", s.kernel[1] as f64)]
}

/// Workgroups of a product of `rows × columns` in every group of channels, in tiles of `tile × tile`.
fn tiles(s: &Conv2d, tile: usize, rows: usize, columns: usize) -> usize {
    (rows / s.groups).div_ceil(tile) * columns.div_ceil(tile) * s.groups
}

/// Workgroups that compute `rows × columns` numbers with this rung: naive, tiled or with register blocks.
fn workgroups(s: &Conv2d, rung: &Rung, rows: usize, columns: usize) -> usize {
    if rung.name.ends_with("_1_naive") {
        (rows * columns).div_ceil(64)
    } else if rung.name.ends_with("_2_tiled") {
        tiles(s, 16, rows, columns)
    } else {
        tiles(s, 64, rows, columns)
    }
}

/// Iterations of the loops over a sum of `terms`, the loops within loops included.
fn iterations(terms: usize) -> usize {
    2 * terms
}

fn is_specialised(rung: &Rung) -> bool {
    rung.name.ends_with("_3_implicit_gemm")
}

pub fn forward(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    if rung.name.ends_with("_4_cooperative") {
        return cooperative(s, rung, limits);
    }
    let [oh, ow] = s.out();
    let groups = workgroups(s, rung, s.out_channels, s.n * oh * ow);
    let (bindings, mut constants) = epilogue(s);
    if is_specialised(rung) {
        constants.extend(taps(s));
    }
    Some(
        Pass::of(rung, 4, params(s), limits.fold(groups))
            .with(&constants)
            .over(&bindings[..4])
            .looping(iterations(s.taps()))
            .into(),
    )
}

/// Bindings (a scratch buffer last) and constants of the forward direction.
fn epilogue(s: &Conv2d) -> ([usize; 5], Vec<(&'static str, f64)>) {
    // Without a bias something must still stand at its binding: `x` does, and is not read.
    let (bias, y) = if s.bias { (2, 3) } else { (0, 2) };
    let constants = vec![
        ("BIAS", f64::from(u8::from(s.bias))),
        ("ACTIVATION", s.activation.code()),
    ];
    ([0, 1, bias, y, y + 1], constants)
}

/// The exponents of output channels and planes, then products in the adapter's matrix units.
fn cooperative(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let units = limits.cooperative?;
    let threads = units.threads as usize;
    let [oh, ow] = s.out();
    let (rows, planes) = (s.out_channels, s.n * s.c);
    let depth = s.taps();
    let pass = |stage, groups, iterations| {
        let (bindings, mut constants) = epilogue(s);
        constants.extend(taps(s));
        let pass = Pass::of(rung, 5, params(s), limits.fold(groups)).with(&constants);
        units.pass(stage, pass.over(&bindings).looping(iterations))
    };
    Some(Plan {
        scratch: vec![rows + planes],
        passes: vec![
            pass(0.0, rows + planes, depth.max(s.h * s.w).div_ceil(threads)),
            pass(
                1.0,
                tiles(s, units.tile(), rows, s.n * oh * ow),
                units.iterations(depth) + s.c,
            ),
        ],
    })
}

pub fn input_grad(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let groups = workgroups(s, rung, s.c, s.n * s.h * s.w);
    let terms = s.out_channels / s.groups * s.kernel[0] * s.kernel[1];
    let pass = Pass::of(rung, 3, params(s), limits.fold(groups)).looping(iterations(terms));
    Some(match is_specialised(rung) {
        true => pass.with(&taps(s)).into(),
        false => pass.into(),
    })
}

pub fn weight_grad(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let groups = workgroups(s, rung, s.out_channels, s.taps());
    let [oh, ow] = s.out();
    let positions = s.n * oh * ow;
    if !is_specialised(rung) {
        let pass = Pass::of(rung, 3, params(s), limits.fold(groups));
        return Some(pass.looping(iterations(positions)).into());
    }
    // Enough parts to fill a card, each long enough to be worth it and short enough for one thread.
    let wanted = (WORKGROUPS / groups).clamp(1, positions.div_ceil(PART));
    let wanted = wanted.max(positions.div_ceil(limits.iterations / 2));
    let part = positions.div_ceil(wanted);
    let parts = positions.div_ceil(part);
    let mut words = params(s);
    words.push(part as u32);
    let split = Pass::of(rung, 3, words, limits.fold(groups * parts))
        .with(&taps(s))
        .looping(iterations(part));
    if parts == 1 {
        return Some(split.into());
    }
    let len = s.weight_len();
    Some(Plan {
        scratch: vec![parts * len],
        passes: vec![
            split.over(&[0, 1, 3]),
            sum_parts(len, parts, [3, 2], limits),
        ],
    })
}

/// Adds parts of a weight gradient, in order: from one binding into the other.
pub(crate) fn sum_parts(len: usize, parts: usize, bindings: [usize; 2], limits: &Limits) -> Pass {
    const SUM: Rung = rung!("conv2d_weight_grad_sum");
    let words = vec![len as u32, parts as u32];
    Pass::of(&SUM, 2, words, limits.fold(len.div_ceil(64)))
        .over(&bindings)
        .looping(parts)
}

/// How many workgroups keep a large card busy.
pub(crate) const WORKGROUPS: usize = 512;

/// The fewest positions that a workgroup should sum.
pub(crate) const PART: usize = 256;
