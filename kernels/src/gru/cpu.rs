//! The gates of one step of one example, in loops that vectorise; the walk along time is `recurrence::cpu`.

use super::GATES;
use crate::activation::Activation;
use crate::cpu::{Disjoint, math};
use crate::recurrence::Recurrence;
use crate::recurrence::cpu::{Cell, CellGrad, backward, forward};
use crate::vectorized;

pub fn gru(s: &Recurrence, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [y, before, gates] = outputs else { return };
    let cell = Forward {
        h: s.h,
        activation: s.activation,
        x: inputs[0],
        before: Disjoint::new(before),
        gates: Disjoint::new(gates),
    };
    forward(s, &cell, inputs[1], inputs.get(2).copied(), y);
}

struct Forward<'a> {
    h: usize,
    activation: Activation,
    x: &'a [f32],
    before: Disjoint<'a>,
    gates: Disjoint<'a>,
}

impl Cell for Forward<'_> {
    const GATES: usize = GATES;

    fn step(&self, row: usize, u: &[f32], state: &mut [f32], _: &mut [f32]) {
        let h = self.h;
        // SAFETY: every row is walked once, by one task.
        let (before, gates) = unsafe {
            (
                self.before.slice(row * h..(row + 1) * h),
                self.gates.slice(4 * row * h..4 * (row + 1) * h),
            )
        };
        before.copy_from_slice(state);
        let x = &self.x[GATES * row * h..][..GATES * h];
        let (x_r, x_z, x_n) = (&x[..h], &x[h..2 * h], &x[2 * h..]);
        let (u_r, u_z, u_n) = (&u[..h], &u[h..2 * h], &u[2 * h..]);
        let (r, rest) = gates.split_at_mut(h);
        let (z, rest) = rest.split_at_mut(h);
        let (n, kept) = rest.split_at_mut(h);
        kept.copy_from_slice(u_n);
        gate(x_r, u_r, r);
        gate(x_z, u_z, z);
        candidate(x_n, u_n, r, n);
        self.activation.apply(n);
        blend(n, z, state);
    }
}

pub fn gru_grad(s: &Recurrence, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [dx, du] = outputs else { return };
    let cell = Backward {
        h: s.h,
        activation: s.activation,
        before: inputs[1],
        gates: inputs[2],
        dx: Disjoint::new(dx),
        du: Disjoint::new(du),
    };
    backward(s, &cell, inputs[3], inputs[0]);
}

struct Backward<'a> {
    h: usize,
    activation: Activation,
    before: &'a [f32],
    gates: &'a [f32],
    dx: Disjoint<'a>,
    du: Disjoint<'a>,
}

impl CellGrad for Backward<'_> {
    const GATES: usize = GATES;

    fn step(&self, row: usize, dh: &mut [f32], _: &mut [f32], sums: &mut [f32]) {
        let h = self.h;
        let range = GATES * row * h..GATES * (row + 1) * h;
        // SAFETY: every row is walked once, by one task.
        let (dx, du) = unsafe { (self.dx.slice(range.clone()), self.du.slice(range)) };
        let gates = &self.gates[4 * row * h..][..4 * h];
        let (r, z, n, u_n) = (
            &gates[..h],
            &gates[h..2 * h],
            &gates[2 * h..3 * h],
            &gates[3 * h..],
        );
        let (dr, rest) = dx.split_at_mut(h);
        let (dz, dn) = rest.split_at_mut(h);
        unblend(&self.before[row * h..][..h], z, n, dh, dz, dn);
        self.activation.apply_grad(n, dn);
        reset(r, u_n, dn, dr, &mut sums[2 * h..]);
        sums[..2 * h].copy_from_slice(&dx[..2 * h]);
        du.copy_from_slice(sums);
    }
}

vectorized! {
    /// `σ(x + u)`
    fn gate(x: &[f32], u: &[f32], out: &mut [f32]) {
        for ((out, x), u) in out.iter_mut().zip(x).zip(u) {
            *out = math::sigmoid(x + u);
        }
    }

    /// `x + r·u`
    fn candidate(x: &[f32], u: &[f32], r: &[f32], out: &mut [f32]) {
        for (((out, x), u), r) in out.iter_mut().zip(x).zip(u).zip(r) {
            *out = x + r * u;
        }
    }

    /// `h = n + z·(h - n)`
    fn blend(n: &[f32], z: &[f32], h: &mut [f32]) {
        for ((h, n), z) in h.iter_mut().zip(n).zip(z) {
            *h = n + z * (*h - n);
        }
    }

    /// The way back through the blend, to the gradients of `z` (before its sigmoid) and of `n` (behind its
    /// activation); leaves in `dh` what goes on to the state before.
    fn unblend(before: &[f32], z: &[f32], n: &[f32], dh: &mut [f32], dz: &mut [f32], dn: &mut [f32]) {
        for (((((dh, before), z), n), dz), dn) in
            dh.iter_mut().zip(before).zip(z).zip(n).zip(dz).zip(dn)
        {
            *dz = *dh * (before - n) * z * (1.0 - z);
            *dn = *dh * (1.0 - z);
            *dh *= z;
        }
    }

    /// The way back through `r·u`, from the gradient of their product.
    fn reset(r: &[f32], u: &[f32], dn: &[f32], dr: &mut [f32], du: &mut [f32]) {
        for ((((r, u), dn), dr), du) in r.iter().zip(u).zip(dn).zip(dr).zip(du) {
            *dr = dn * u * r * (1.0 - r);
            *du = dn * r;
        }
    }
}
