//! What the papers' networks move, odd shapes, and bad ones.

use super::{Outside, Rearrange};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

const ZERO: Outside = Outside::Fill(0.0);

/// The cases of `rearrange`.
pub fn cases() -> Vec<Case> {
    let permute = Rearrange::permute;
    let window = Rearrange::window;
    let plain = |axes: &[usize], start: &[i64]| Rearrange {
        x: vec![4, 5],
        y: vec![4, 5],
        axes: axes.to_vec(),
        start: start.to_vec(),
        outside: ZERO,
    };
    let mut cases = vec![
        Case::bench("transpose", permute(&[2048, 2048], &[1, 0])),
        Case::bench("maps-to-nhwc", permute(&[20, 32, 63, 164], &[0, 2, 3, 1])),
        Case::bench(
            "image-to-sequence",
            permute(&[20, 128, 8, 165], &[0, 3, 1, 2]),
        ),
        Case::bench(
            "pad-maps",
            window(&[16, 64, 56, 56], &[16, 64, 58, 58], &[0, 0, -1, -1], ZERO),
        ),
        Case::bench(
            "slice-frames",
            window(
                &[20, 1, 128, 1300],
                &[20, 1, 128, 660],
                &[0, 0, 0, 320],
                ZERO,
            ),
        ),
        Case::bench(
            "concat-maps",
            window(
                &[32, 128, 28, 28],
                &[32, 256, 28, 28],
                &[0, -64, 0, 0],
                Outside::Keep,
            ),
        ),
    ];
    let mut proof = |[name, back]: [&'static str; 2], kernel: Rearrange| {
        let gradient = kernel.gradient();
        cases.push(Case::proof(name, kernel));
        cases.push(Case::proof(back, gradient));
    };
    proof(["single", "single-back"], permute(&[], &[]));
    proof(["row", "row-back"], permute(&[40_000], &[0]));
    proof(
        ["transpose-1-by-7", "transpose-1-by-7-back"],
        permute(&[1, 7], &[1, 0]),
    );
    proof(
        ["transpose-33-by-65", "transpose-33-by-65-back"],
        permute(&[33, 65], &[1, 0]),
    );
    proof(
        ["transpose-8-by-200", "transpose-8-by-200-back"],
        permute(&[8, 200], &[1, 0]),
    );
    proof(
        ["nchw-to-nhwc", "nchw-to-nhwc-back"],
        permute(&[2, 31, 7, 9], &[0, 2, 3, 1]),
    );
    proof(
        ["to-sequence", "to-sequence-back"],
        permute(&[3, 7, 5, 33], &[0, 3, 1, 2]),
    );
    proof(
        ["reversed", "reversed-back"],
        permute(&[2, 3, 4, 5, 6, 7], &[5, 4, 3, 2, 1, 0]),
    );
    proof(
        ["outer-axes", "outer-axes-back"],
        permute(&[5, 31, 17], &[1, 0, 2]),
    );
    proof(
        ["far-apart", "far-apart-back"],
        permute(&[9, 5, 10, 3], &[2, 1, 3, 0]),
    );
    proof(
        ["slice", "slice-back"],
        window(&[2, 3, 9, 33], &[2, 2, 7, 31], &[0, 1, 2, 1], ZERO),
    );
    proof(
        ["pad", "pad-back"],
        window(
            &[2, 3, 7, 31],
            &[2, 3, 9, 33],
            &[0, 0, -1, -1],
            Outside::Fill(2.5),
        ),
    );
    proof(
        ["pad-and-crop", "pad-and-crop-back"],
        window(
            &[2, 3, 7, 31],
            &[2, 4, 9, 17],
            &[0, -1, 3, 10],
            Outside::Fill(-1.0),
        ),
    );
    proof(
        ["nothing-left", "nothing-left-back"],
        window(&[3, 5], &[2, 70], &[3, -70], Outside::Fill(7.0)),
    );
    proof(
        ["nothing-left-of-one", "nothing-left-of-one-back"],
        window(&[1, 5, 3], &[1, 5, 3], &[1, 0, 0], Outside::Fill(7.0)),
    );
    proof(
        ["concat-channels", "concat-channels-back"],
        window(&[2, 3, 7, 5], &[2, 8, 7, 5], &[0, -4, 0, 0], Outside::Keep),
    );
    proof(
        ["concat-columns", "concat-columns-back"],
        window(&[31, 1], &[31, 3], &[0, -1], Outside::Keep),
    );
    proof(
        ["concat-past-the-end", "concat-past-the-end-back"],
        window(&[7, 9], &[9, 9], &[-5, 2], Outside::Keep),
    );
    let everything = Rearrange {
        x: vec![5, 40, 37],
        y: vec![41, 4, 39],
        axes: vec![2, 0, 1],
        start: vec![-3, 1, 2],
        outside: Outside::Fill(0.5),
    };
    proof(
        ["transpose-pad-crop", "transpose-pad-crop-back"],
        everything.clone(),
    );
    proof(
        ["transpose-into", "transpose-into-back"],
        Rearrange {
            outside: Outside::Keep,
            ..everything
        },
    );
    cases.extend([
        Case::bad("empty", "empty side", permute(&[3, 0], &[1, 0])),
        Case::bad("repeated-axis", "each axis", plain(&[1, 1], &[0, 0])),
        Case::bad("no-such-axis", "each axis", plain(&[0, 2], &[0, 0])),
        Case::bad("too-few-axes", "as many", plain(&[0], &[0, 0])),
        Case::bad(
            "too-many-axes",
            "6 at most",
            permute(&[2; 7], &[0, 1, 2, 3, 4, 5, 6]),
        ),
        Case::bad("far-away", "out of reach", plain(&[0, 1], &[0, i64::MIN])),
        Case::bad(
            "nothing-kept",
            "nothing of x",
            window(&[3], &[3], &[3], Outside::Keep),
        ),
        Case::bad("too-large", "2^31", permute(&[1 << 16, 1 << 16], &[1, 0])),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let rank = d.within(0, 6);
    let x: Vec<usize> = (0..rank).map(|_| d.within(1, 9)).collect();
    let mut axes: Vec<usize> = (0..rank).collect();
    (0..rank).for_each(|k| axes.swap(k, d.within(k, rank - 1)));
    let moved = d.flag();
    let by = |d: &mut Draw| if moved { d.within(0, 4) as i64 - 2 } else { 0 };
    let start = (0..rank).map(|_| by(d)).collect();
    let y = axes
        .iter()
        .map(|&axis| (x[axis] as i64 + by(d)).max(0) as usize);
    vec![Box::new(Rearrange {
        y: y.collect(),
        x,
        axes,
        start,
        outside: d.of(&[Outside::Keep, Outside::Fill(0.5)]),
    })]
}
