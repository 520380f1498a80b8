//! Every operation's gradient: against central differences in f64, and the CPU's f32 gradient against the f64 one.

use approx::abs_diff_eq;
use engine::gradcheck::{against_differences, against_oracle, random};
use engine::ops::{
    Activation, BatchNormOptions, ConvOptions, Expr, LocalResponseNormOptions, PoolOptions,
    elementwise,
};
use engine::{Array, Device, Function, Result, Tensor};

pub fn check(name: &str, inputs: &[Array], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let error = against_differences(inputs, &f).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(
        error < 2e-7,
        "{name}: off by {error:.1e} from central differences"
    );
    let error =
        against_oracle(&Device::cpu(), inputs, &f).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(error < 2e-5, "{name}: f32 off by {error:.1e} from f64");
}

#[test]
fn matmul() {
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let a = random(if ta { [4, 3] } else { [3, 4] }, 1, 0.0);
        let b = random(if tb { [5, 4] } else { [4, 5] }, 2, 0.0);
        check("matmul", &[a, b], |t| t[0].matmul_transposed(&t[1], ta, tb));
    }
}

#[test]
fn linear() {
    let (w, b) = (random([5, 4], 2, 0.0), random([5], 3, 0.0));
    for activation in Activation::ALL {
        for shape in [vec![3, 4], vec![2, 3, 4], vec![4]] {
            let inputs = [random(shape, 1, 0.0), w.clone(), b.clone()];
            check("linear", &inputs, |t| {
                t[0].linear(&t[1], Some(&t[2]), activation)
            });
        }
    }
    check("no bias", &[random([3, 4], 1, 0.0), w], |t| {
        t[0].linear(&t[1], None, Activation::Tanh)
    });
}

/// Shapes that use every option of a convolution.
fn convolutions() -> Vec<(Array, Array, ConvOptions)> {
    let plain = ConvOptions::default();
    let padded = ConvOptions {
        pad: [[1, 0], [2, 1]],
        stride: [2, 1],
        ..plain
    };
    let dilated = ConvOptions {
        dilation: [2, 3],
        stride: [1, 2],
        pad: [[1, 1]; 2],
        ..plain
    };
    let grouped = ConvOptions {
        groups: 2,
        pad: [[1, 1]; 2],
        ..plain
    };
    vec![
        (
            random([2, 3, 5, 6], 1, 0.0),
            random([4, 3, 3, 2], 2, 0.0),
            plain,
        ),
        (
            random([1, 2, 5, 4], 3, 0.0),
            random([3, 2, 2, 3], 4, 0.0),
            padded,
        ),
        (
            random([1, 1, 7, 9], 5, 0.0),
            random([2, 1, 3, 3], 6, 0.0),
            dilated,
        ),
        (
            random([2, 4, 4, 4], 7, 0.0),
            random([6, 2, 3, 3], 8, 0.0),
            grouped,
        ),
    ]
}

#[test]
fn conv2d() {
    for (x, w, options) in convolutions() {
        let b = random([w.shape[0]], 9, 0.0);
        for activation in [
            Activation::None,
            Activation::Relu,
            Activation::Elu,
            Activation::Sigmoid,
        ] {
            let options = ConvOptions {
                activation,
                ..options
            };
            let inputs = [x.clone(), w.clone(), b.clone()];
            check("conv2d", &inputs, |t| {
                t[0].conv2d(&t[1], Some(&t[2]), options)
            });
        }
        check("no bias", &[x, w], |t| t[0].conv2d(&t[1], None, options));
    }
}

#[test]
fn conv2d_and_pooling_as_one() {
    for (x, w, options) in convolutions() {
        let b = random([w.shape[0]], 9, 0.0);
        for activation in Activation::ALL {
            let options = ConvOptions {
                activation,
                ..options
            };
            // Side by side, and overlapping with padding.
            let overlapping = PoolOptions {
                kernel: [3, 2],
                stride: [2, 1],
                pad: [[1, 1], [1, 0]],
            };
            for pool in [PoolOptions::new([2, 2]), overlapping] {
                let inputs = [x.clone(), w.clone(), b.clone()];
                check("conv2d_max_pool2d", &inputs, |t| {
                    t[0].conv2d_max_pool2d(&t[1], Some(&t[2]), options, pool)
                });
                let apart =
                    |t: &[Tensor]| t[0].conv2d(&t[1], Some(&t[2]), options)?.max_pool2d(pool);
                let whole =
                    |t: &[Tensor]| t[0].conv2d_max_pool2d(&t[1], Some(&t[2]), options, pool);
                same_gradients(&inputs, &apart, &whole);
            }
        }
    }
}

/// Two ways to the same numbers: values equal bit by bit, gradients within rounding.
fn same_gradients(
    inputs: &[Array],
    f: engine::gradcheck::Function,
    g: engine::gradcheck::Function,
) {
    let run = |f: engine::gradcheck::Function| -> Result<(Vec<f32>, Vec<Vec<f32>>)> {
        let device = Device::cpu();
        let load = |a: &Array| Ok(Tensor::from_vec(&device, &a.values, &a.shape)?.parameter());
        let t: Vec<Tensor> = inputs.iter().map(load).collect::<Result<_>>()?;
        let y = f(&t)?;
        let gradients = y.mul(&y)?.sum_all()?.backward()?;
        let gradients = t
            .iter()
            .map(|t| gradients.get(t).unwrap().to_vec())
            .collect::<Result<_>>()?;
        Ok((y.to_vec()?, gradients))
    };
    let ((y, dy), (z, dz)) = (run(f).unwrap(), run(g).unwrap());
    assert_eq!(y, z);
    for (a, b) in dy.iter().flatten().zip(dz.iter().flatten()) {
        assert!(
            abs_diff_eq!(a, b, epsilon = 1e-4 * (1.0 + a.abs())),
            "{a} {b}"
        );
    }
}

#[test]
fn max_pool2d() {
    for pool in [
        PoolOptions::new([2, 3]),
        PoolOptions {
            kernel: [3, 3],
            stride: [2, 1],
            pad: [[1, 1]; 2],
        },
        PoolOptions {
            kernel: [2, 2],
            stride: [3, 4],
            pad: [[0; 2]; 2],
        },
    ] {
        check("max_pool2d", &[random([2, 2, 6, 7], 1, 0.0)], |t| {
            t[0].max_pool2d(pool)
        });
    }
    for axis in 0..3 {
        check("max", &[random([3, 4, 5], 1, 0.0)], |t| t[0].max(axis));
    }
}

#[test]
fn avg_pool2d() {
    let overlapping = PoolOptions {
        kernel: [3, 3],
        stride: [2, 1],
        pad: [[1, 0], [1, 1]],
    };
    let apart = PoolOptions {
        stride: [3, 4],
        ..PoolOptions::new([2, 2])
    };
    let x = [random([2, 2, 6, 7], 1, 0.0)];
    for pool in [PoolOptions::new([2, 3]), overlapping, apart] {
        for include_pad in [true, false] {
            check("avg_pool2d", &x, |t| t[0].avg_pool2d(pool, include_pad));
        }
    }
    check("global_avg_pool", &x, |t| t[0].global_avg_pool());
    check("global_max_pool", &x, |t| t[0].global_max_pool());
}

#[test]
fn batch_norm() {
    let small = [random([3], 2, 0.0), random([3], 3, 0.0)];
    for shape in [vec![5, 3], vec![4, 3, 2, 3], vec![2, 3, 7]] {
        let x = random(shape, 1, 0.0);
        for training in [true, false] {
            // Elu and relu have their kinks where a bias may put a number: these three are smooth.
            for activation in [Activation::None, Activation::Tanh, Activation::Sigmoid] {
                let options = BatchNormOptions {
                    training,
                    eps: 1e-3,
                    activation,
                    ..Default::default()
                };
                let norm = |x: &Tensor, affine: Option<[&Tensor; 2]>| {
                    let mean = Tensor::from_vec(x.device(), [0.1, -0.2, 0.3], [3])?;
                    let var = Tensor::from_vec(x.device(), [0.5, 1.0, 2.0], [3])?;
                    x.batch_norm([&mean, &var], affine, options)
                };
                let inputs = [x.clone(), small[0].clone(), small[1].clone()];
                check("batch_norm", &inputs, |t| norm(&t[0], Some([&t[1], &t[2]])));
                check("plain", &inputs[..1], |t| norm(&t[0], None));
            }
        }
    }
}

#[test]
fn local_response_norm() {
    for (size, alpha, beta, k) in [(5, 1.0, 0.75, 2.0), (4, 2.0, 0.5, 1.0), (1, 1.0, 1.0, 0.5)] {
        let options = LocalResponseNormOptions {
            size,
            alpha,
            beta,
            k,
        };
        for shape in [vec![2, 7, 2, 3], vec![3, 5], vec![1, 2, 9]] {
            check("local_response_norm", &[random(shape, 1, 0.0)], |t| {
                t[0].local_response_norm(options)
            });
        }
    }
}

#[test]
fn activations() {
    // None of the points lies near the kinks at zero.
    let x = [random([3, 7], 1, 0.05)];
    for function in [
        Function::Relu,
        Function::LeakyRelu,
        Function::Elu,
        Function::Tanh,
        Function::Sigmoid,
        Function::Gelu,
    ] {
        check(&format!("{function:?}"), &x, |t| t[0].activation(function));
    }
    check("leaky_relu", &x, |t| t[0].leaky_relu(0.2));
    check("elu", &x, |t| t[0].elu(0.5));
}

#[test]
fn elementwise_with_every_kind_of_broadcast() {
    let full = [2, 3, 4, 5];
    for shape in [
        vec![2, 3, 4, 5],
        vec![3, 1, 1],
        vec![5],
        vec![1],
        vec![],
        vec![2, 1, 1, 1],
        vec![2, 1, 4, 5],
        // More repetitions than one view can say.
        vec![2, 1, 4, 1],
        vec![3, 1, 5],
        vec![2, 1, 1, 5],
        vec![1, 3, 1, 5],
    ] {
        let inputs = [random(full, 1, 0.0), random(shape, 2, 0.5)];
        for (name, f) in [
            ("add", Tensor::add as fn(&Tensor, &Tensor) -> Result<Tensor>),
            ("sub", Tensor::sub),
            ("mul", Tensor::mul),
            ("div", Tensor::div),
        ] {
            check(name, &inputs, |t| f(&t[0], &t[1]));
            check(name, &inputs, |t| f(&t[0].mul(&t[0])?, &t[1]));
        }
    }
    check(
        "both broadcast",
        &[random([3, 1], 1, 0.0), random([1, 4], 2, 0.0)],
        |t| t[0].mul(&t[1]),
    );
    check("scale", &[random([3], 1, 0.0)], |t| t[0].scale(-2.5));
    check("broadcast_to", &[random([3, 1], 1, 0.0)], |t| {
        t[0].broadcast_to([2, 3, 4])
    });
    let (a, b, c) = (Expr::input(0), Expr::input(1), Expr::input(2));
    let expr = (a.clone() * b.clone()).tanh() / (c.clone().exp() + 1.0)
        + (c.abs() + 0.1).ln() * b.sigmoid()
        + a.erf();
    let inputs = [
        random([2, 6], 1, 0.01),
        random([6], 2, 0.01),
        random([2, 1], 3, 0.01),
    ];
    check("three at once", &inputs, |t| {
        elementwise(&expr, &[&t[0], &t[1], &t[2]], &[])
    });
}

#[test]
fn an_input_used_twice_and_one_not_used() {
    check("twice", &[random([4], 1, 0.0)], |t| {
        t[0].mul(&t[0])?.add(&t[0].sigmoid()?)
    });
    check(
        "not read",
        &[random([4], 1, 0.0), random([4], 2, 0.0)],
        |t| elementwise(&Expr::input(0).exp(), &[&t[0], &t[1]], &[]),
    );
}

#[test]
fn dropout() {
    check("dropout", &[random([5, 8], 1, 0.0)], |t| {
        t[0].dropout(0.4, 7, 1 << 40)
    });
    let x = Tensor::full(&Device::cpu(), [100, 100], 1.0).unwrap();
    let y = x.dropout(0.25, 1, 2).unwrap().to_vec().unwrap();
    let left = y.iter().filter(|v| **v != 0.0).count() as f32 / 10_000.0;
    assert!(abs_diff_eq!(left, 0.75, epsilon = 0.02), "{left}");
    assert!(
        y.iter()
            .all(|v| *v == 0.0 || (*v - 1.0 / 0.75).abs() < 1e-6)
    );
    assert_eq!(y, x.dropout(0.25, 1, 2).unwrap().to_vec().unwrap());
    assert_ne!(y, x.dropout(0.25, 1, 3).unwrap().to_vec().unwrap());
    assert!(x.dropout(1.0, 1, 2).is_err() && x.dropout(f32::NAN, 1, 2).is_err());
}

#[test]
fn reductions_and_shapes() {
    for axis in 0..3 {
        check("sum", &[random([3, 4, 5], 1, 0.0)], |t| t[0].sum(axis));
        check("mean", &[random([3, 4, 5], 1, 0.0)], |t| t[0].mean(axis));
    }
    check("sum_all", &[random([3, 4], 1, 0.0)], |t| t[0].sum_all());
    check("mean_all", &[random([3, 4], 1, 0.0)], |t| t[0].mean_all());
    check("reshape", &[random([3, 4], 1, 0.0)], |t| {
        t[0].reshape([2, 6])
    });
    check("flatten", &[random([3, 4, 2], 1, 0.0)], |t| t[0].flatten());
}

#[test]
fn cross_entropy() {
    let logits = [random([5, 4], 1, 0.0)];
    // The label 9 is no class: its row is left out.
    let labels = [0, 3, 1, 9, 3];
    check("cross_entropy", &logits, |t| {
        t[0].cross_entropy(&t[0].device().upload_u32(&labels)?, None)
    });
    check("weighted", &logits, |t| {
        let weights = Tensor::from_vec(t[0].device(), [0.5, 2.0, 1.0, 0.25], [4])?;
        t[0].cross_entropy(&t[0].device().upload_u32(&labels)?, Some(&weights))
    });
    for smoothing in [0.2, 1.0] {
        check("smoothed", &logits, |t| {
            let weights = Tensor::from_vec(t[0].device(), [0.5, 2.0, 1.0, 0.25], [4])?;
            let labels = t[0].device().upload_u32(&labels)?;
            t[0].cross_entropy_smoothed(&labels, Some(&weights), smoothing)
        });
    }
}

#[test]
fn dct() {
    for (shape, axis) in [([3, 4, 5], 1), ([2, 1, 6], 2), ([7, 2, 1], 0)] {
        let x = random(shape, 1, 0.0);
        for (kept, ortho) in [(1, true), (shape[axis], true), (shape[axis].min(3), false)] {
            check("dct", std::slice::from_ref(&x), |t| {
                t[0].dct(axis, kept, ortho)
            });
        }
    }
}
