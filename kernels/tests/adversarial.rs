//! Numbers that break naive code: NaN, infinities, ties, denormals; on the CPU and on every rung of the GPU.
//!
//! [`proof::prove_on`] compares with the oracle, which must itself say what PyTorch says: where that is not plain from
//! its text, the expected values stand here as well.

use kernels::adam::Adam;
use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};
use kernels::batch_norm::{BatchNorm, BatchNormInference};
use kernels::clip_norm::ClipNorm;
use kernels::conv2d::Conv2d;
use kernels::conv2d_pool::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use kernels::gather::{Gather, GatherGrad};
use kernels::gru::Gru;
use kernels::istft::Istft;
use kernels::local_response_norm::{LocalResponseNorm, LocalResponseNormGrad};
use kernels::lstm::Lstm;
use kernels::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use kernels::rearrange::Rearrange;
use kernels::recurrence::Recurrence;
use kernels::reduce::{Reduce, ReduceOp};
use kernels::resize2d::{Mode, Resize2d, Resize2dGrad};
use kernels::rmsprop::RmsProp;
use kernels::sgd::Sgd;
use kernels::softmax::Softmax;
use kernels::softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};
use kernels::{Activation, Device, Kernel, proof};
use std::sync::LazyLock;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// The CPU, and the GPU where this build has one.
fn devices() -> &'static [Device] {
    static DEVICES: LazyLock<Vec<Device>> = LazyLock::new(|| {
        let mut devices = vec![Device::cpu()];
        if cfg!(feature = "gpu") {
            devices.push(Device::open("gpu").expect("an adapter"));
        }
        devices
    });
    &DEVICES
}

/// Holds every version against the oracle, and the oracle against `want`, one list for each output.
fn check(kernel: &dyn Kernel, inputs: &[Vec<f64>], want: &[Vec<f64>]) {
    // What is updated was 0.
    let before = |updated: bool| if updated { 0.0 } else { NAN };
    let fresh = || -> Vec<Vec<f64>> {
        let outputs = kernel.outputs();
        let fill = outputs.iter().map(|arg| vec![before(arg.updated); arg.len]);
        fill.collect()
    };
    let mut outputs = fresh();
    let slices: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    kernel.oracle(&slices, &mut outputs);
    for (got, want) in outputs.iter().zip(want) {
        let same =
            |(g, w): (&f64, &f64)| (g - w).abs() < 1e-6 || g == w || g.is_nan() && w.is_nan();
        assert!(
            got.len() == want.len() && got.iter().zip(want).all(same),
            "{kernel:?}: the oracle says {got:?}, not {want:?}"
        );
    }
    for device in devices() {
        let rungs: Vec<Option<&str>> = match device.is_gpu() {
            true => kernel.rungs().iter().map(|r| Some(r.name)).collect(),
            false => vec![None],
        };
        for rung in rungs {
            match proof::prove_on(device, kernel, rung, inputs, fresh()) {
                Err(error) if error.contains("no rung") => {}
                Err(error) => panic!("{kernel:?} {rung:?} on {}: {error}", device.name()),
                Ok(_) => {}
            }
        }
    }
}

/// Pools one row of four windows of two, with every version that there is for such a shape: tiled windows, and the
/// same with a row of padding, which takes the general way.
fn pool(x: [f64; 8], values: [f64; 4], positions: [f64; 4]) {
    let want = [values.to_vec(), positions.to_vec()];
    check(&MaxPool2d::new([1, 1, 1, 8], [1, 2]), &[x.to_vec()], &want);
    let padded = MaxPool2d::new([1, 1, 1, 8], [2, 2]).with([2, 2], [[0, 1], [0, 0]]);
    check(&padded, &[x.to_vec()], &want);
    // The same with seven planes of zeros behind, so that vector loops have full vectors.
    let mut many = x.repeat(40);
    many.extend([0.0; 3 * 320]);
    let want = [
        values.repeat(40).into_iter().chain([0.0; 480]).collect(),
        (0..160)
            .map(|i| positions[i % 4] + (i / 4 * 8) as f64)
            .chain((0..480).map(|i| (i % 160 * 2) as f64))
            .collect::<Vec<f64>>(),
    ];
    check(&MaxPool2d::new([4, 1, 1, 320], [1, 2]), &[many], &want);
}

#[test]
fn pooling_takes_the_first_of_ties() {
    pool(
        [3.0, 3.0, -1.0, -1.0, 0.0, -0.0, -0.0, 0.0],
        [3.0, -1.0, 0.0, 0.0],
        [0.0, 2.0, 4.0, 6.0],
    );
}

#[test]
fn pooling_lets_nan_win_and_keeps_the_last() {
    pool(
        [NAN, 1.0, 1.0, NAN, NAN, NAN, NAN, INF],
        [NAN, NAN, NAN, NAN],
        [0.0, 3.0, 5.0, 6.0],
    );
}

#[test]
fn pooling_knows_infinities() {
    pool(
        [-INF, -INF, -INF, -1e30, INF, 1e30, INF, INF],
        [-INF, -1e30, INF, INF],
        [0.0, 3.0, 4.0, 6.0],
    );
}

#[test]
fn pooling_gradients_of_overlapping_windows_add_up() {
    let pool = MaxPool2d::new([1, 1, 1, 5], [1, 3]).with([1, 1], [[0; 2]; 2]);
    let inputs = [vec![1.0, 10.0, 100.0], vec![2.0, 2.0, 4.0]];
    check(
        &MaxPool2dGrad(pool),
        &inputs,
        &[vec![0.0, 0.0, 11.0, 0.0, 100.0]],
    );
    let nan = [vec![NAN, 1.0, INF], vec![0.0, 1.0, 4.0]];
    check(&MaxPool2dGrad(pool), &nan, &[vec![NAN, 1.0, 0.0, 0.0, INF]]);
}

#[test]
fn a_foreign_index_stays_inside_the_buffer() {
    let kernel = MaxPool2dGrad(MaxPool2d::new([1, 2, 2, 2], [2, 2]));
    for device in devices() {
        let dy = device.upload(&[1.0, 2.0]).expect("dy");
        let index = device.upload_u32(&[u32::MAX, 1 << 20]).expect("index");
        let dx = device.upload(&[7.0; 8]).expect("dx");
        device
            .launch(&kernel, &[&dy, &index], &[&dx])
            .expect("launch");
        assert_eq!(dx.to_vec().expect("dx"), [0.0; 8]);
    }
}

/// A convolution of one tap, so that what is pooled is plain to see; as wide as a vector loop likes it.
fn one_tap(activation: Activation) -> Conv2dPool {
    Conv2dPool {
        conv: Conv2d::new([1, 1, 1, 320], 1, [1, 1]).with(false, activation),
        window: [1, 4],
    }
}

#[test]
fn pooling_behind_a_convolution_keeps_the_rules() {
    let pool = |activation, x: [f64; 8], y: [f64; 2], places: [f64; 2]| {
        let inputs = [x.repeat(40), vec![1.0]];
        let want = [y.repeat(40), places.repeat(40)];
        check(&one_tap(activation), &inputs, &want);
    };
    let ties = [3.0, 5.0, 5.0, -1.0, -2.0, -2.0, -3.0, -2.0];
    pool(Activation::None, ties, [5.0, -2.0], [1.0, 0.0]);
    // Relu makes the second window's places equal: the first has won.
    let ties = [3.0, 5.0, 5.0, -1.0, -4.0, -2.0, -3.0, -2.0];
    pool(Activation::Relu, ties, [5.0, 0.0], [1.0, 0.0]);
    let nan = [NAN, 9.0, NAN, INF, -INF, -INF, -INF, -1e30];
    pool(Activation::None, nan, [NAN, -1e30], [2.0, 3.0]);
    pool(Activation::Relu, nan, [NAN, 0.0], [2.0, 0.0]);
}

#[test]
fn a_foreign_place_stays_inside_the_buffer() {
    let shape = Conv2dPool {
        conv: Conv2d::new([1, 16, 4, 4], 1, [3, 3]).with(true, Activation::None),
        window: [2, 2],
    };
    for device in devices() {
        let up = |len| device.upload(&vec![1.0f32; len]).expect("upload");
        let (x, dy, y, weight) = (up(256), up(1), up(1), up(144));
        let index = device.upload_u32(&[u32::MAX]).expect("index");
        let (dw, db, dx) = (up(144), up(1), up(256));
        let weight_grad = Conv2dPoolWeightGrad(shape);
        device
            .launch(&weight_grad, &[&x, &dy, &y, &index], &[&dw, &db])
            .expect("launch");
        let input_grad = Conv2dPoolInputGrad(shape);
        device
            .launch(&input_grad, &[&dy, &y, &index, &weight], &[&dx])
            .expect("launch");
        assert!(dw.to_vec().expect("dw").iter().all(|v| v.is_finite()));
        assert!(dx.to_vec().expect("dx").iter().all(|v| v.is_finite()));
    }
}

#[test]
fn means_keep_nan_and_infinities_to_their_windows() {
    let x = vec![1.0, NAN, INF, 3.0, -INF, INF, 1e38, 1e38];
    let want = vec![NAN, INF, NAN, 1e38];
    let tiles = AvgPool2d::new([1, 1, 1, 8], [1, 2]);
    // 1e38 + 1e38 is still a number of 32 bits.
    check(&tiles, std::slice::from_ref(&x), &[want]);
    let dy = vec![NAN, 2.0, INF, 0.0];
    let want = vec![NAN, NAN, 1.0, 1.0, INF, INF, 0.0, 0.0];
    check(&AvgPool2dGrad(tiles), &[dy], &[want]);
    let global = AvgPool2d::new([2, 1, 1, 8], [1, 8]);
    let x: Vec<f64> = x.into_iter().chain([2.0; 8]).collect();
    check(&global, &[x], &[vec![NAN, 2.0]]);
}

#[test]
fn padding_counts_only_where_it_shall() {
    let padded = AvgPool2d::new([1, 1, 1, 1], [3, 3]).with([1, 1], [[1, 1], [1, 1]]);
    check(&padded, &[vec![9.0]], &[vec![1.0]]);
    check(&padded.inside(), &[vec![9.0]], &[vec![9.0]]);
    check(&AvgPool2dGrad(padded), &[vec![9.0]], &[vec![1.0]]);
    check(&AvgPool2dGrad(padded.inside()), &[vec![9.0]], &[vec![9.0]]);
}

/// Ones and minus ones around a mean of a million; a constant channel; one that alternates far from zero.
#[test]
fn batch_norm_keeps_its_digits_far_from_zero() {
    for shape in [[2, 3, 600], [1200, 3, 1]] {
        let shape = BatchNorm {
            eps: 1e-8,
            momentum: 1.0,
            ..BatchNorm::new(shape).plain()
        };
        far_from_zero(&shape);
    }
}

fn far_from_zero(shape: &BatchNorm) {
    // Half of each channel's numbers lie on either side.
    let sign = |i: usize| {
        if (i + i / 3600 + i / 1800).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        }
    };
    let centre = [1e6, 33_333_332.0, -4096.0];
    let spread = [1.0, 0.0, 0.5];
    let channel = |i: usize| i / shape.plane % 3;
    let numbers = |f: &dyn Fn(usize) -> f64| (0..3600).map(f).collect::<Vec<f64>>();
    let x = numbers(&|i| centre[channel(i)] + spread[channel(i)] * sign(i));
    let y = numbers(&|i| {
        let spread = spread[channel(i)];
        spread * sign(i) / (spread * spread + 1e-8).sqrt()
    });
    let unbiased = spread.map(|s| s * s * 1200.0 / 1199.0);
    let rstd = spread.map(|s| 1.0 / (s * s + 1e-8).sqrt());
    let stats = [centre, rstd].concat();
    let want = [y, stats, centre.to_vec(), unbiased.to_vec()];
    check(shape, &[x], &want);
}

#[test]
fn batch_norm_of_nan_and_infinities_spoils_only_its_channel() {
    let shape = BatchNorm::new([2, 4, 33]).plain();
    let mut x: Vec<f64> = (0..2 * 4 * 33).map(|i| f64::from(i % 2)).collect();
    (x[40], x[70], x[5 * 33]) = (NAN, INF, -INF);
    let mut outputs: Vec<Vec<f64>> = vec![vec![0.0; 264], vec![0.0; 8], vec![0.0; 4], vec![0.0; 4]];
    check(&shape, std::slice::from_ref(&x), &[]);
    shape.oracle(&[&x], &mut outputs);
    for (i, y) in outputs[0].iter().enumerate() {
        assert_eq!(y.is_nan(), [false, true, true, false][i / 33 % 4], "{i}");
    }
}

#[test]
fn batch_norm_of_one_number_runs_on_what_was_learned() {
    let shape = BatchNormInference(BatchNorm {
        eps: 0.25,
        ..BatchNorm::new([1, 2, 1])
    });
    let inputs = [
        vec![3.0, -1.0],
        vec![1.0, -1.0],
        vec![0.75, 0.0],
        vec![2.0, 5.0],
        vec![10.0, 7.0],
    ];
    let want = [vec![14.0, 7.0], vec![1.0, -1.0, 1.0, 2.0]];
    check(&shape, &inputs, &want);
}

#[test]
fn large_windows_go_by_the_rules_of_small_ones() {
    // 100 numbers, one window: ties, NaN and infinities wherever a tree may join them.
    for at in [0, 1, 63, 64, 98] {
        for (low, value, position) in [(0.0, 1.0, at), (-INF, INF, at), (1.0, 1.0, 0)] {
            let mut x = vec![low; 100];
            (x[at], x[at + 1]) = (value, value);
            let want = [vec![value], vec![position as f64]];
            check(&MaxPool2d::new([1, 1, 10, 10], [10, 10]), &[x], &want);
        }
        let mut x = vec![INF; 100];
        (x[at], x[at + 1]) = (NAN, NAN);
        let want = [vec![NAN], vec![(at + 1) as f64]];
        check(&MaxPool2d::new([1, 1, 4, 25], [4, 25]), &[x], &want);
    }
}

#[test]
fn local_response_norm_of_nan_and_infinities() {
    let shape = LocalResponseNorm::new([1, 5, 2], 3).with(3.0, 0.5, 1.0);
    // Channels of two places: the left one holds an infinity in the middle, the right one a NaN at the end.
    let x = vec![1.0, 0.0, 1.0, 2.0, INF, 0.0, 0.0, 1.0, 2.0, NAN];
    let right = [0.0, 2.0 / 5f64.sqrt(), 0.0, NAN, NAN];
    let left = [1.0 / 3f64.sqrt(), 0.0, NAN, 0.0, 2.0 / 5f64.sqrt()];
    let want: Vec<f64> = left
        .into_iter()
        .zip(right)
        .flat_map(|(l, r)| [l, r])
        .collect();
    check(&shape, std::slice::from_ref(&x), &[want]);
    // Zeros divide by k alone, and pass their gradient on.
    let quiet = LocalResponseNorm::new([1, 3, 1], 5).with(1.0, 1.0, 4.0);
    check(&quiet, &[vec![0.0; 3]], &[vec![0.0; 3]]);
    let inputs = [vec![0.0; 3], vec![4.0, -8.0, 0.0]];
    check(
        &LocalResponseNormGrad(quiet),
        &inputs,
        &[vec![1.0, -2.0, 0.0]],
    );
}

#[test]
fn maxima_of_ties_nan_and_infinities() {
    for (x, value, position) in [
        (vec![1.0, 3.0, 3.0], 3.0, 1.0),
        (vec![-INF, -INF], -INF, 0.0),
        (vec![1.0, NAN, 5.0, NAN], NAN, 1.0),
        (vec![INF, NAN], NAN, 1.0),
        (vec![-1.0, -0.0, 0.0], 0.0, 1.0),
    ] {
        // Once as a row, once as columns, once with the rest of a long axis behind.
        for inner in [1, 3, 70] {
            for tail in [0, 1000, 40_000] {
                if tail * inner > 120_000 {
                    continue;
                }
                let axis: Vec<f64> = x.iter().copied().chain(vec![-INF; tail]).collect();
                let spread: Vec<f64> = axis.iter().flat_map(|v| vec![*v; inner]).collect();
                let shape = |op| Reduce::new(op, [1, axis.len(), inner]);
                let inputs = [spread];
                check(&shape(ReduceOp::Max), &inputs, &[vec![value; inner]]);
                check(&shape(ReduceOp::ArgMax), &inputs, &[vec![position; inner]]);
            }
        }
    }
}

#[test]
fn a_late_maximum_and_a_late_nan_are_found() {
    for at in [0, 1, 63, 64, 255, 256, 16_383, 16_384, 39_999] {
        let mut x = vec![0.5; 40_000];
        for value in [1.0, NAN] {
            x[at] = value;
            let position = vec![at as f64];
            let shape = Reduce::new(ReduceOp::ArgMax, [1, 40_000, 1]);
            check(&shape, &[x.clone()], &[position]);
        }
    }
}

#[test]
fn sums_of_infinities() {
    let sum = |x: Vec<f64>, want: f64| {
        let shape = Reduce::new(ReduceOp::Sum, [1, x.len(), 1]);
        check(&shape, &[x], &[vec![want]]);
    };
    sum(vec![1.0, INF, 2.0], INF);
    sum(vec![-INF, INF], NAN);
    sum(vec![0.0, NAN, INF], NAN);
}

#[test]
fn softmax_of_extreme_rows() {
    let row = |x: Vec<f64>, want: Vec<f64>, log: Vec<f64>| {
        let shape = Softmax {
            rows: 1,
            columns: x.len(),
            log: false,
        };
        check(&shape, std::slice::from_ref(&x), &[want]);
        check(&Softmax { log: true, ..shape }, &[x], &[log]);
    };
    let low = -std::f64::consts::LN_2;
    let (one, half) = (vec![1.0, 0.0, 0.0], vec![0.0, 0.5, 0.5, 0.0]);
    row(vec![1e38, -1e38, 0.0], one, vec![0.0, -2e38, -1e38]);
    row(vec![-INF, 3.0, 3.0, -INF], half, vec![-INF, low, low, -INF]);
    for x in [vec![-INF, -INF], vec![INF, 1.0], vec![NAN, 1.0]] {
        row(x, vec![NAN, NAN], vec![NAN, NAN]);
    }
}

#[test]
fn what_is_moved_is_not_looked_at() {
    let tiny = 1e-45f32.into();
    let x = vec![NAN, INF, -INF, tiny, -tiny, 3.0];
    let want = vec![NAN, tiny, INF, -tiny, -INF, 3.0];
    check(&Rearrange::permute(&[2, 3], &[1, 0]), &[x], &[want]);
    // A gradient's sums do see infinities; what was not picked stays 0.
    let pick = Gather {
        outer: 1,
        rows: 3,
        inner: 1,
        count: 4,
    };
    let index = vec![2.0, 3.0, 4_294_967_295.0, 0.0];
    let inputs = [vec![INF, 5.0, tiny], index.clone()];
    check(&pick, &inputs, &[vec![tiny, NAN, NAN, INF]]);
    let back = [vec![INF, NAN, NAN, -1.0], index];
    check(&GatherGrad(pick), &back, &[vec![-1.0, 0.0, INF]]);
}

#[test]
fn resizing_reads_nothing_that_counts_nothing() {
    for mode in [Mode::Bilinear, Mode::Area] {
        let resize = |from, to| Resize2d {
            planes: 1,
            from: [1, from],
            to: [1, to],
            mode,
        };
        let x = vec![INF, 1.0, NAN, -INF, 2.0];
        check(
            &resize(5, 5),
            std::slice::from_ref(&x),
            std::slice::from_ref(&x),
        );
        check(
            &Resize2dGrad(resize(5, 5)),
            std::slice::from_ref(&x),
            std::slice::from_ref(&x),
        );
        // Every third: the middle of three for one mode, the mean of three for the other.
        let thirds = match mode {
            Mode::Bilinear => vec![1.0, 2.0],
            Mode::Area => vec![INF, NAN],
        };
        check(
            &resize(6, 2),
            &[vec![INF, 1.0, 3.0, NAN, 2.0, 4.0]],
            &[thirds],
        );
    }
}

#[test]
fn cross_entropy_of_ignored_rows_and_zero_weights() {
    let (rows, columns) = (2, 2);
    let loss = |weighted| SoftmaxCrossEntropy {
        rows,
        columns,
        weighted,
        smoothing: 0.0,
    };
    let grad = |weighted| SoftmaxCrossEntropyGrad(loss(weighted));
    let ln2 = std::f64::consts::LN_2;
    // An ignored row may hold anything.
    let logits = vec![3.0, 3.0, NAN, INF];
    let (labels, up) = (vec![1.0, 2.0], vec![2.0]);
    check(
        &loss(false),
        &[logits.clone(), labels.clone()],
        &[vec![ln2]],
    );
    let want = [vec![1.0, -1.0, 0.0, 0.0]];
    check(&grad(false), &[logits.clone(), labels, up.clone()], &want);
    // Nothing counts: 0, not NaN.
    let ignored = vec![7.0, 4_294_967_295.0];
    check(
        &loss(false),
        &[logits.clone(), ignored.clone()],
        &[vec![0.0]],
    );
    let zeros = [vec![0.0; 4]];
    check(&grad(false), &[logits, ignored, up.clone()], &zeros);
    let (logits, labels) = (vec![1.0, 2.0, 3.0, 4.0], vec![0.0, 1.0]);
    let weights = vec![0.0, 0.0];
    let inputs = [logits.clone(), labels.clone(), weights.clone()];
    check(&loss(true), &inputs, &[vec![0.0]]);
    check(&grad(true), &[logits, labels, weights, up], &zeros);
}

#[test]
fn cross_entropy_of_sure_and_impossible_labels() {
    let loss = SoftmaxCrossEntropy {
        rows: 1,
        columns: 2,
        weighted: false,
        smoothing: 0.0,
    };
    check(&loss, &[vec![200.0, -200.0], vec![0.0]], &[vec![0.0]]);
    check(&loss, &[vec![200.0, -200.0], vec![1.0]], &[vec![400.0]]);
    check(&loss, &[vec![0.0, -INF], vec![1.0]], &[vec![INF]]);
    // With a belief in every class, an impossible one is infinitely wrong, whatever the label.
    let smooth = SoftmaxCrossEntropy {
        smoothing: 0.5,
        ..loss
    };
    check(&smooth, &[vec![200.0, -200.0], vec![0.0]], &[vec![100.0]]);
    check(&smooth, &[vec![0.0, -INF], vec![0.0]], &[vec![INF]]);
}

#[test]
fn windows_of_nothing_are_not_divided_by() {
    // Frames of 1 1 -1 -1 with their windows: one of zeros, and one with a zero where a frame begins.
    let [re, im] = [vec![0.0, 2.0, 0.0], vec![7.0, -2.0, 7.0]];
    let kernel = Istft {
        clips: 1,
        frames: 1,
        n_fft: 4,
        hop: 2,
        centre: false,
        samples: 6,
    };
    let inverse = |window: [f64; 4], want: [f64; 6]| {
        let inputs = [re.clone(), im.clone(), window.to_vec()];
        check(&kernel, &inputs, &[want.to_vec()]);
    };
    inverse([0.0; 4], [0.0; 6]);
    inverse([0.0, 0.5, 2.0, 1e-30], [0.0, 2.0, -0.5, -1e-30, 0.0, 0.0]);
    inverse([NAN, 1.0, INF, 1.0], [NAN, 1.0, NAN, -1.0, 0.0, 0.0]);
}

/// Holds every version of an optimizer's step against its oracle, from states of zero.
fn step(kernel: &dyn Kernel, gradient: &[f64], scale: f64) {
    let inputs = [gradient.to_vec(), vec![scale], vec![0.5]];
    let zeros = || {
        kernel
            .outputs()
            .iter()
            .map(|arg| vec![0.0; arg.len])
            .collect()
    };
    for device in devices() {
        let rungs: Vec<Option<&str>> = match device.is_gpu() {
            true => kernel.rungs().iter().map(|r| Some(r.name)).collect(),
            false => vec![None],
        };
        for rung in rungs {
            proof::prove_on(device, kernel, rung, &inputs, zeros())
                .unwrap_or_else(|e| panic!("{kernel:?} {rung:?} on {}: {e}", device.name()));
        }
    }
}

#[test]
fn optimizers_start_from_zero_and_from_tiny_gradients() {
    let gradient = [1e-20, -1e-12, 0.0, 1e15];
    step(&Adam::new(4, 0.1, 1), &gradient, 1.0);
    step(&RmsProp::new(4, 0.1), &gradient, 1.0);
    step(&Sgd::new(4, 0.1).with_momentum(0.9, true), &gradient, 1.0);
}

#[test]
fn clipping_by_value_keeps_a_nan() {
    let gradient = [NAN, 1e30, -INF, 0.25];
    let limit = 0.5;
    step(
        &Sgd {
            limit,
            ..Sgd::new(4, 0.1)
        },
        &gradient,
        1.0,
    );
    step(
        &Adam {
            limit,
            ..Adam::new(4, 0.1, 1)
        },
        &gradient,
        1.0,
    );
    step(
        &RmsProp {
            limit,
            ..RmsProp::new(4, 0.1)
        },
        &gradient,
        1.0,
    );
    // What an infinite norm or a NaN among the gradients makes of the others.
    step(&Sgd::new(4, 0.1), &[1.0, 2.0, 3.0, 4.0], 0.0);
    step(&Sgd::new(4, 0.1), &[1.0, 2.0, 3.0, 4.0], NAN);
}

#[test]
fn norms_of_nan_infinities_and_nothing() {
    let clip = |gradients: &[&[f64]], scale: f64, norm: f64| {
        let lens = gradients.iter().map(|g| g.len()).collect();
        let kernel = ClipNorm {
            lens,
            max_norm: 2.0,
        };
        let inputs: Vec<Vec<f64>> = gradients.iter().map(|g| g.to_vec()).collect();
        check(&kernel, &inputs, &[vec![scale], vec![norm]]);
    };
    clip(&[&[0.0; 5]], 1.0, 0.0);
    clip(&[&[3.0], &[0.0, -4.0]], 2.0 / 5.000_001, 5.0);
    clip(&[&[1.0], &[INF, 1.0]], 0.0, INF);
    clip(&[&[NAN, 1.0], &[INF]], NAN, NAN);
    clip(&[&[1e-15; 9]], 1.0, 3e-15);
}

/// Three examples, two steps, one number in the state, one odd number each: a NaN in the candidate's input, an infinity,
/// and a denormal. None reaches another example, none is lost on the way to the next step.
#[test]
fn recurrent_states_keep_nan_and_saturate_at_infinity() {
    let odd = [NAN, INF, 1e-40];
    let shape = Recurrence::new([3, 2, 1]);
    // Sigmoids of 0 are a half everywhere else; the weights pass the state on to the candidate.
    let gru: Vec<f64> = odd
        .iter()
        .flat_map(|&v| [0.0, 0.0, v, 0.0, 0.0, 0.0])
        .collect();
    let second = 0.25 + 0.5 * 0.25f64.tanh();
    let want = [
        vec![NAN, NAN, 0.5, second, 0.0, 0.0],
        vec![0.0, NAN, 0.0, 0.5, 0.0, 0.0],
    ];
    check(
        &Gru(shape),
        &[gru, vec![0.0, 0.0, 1.0], vec![0.0; 3]],
        &want,
    );

    let lstm: Vec<f64> = odd
        .iter()
        .flat_map(|&v| [0.0, 0.0, v, 0.0, 0.0, 0.0, 0.0, 0.0])
        .collect();
    let state = 0.5 * 0.5f64.tanh();
    let cell = 0.25 + 0.5 * state.tanh();
    let want = [
        vec![NAN, NAN, state, 0.5 * cell.tanh(), 0.0, 0.0],
        vec![0.0, NAN, 0.0, state, 0.0, 0.0],
        vec![0.0, NAN, 0.0, 0.5, 0.0, 0.0],
    ];
    let weights = vec![0.0, 0.0, 1.0, 0.0];
    check(&Lstm(shape), &[lstm, weights, vec![0.0; 4]], &want);
}

/// Far beyond where a naive `e^x / (1 + e^x)` overflows.
#[test]
fn recurrent_gates_saturate() {
    let shape = Recurrence::new([1, 2, 1]);
    // Kept by z = 1, then replaced by z = 0.
    let x = vec![0.0, -1e30, 1e30, 1e30, 1e30, -1e30];
    let gates = vec![0.5, 0.0, 1.0, 0.0, 1.0, 1.0, -1.0, 0.0];
    let want = [vec![1.0, 1.0], vec![0.0, 1.0], gates];
    check(&Gru(shape), &[x, vec![0.0; 3], vec![0.0; 3]], &want);
}
