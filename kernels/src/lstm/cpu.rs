//! The gates of one step of one example, in loops that vectorise; the walk along time is `recurrence::cpu`.

use super::GATES;
use crate::activation::Activation;
use crate::cpu::Disjoint;
use crate::recurrence::Recurrence;
use crate::recurrence::cpu::{Cell, CellGrad, backward, forward};
use crate::vectorized;

pub fn lstm(s: &Recurrence, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, before, cells, gates] = outputs else {
        return;
    };
    let cell = Forward {
        h: s.h,
        activation: s.activation,
        x: inputs[0],
        before: Disjoint::new(before),
        cells: Disjoint::new(cells),
        gates: Disjoint::new(gates),
    };
    forward(s, &cell, inputs[1], inputs.get(2).copied(), y);
}

struct Forward<'a> {
    h: usize,
    activation: Activation,
    x: &'a [f32],
    before: Disjoint<'a>,
    cells: Disjoint<'a>,
    gates: Disjoint<'a>,
}

impl Cell for Forward<'_> {
    const GATES: usize = GATES;

    fn step(&self, row: usize, u: &[f32], state: &mut [f32], cell: &mut [f32]) {
        let h = self.h;
        let (small, large) = (
            row * h..(row + 1) * h,
            GATES * row * h..GATES * (row + 1) * h,
        );
        // SAFETY: every row is walked once, by one task.
        let (before, cells, gates) = unsafe {
            (
                self.before.slice(small.clone()),
                self.cells.slice(small),
                self.gates.slice(large.clone()),
            )
        };
        before.copy_from_slice(state);
        cells.copy_from_slice(cell);
        add(&self.x[large], u, gates);
        Activation::Sigmoid.apply(&mut gates[..2 * h]);
        self.activation.apply(&mut gates[2 * h..3 * h]);
        Activation::Sigmoid.apply(&mut gates[3 * h..]);
        keep(&gates[..h], &gates[h..2 * h], &gates[2 * h..3 * h], cell);
        state.copy_from_slice(cell);
        self.activation.apply(state);
        state
            .iter_mut()
            .zip(&gates[3 * h..])
            .for_each(|(s, o)| *s *= o);
    }
}

pub fn lstm_grad(s: &Recurrence, inputs: &[&[f32]], dx: &mut [f32]) {
    let cell = Backward {
        h: s.h,
        activation: s.activation,
        cells: inputs[1],
        gates: inputs[2],
        dx: Disjoint::new(dx),
    };
    backward(s, &cell, inputs[3], inputs[0]);
}

struct Backward<'a> {
    h: usize,
    activation: Activation,
    cells: &'a [f32],
    gates: &'a [f32],
    dx: Disjoint<'a>,
}

impl CellGrad for Backward<'_> {
    const GATES: usize = GATES;

    fn step(&self, row: usize, dh: &mut [f32], dc: &mut [f32], sums: &mut [f32]) {
        let h = self.h;
        let large = GATES * row * h..GATES * (row + 1) * h;
        let gates = &self.gates[large.clone()];
        let (i, f, g, o) = (
            &gates[..h],
            &gates[h..2 * h],
            &gates[2 * h..3 * h],
            &gates[3 * h..],
        );
        let (di, rest) = sums.split_at_mut(h);
        let (df, rest) = rest.split_at_mut(h);
        let (dg, shown) = rest.split_at_mut(h);
        let cell = &self.cells[row * h..][..h];
        // What the cell shows is worked out again where the gradient of `o` will stand, that of the cell in `di`.
        shown.copy_from_slice(cell);
        keep(i, f, g, shown);
        self.activation.apply(shown);
        product(dh, o, di);
        self.activation.apply_grad(shown, di);
        show(o, dh, shown);
        unkeep(i, f, g, cell, dc, di, df, dg);
        self.activation.apply_grad(g, dg);
        dh.fill(0.0);
        // SAFETY: every row is walked once, by one task.
        unsafe { self.dx.slice(large) }.copy_from_slice(sums);
    }
}

vectorized! {
    fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a + b;
        }
    }

    fn product(a: &[f32], b: &[f32], out: &mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a * b;
        }
    }

    /// `c = f·c + i·g`
    fn keep(i: &[f32], f: &[f32], g: &[f32], c: &mut [f32]) {
        for (((c, i), f), g) in c.iter_mut().zip(i).zip(f).zip(g) {
            *c = f * *c + i * g;
        }
    }

    /// The gradient of `o` before its sigmoid, where the activated cell stood.
    fn show(o: &[f32], dh: &[f32], shown: &mut [f32]) {
        for ((shown, o), dh) in shown.iter_mut().zip(o).zip(dh) {
            *shown *= dh * o * (1.0 - o);
        }
    }

    /// The way back through `c' = f·c + i·g`; `di` comes holding what reaches the cell through the state.
    fn unkeep(i: &[f32], f: &[f32], g: &[f32], c: &[f32], dc: &mut [f32], di: &mut [f32], df: &mut [f32], dg: &mut [f32]) {
        let inputs = i.iter().zip(f).zip(g).zip(c);
        for ((((((i, f), g), c), dc), di), (df, dg)) in
            inputs.zip(dc).zip(di).zip(df.iter_mut().zip(dg))
        {
            let d = *dc + *di;
            *di = d * g * i * (1.0 - i);
            *df = d * c * f * (1.0 - f);
            *dg = d * i;
            *dc = d * f;
        }
    }
}
