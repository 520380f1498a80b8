//! One vectorised pass over the buffers, a piece to each thread.

use super::Sgd;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::gradient::{BLOCK, Taken};
use crate::vectorized;

pub fn sgd(s: &Sgd, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [gradient, scale, penalty] = [inputs[0], inputs[1], inputs[2]];
    let taken = Taken {
        scale: scale[0],
        limit: s.limit as f32,
    };
    let outputs: Vec<Disjoint> = outputs.iter_mut().map(|o| Disjoint::new(o)).collect();
    // Pieces are whole blocks.
    for_ranges(gradient.len(), GRAIN, |range| {
        let (gradient, penalty) = (&gradient[range.clone()], &penalty[range.start / BLOCK..]);
        // SAFETY: the ranges do not overlap.
        let p = unsafe { outputs[0].slice(range.clone()) };
        match outputs.get(1) {
            Some(velocity) => {
                // SAFETY: the same.
                let velocity = unsafe { velocity.slice(range) };
                with_momentum(s, taken, gradient, penalty, p, velocity);
            }
            None => plain(s, taken, gradient, penalty, p),
        }
    });
}

vectorized! {
    fn plain(s: &Sgd, taken: Taken, gradient: &[f32], penalty: &[f32], p: &mut [f32]) {
        let lr = s.lr as f32;
        for ((gradient, p), penalty) in gradient.chunks(BLOCK).zip(p.chunks_mut(BLOCK)).zip(penalty) {
            for (g, p) in gradient.iter().zip(p) {
                *p -= lr * taken.gradient(*g, *penalty, *p);
            }
        }
    }

    fn with_momentum(s: &Sgd, taken: Taken, gradient: &[f32], penalty: &[f32], p: &mut [f32], velocity: &mut [f32]) {
        let (lr, momentum) = (s.lr as f32, s.momentum as f32);
        // The step is a·g + b·velocity.
        let (a, b) = if s.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        let blocks = gradient.chunks(BLOCK).zip(p.chunks_mut(BLOCK)).zip(velocity.chunks_mut(BLOCK));
        for (((gradient, p), velocity), penalty) in blocks.zip(penalty) {
            for ((g, p), v) in gradient.iter().zip(p).zip(velocity) {
                let g = taken.gradient(*g, *penalty, *p);
                *v = momentum * *v + g;
                *p -= lr * (a * g + b * *v);
            }
        }
    }
}
