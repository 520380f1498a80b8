//! Convolution as matrix products over patches.
//!
//! | | rows | columns | summed |
//! | --- | --- | --- | --- |
//! | forward | output channels | positions of y | taps |
//! | input gradient | input channels | positions of x | taps of the flipped kernel over dy, spread by the stride |
//! | weight gradient | output channels | taps | positions of y |

use super::patches::{Flipped, Images, MapSink, Maps, Patches, TapRows, Taps};
use super::strips::{self, Strips};
use super::{Conv2d, weight_grad};
use crate::activation::Activation;
use crate::cpu::Disjoint;
use crate::cpu::gemm::{RowMajor, Strided, gemm};

/// The patches of `x` that the outputs of a group see.
fn patches<'a>(s: &Conv2d, x: &'a [f32], group: usize) -> Patches<'a> {
    let first = group * s.c / s.groups;
    Patches {
        images: Images {
            data: x,
            channels: s.c,
            first,
            h: s.h,
            w: s.w,
        },
        grid: s.out(),
        taps: Taps {
            kernel: s.kernel,
            stride: s.stride,
            dilation: s.dilation,
            pad: [s.pad[0][0] as isize, s.pad[1][0] as isize],
            up: [1, 1],
        },
    }
}

/// What a group's maps are made of: strips of `x`, or of `dy` on the way back.
fn strips<'a>(patches: &Patches<'a>, n: usize, c: usize) -> Strips<'a> {
    Strips {
        images: patches.images,
        n,
        c,
        kernel: patches.taps.kernel,
        stride: patches.taps.stride,
        dilation: patches.taps.dilation,
        pad: patches.taps.pad,
        pool: [1, 1],
        grid: patches.grid,
    }
}

pub fn forward(s: &Conv2d, inputs: &[&[f32]], y: &mut [f32]) {
    let outputs = s.out_channels / s.groups;
    let taps = s.taps();
    let mut maps = strips::Maps {
        y: Disjoint::new(y),
        index: None,
        channels: s.out_channels,
        first: 0,
        bias: s.bias.then(|| inputs[2]),
        activation: s.activation,
    };
    for group in 0..s.groups {
        maps.first = group * outputs;
        let weight = Strided {
            data: &inputs[1][maps.first * taps..][..outputs * taps],
            outer_stride: taps,
            k_stride: 1,
        };
        let patches = patches(s, inputs[0], group);
        strips(&patches, s.n, s.c / s.groups).product(outputs, &weight, &maps);
    }
}

pub fn input_grad(s: &Conv2d, dy: &[f32], weight: &[f32], dx: &mut [f32]) {
    let (inputs, outputs) = (s.c / s.groups, s.out_channels / s.groups);
    let [oh, ow] = s.out();
    let [kh, kw] = s.kernel;
    let reach = |axis: usize| s.dilation[axis] * (s.kernel[axis] - 1);
    let pad = [0, 1].map(|axis| reach(axis) as isize - s.pad[axis][0] as isize);
    let mut maps = strips::Maps {
        y: Disjoint::new(dx),
        index: None,
        channels: s.c,
        first: 0,
        bias: None,
        activation: Activation::None,
    };
    for group in 0..s.groups {
        maps.first = group * inputs;
        let first = group * outputs;
        let taps = kh * kw;
        let weight = &weight[first * inputs * taps..][..outputs * inputs * taps];
        let patches = Patches {
            images: Images {
                data: dy,
                channels: s.out_channels,
                first,
                h: oh,
                w: ow,
            },
            grid: [s.h, s.w],
            taps: Taps {
                kernel: s.kernel,
                stride: [1, 1],
                dilation: s.dilation,
                pad,
                up: s.stride,
            },
        };
        let flipped = Flipped {
            data: weight,
            inputs,
            taps,
        };
        if s.stride == [1, 1] {
            strips(&patches, s.n, outputs).product(inputs, &flipped, &maps);
            continue;
        }
        let sink = MapSink {
            data: &maps.y,
            channels: s.c,
            first: maps.first,
            plane: s.h * s.w,
        };
        let columns = s.n * s.h * s.w;
        gemm(inputs, columns, outputs * taps, &flipped, &patches, &sink);
    }
}

pub fn weight_grad(s: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if super::along_rows::serves(s) {
        return super::along_rows::weight_grad(s, x, dy, dw);
    }
    if weight_grad::serves(s) {
        return weight_grad::weight_grad(s, x, dy, dw);
    }
    let outputs = s.out_channels / s.groups;
    let plane = s.out()[0] * s.out()[1];
    let taps = s.taps();
    for (group, dw) in dw.chunks_exact_mut(outputs * taps).enumerate() {
        let maps = Maps {
            data: dy,
            channels: s.out_channels,
            first: group * outputs,
            plane,
        };
        let rows = TapRows(patches(s, x, group));
        gemm(
            outputs,
            taps,
            s.n * plane,
            &maps,
            &rows,
            &RowMajor::new(dw, taps),
        );
    }
}
