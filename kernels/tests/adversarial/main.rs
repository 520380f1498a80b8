//! Numbers that break naive code: NaN, infinities, ties, denormals; on the CPU and on every rung of the GPU.
//!
//! [`proof::prove_on`] compares with the oracle, which must itself say what PyTorch says: where that is not plain from
//! its text, the expected values stand here as well. Here: pooling, convolution and what moves or resizes; the rest in
//! `activations.rs`, `norms.rs`, `products.rs`, `rows.rs` and `states.rs`.

use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};
use kernels::conv2d::Conv2d;
use kernels::conv2d_pool::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use kernels::gather::{Gather, GatherGrad};
use kernels::istft::Istft;
use kernels::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use kernels::rearrange::Rearrange;
use kernels::resize2d::{Mode, Resize2d, Resize2dGrad};
use kernels::{Activation, Device, Kernel, proof};
use std::sync::LazyLock;

mod activations;
mod norms;
mod products;
mod rows;
mod states;

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
        for rung in proof::versions(device, kernel) {
            if let Err(error) = proof::prove_on(device, kernel, rung, inputs, fresh()) {
                panic!("{kernel:?} {rung:?} on {}: {error}", device.name());
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
