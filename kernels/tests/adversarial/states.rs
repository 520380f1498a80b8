//! What carries a state along: optimizers, clipping, recurrent layers.

use crate::{INF, NAN, check, devices};
use kernels::adam::Adam;
use kernels::clip_norm::ClipNorm;
use kernels::gru::Gru;
use kernels::lstm::Lstm;
use kernels::recurrence::Recurrence;
use kernels::rmsprop::RmsProp;
use kernels::sgd::Sgd;
use kernels::{Kernel, proof};

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
        for rung in proof::versions(device, kernel) {
            proof::prove_on(device, kernel, rung, &inputs, zeros())
                .unwrap_or_else(|e| panic!("{kernel:?} {rung:?} on {}: {e}", device.name()));
        }
    }
}

#[test]
fn optimizers_start_from_zero_and_from_tiny_gradients() {
    // One magnitude at a time: what is allowed is relative to the largest.
    for gradient in [1e-15, -1e-6, 0.0, 1e15].map(|size| [size, -size, size, 0.5 * size]) {
        step(&Adam::new(4, 0.1, 1), &gradient, 1.0);
        step(&RmsProp::new(4, 0.1), &gradient, 1.0);
        step(&Sgd::new(4, 0.1).with_momentum(0.9, true), &gradient, 1.0);
    }
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
