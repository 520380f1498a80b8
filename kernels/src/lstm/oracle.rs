//! The definition: example by example, step by step, unit by unit.

use crate::recurrence::Recurrence;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn lstm(s: &Recurrence, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (x, w_hh) = (inputs[0], inputs[1]);
    let [y, before, cells, gates] = outputs else {
        return;
    };
    let (h, act) = (s.h, s.activation);
    for example in 0..s.n {
        let (mut state, mut cell) = (vec![0.0; h], vec![0.0; h]);
        for step in 0..s.t {
            let row = example * s.t + s.time(step);
            let a = |gate: usize, j: usize| {
                let weights = &w_hh[(gate * h + j) * h..][..h];
                let sum: f64 = weights.iter().zip(&state).map(|(w, state)| w * state).sum();
                let bias = if s.bias { inputs[2][gate * h + j] } else { 0.0 };
                x[(4 * row + gate) * h + j] + sum + bias
            };
            let mut next = vec![0.0; h];
            for j in 0..h {
                let (i, f) = (sigmoid(a(0, j)), sigmoid(a(1, j)));
                let (g, o) = (act.oracle(a(2, j)), sigmoid(a(3, j)));
                before[row * h + j] = state[j];
                cells[row * h + j] = cell[j];
                for (gate, value) in [i, f, g, o].into_iter().enumerate() {
                    gates[(4 * row + gate) * h + j] = value;
                }
                cell[j] = f * cell[j] + i * g;
                next[j] = o * act.oracle(cell[j]);
            }
            state = next;
            if let Some(at) = s.output(example, step) {
                y[at..at + h].copy_from_slice(&state);
            }
        }
    }
}

pub fn lstm_grad(s: &Recurrence, inputs: &[&[f64]], dx: &mut [f64]) {
    let (dy, cells, gates, w_hh) = (inputs[0], inputs[1], inputs[2], inputs[3]);
    let (h, act) = (s.h, s.activation);
    for example in 0..s.n {
        let (mut dh, mut dc) = (vec![0.0; h], vec![0.0; h]);
        for step in (0..s.t).rev() {
            let row = example * s.t + s.time(step);
            for j in 0..h {
                if let Some(at) = s.output(example, step) {
                    dh[j] += dy[at + j];
                }
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[(4 * row + gate) * h + j]);
                let cell = cells[row * h + j];
                let shown = act.oracle(f * cell + i * g);
                let dc_here = dc[j] + act.oracle_grad(shown, dh[j] * o);
                let gradients = [
                    dc_here * g * i * (1.0 - i),
                    dc_here * cell * f * (1.0 - f),
                    act.oracle_grad(g, dc_here * i),
                    dh[j] * shown * o * (1.0 - o),
                ];
                for (gate, gradient) in gradients.into_iter().enumerate() {
                    dx[(4 * row + gate) * h + j] = gradient;
                }
                dc[j] = dc_here * f;
            }
            dh.fill(0.0);
            for i in 0..4 * h {
                for j in 0..h {
                    dh[j] += dx[4 * row * h + i] * w_hh[i * h + j];
                }
            }
        }
    }
}
