//! The definitions: one walk over every (output, tap) pair, three things done with it.

use super::Conv2d;

/// Calls `meet(y, weight, x)` with the positions of every product in the convolution; products with padding are left
/// out, since they are zero.
fn walk(s: &Conv2d, mut meet: impl FnMut(usize, usize, usize)) {
    let [oh, ow] = s.out();
    let [kh, kw] = s.kernel;
    let (cg, og) = (s.c / s.groups, s.out_channels / s.groups);
    let inside = |at: usize, tap: usize, axis: usize, length: usize| {
        (at * s.stride[axis] + tap * s.dilation[axis])
            .checked_sub(s.pad[axis][0])
            .filter(|&position| position < length)
    };
    for n in 0..s.n {
        for o in 0..s.out_channels {
            for i in 0..oh {
                for j in 0..ow {
                    for c in 0..cg {
                        for p in 0..kh {
                            for q in 0..kw {
                                if let (Some(y), Some(x)) =
                                    (inside(i, p, 0, s.h), inside(j, q, 1, s.w))
                                {
                                    let channel = o / og * cg + c;
                                    meet(
                                        ((n * s.out_channels + o) * oh + i) * ow + j,
                                        ((o * cg + c) * kh + p) * kw + q,
                                        ((n * s.c + channel) * s.h + y) * s.w + x,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn forward(s: &Conv2d, inputs: &[&[f64]], y: &mut [f64]) {
    let [oh, ow] = s.out();
    for (at, y) in y.iter_mut().enumerate() {
        *y = if s.bias {
            inputs[2][at / (oh * ow) % s.out_channels]
        } else {
            0.0
        };
    }
    walk(s, |at_y, at_w, at_x| {
        y[at_y] += inputs[0][at_x] * inputs[1][at_w]
    });
    y.iter_mut().for_each(|y| *y = s.activation.oracle(*y));
}

pub fn input_grad(s: &Conv2d, inputs: &[&[f64]], dx: &mut [f64]) {
    dx.fill(0.0);
    walk(s, |at_y, at_w, at_x| {
        dx[at_x] += inputs[0][at_y] * inputs[1][at_w]
    });
}

pub fn weight_grad(s: &Conv2d, inputs: &[&[f64]], dw: &mut [f64]) {
    dw.fill(0.0);
    walk(s, |at_y, at_w, at_x| {
        dw[at_w] += inputs[0][at_x] * inputs[1][at_y]
    });
}
