//! What every activation and every expression makes of NaN and infinities, in each kernel that applies one.

use crate::{INF, NAN, check};
use kernels::batch_norm::{BatchNorm, BatchNormInference};
use kernels::batch_norm_pool::BatchNormPool;
use kernels::conv2d::Conv2d;
use kernels::conv2d_pool::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use kernels::elementwise::{Elementwise, Expr};
use kernels::matmul::Matmul;
use kernels::{Activation, Kernel};

const SPECIAL: [f64; 10] = [NAN, INF, -INF, 0.5, -0.5, 20.0, -20.0, 0.0, -0.0, -NAN];

#[test]
fn activations_keep_nan_and_infinities() {
    let x = SPECIAL.repeat(13);
    let (len, one) = (x.len(), vec![1.0]);
    for activation in Activation::ALL {
        let matmul = Matmul::new(len, 1, 1).with(false, activation);
        let conv = Conv2d::new([1, 1, 1, len], 1, [1, 1]).with(false, activation);
        let norm = BatchNorm::new([1, len, 1]).plain().with(activation);
        let inference = BatchNormInference(BatchNorm { eps: 1e-9, ..norm });
        let (zeros, ones) = (vec![0.0; len], vec![1.0; len]);
        let kernels: [(&dyn Kernel, Vec<Vec<f64>>); 3] = [
            (&matmul, vec![x.clone(), one.clone()]),
            (&conv, vec![x.clone(), one.clone()]),
            (&inference, vec![x.clone(), zeros, ones]),
        ];
        for (kernel, inputs) in kernels {
            let want: Vec<f64> = x.iter().map(|x| activation.oracle(*x)).collect();
            check(kernel, &inputs, &[want]);
        }
        // One channel of plain numbers, one that a NaN spoils, whole.
        let plain = (0..64).map(|i| f64::from(i % 7) - 3.0);
        let spoilt: Vec<f64> = plain
            .clone()
            .chain([NAN])
            .chain(plain.clone().skip(1))
            .collect();
        check(
            &BatchNorm::new([1, 2, 64]).plain().with(activation),
            std::slice::from_ref(&spoilt),
            &[],
        );
        check(
            &BatchNormPool::new([1, 2, 8, 8], [2, 2])
                .plain()
                .with(activation),
            &[spoilt],
            &[],
        );
    }
}

/// A gradient that an activation lets through counts whatever it is; one that relu holds back does not, not even NaN.
#[test]
fn activations_hold_back_gradients_as_pytorch_does() {
    for activation in Activation::ALL {
        for (y, dy) in [(0.0, NAN), (0.0, INF), (-0.5, NAN), (0.5, NAN), (0.5, -INF)] {
            let shape = Conv2dPool {
                conv: Conv2d::new([1, 1, 1, 320], 1, [1, 1]).with(true, activation),
                window: [1, 4],
            };
            let mut gradients = vec![1.0; 80];
            gradients[7] = dy;
            let mut outputs = vec![0.25; 80];
            outputs[7] = y;
            let (x, places) = (vec![2.0; 320], vec![1.0; 80]);
            let back = [gradients.clone(), outputs.clone(), places.clone()];
            let weight_grad = [vec![x], back.to_vec()].concat();
            check(&Conv2dPoolWeightGrad(shape), &weight_grad, &[]);
            let input_grad = [back.to_vec(), vec![vec![1.0]]].concat();
            check(&Conv2dPoolInputGrad(shape), &input_grad, &[]);
        }
    }
    let relu = Activation::Relu;
    assert_eq!([NAN, INF].map(|dy| relu.oracle_grad(0.0, dy)), [0.0; 2]);
    assert!(relu.oracle_grad(1.0, NAN).is_nan());
}

#[test]
fn expressions_keep_nan_and_infinities() {
    let count = SPECIAL.len();
    let a: Vec<f64> = (0..count * count).map(|i| SPECIAL[i / count]).collect();
    let b = SPECIAL.repeat(count);
    let (x, y) = (|| Expr::input(0), || Expr::input(1));
    for expr in [
        -x(),
        x().abs(),
        x().exp(),
        x().ln(),
        x().sqrt(),
        x().tanh(),
        x().sigmoid(),
        x().erf(),
        x().max(f32::NEG_INFINITY),
        x().min(f32::INFINITY),
        x() * f32::NAN,
        Expr::from(f32::INFINITY) - x(),
        x().relu().derivative(0),
        x().tanh().derivative(0),
    ] {
        check(
            &Elementwise::new(expr, a.len(), 1),
            std::slice::from_ref(&a),
            &[],
        );
    }
    for expr in [
        x() + y(),
        x() - y(),
        x() * y(),
        x() / y(),
        x().max(y()),
        x().min(y()),
        x().less(y()),
        x().select(y(), 3.0),
        (x() * y()).derivative(1),
    ] {
        check(
            &Elementwise::new(expr, a.len(), 2),
            &[a.clone(), b.clone()],
            &[],
        );
    }
}
