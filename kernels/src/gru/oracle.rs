//! The definition: example by example, step by step, unit by unit.

use crate::recurrence::Recurrence;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn gru(s: &Recurrence, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (x, w_hh) = (inputs[0], inputs[1]);
    let [y, before, gates] = outputs else { return };
    let h = s.h;
    for example in 0..s.n {
        let mut state = vec![0.0; h];
        for step in 0..s.t {
            let row = example * s.t + s.time(step);
            let u = |gate: usize, j: usize| {
                let weights = &w_hh[(gate * h + j) * h..][..h];
                let sum: f64 = weights.iter().zip(&state).map(|(w, state)| w * state).sum();
                sum + if s.bias { inputs[2][gate * h + j] } else { 0.0 }
            };
            let mut next = vec![0.0; h];
            for j in 0..h {
                let x = |gate: usize| x[(3 * row + gate) * h + j];
                let r = sigmoid(x(0) + u(0, j));
                let z = sigmoid(x(1) + u(1, j));
                let n = s.activation.oracle(x(2) + r * u(2, j));
                next[j] = n + z * (state[j] - n);
                before[row * h + j] = state[j];
                for (gate, value) in [r, z, n, u(2, j)].into_iter().enumerate() {
                    gates[(4 * row + gate) * h + j] = value;
                }
            }
            state = next;
            if let Some(at) = s.output(example, step) {
                y[at..at + h].copy_from_slice(&state);
            }
        }
    }
}

pub fn gru_grad(s: &Recurrence, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (dy, before, gates, w_hh) = (inputs[0], inputs[1], inputs[2], inputs[3]);
    let [dx, du] = outputs else { return };
    let h = s.h;
    for example in 0..s.n {
        let mut dh = vec![0.0; h];
        for step in (0..s.t).rev() {
            let row = example * s.t + s.time(step);
            let mut earlier = vec![0.0; h];
            for j in 0..h {
                if let Some(at) = s.output(example, step) {
                    dh[j] += dy[at + j];
                }
                let [r, z, n, u_n] = [0, 1, 2, 3].map(|gate| gates[(4 * row + gate) * h + j]);
                let dn = s.activation.oracle_grad(n, dh[j] * (1.0 - z));
                let dz = dh[j] * (before[row * h + j] - n) * z * (1.0 - z);
                let dr = dn * u_n * r * (1.0 - r);
                for (gate, (x, u)) in [(dr, dr), (dz, dz), (dn, dn * r)].into_iter().enumerate() {
                    dx[(3 * row + gate) * h + j] = x;
                    du[(3 * row + gate) * h + j] = u;
                }
                earlier[j] = dh[j] * z;
            }
            for i in 0..3 * h {
                for j in 0..h {
                    earlier[j] += du[3 * row * h + i] * w_hh[i * h + j];
                }
            }
            dh = earlier;
        }
    }
}
