//! One vectorised pass over the buffers, a piece to each thread; within it block by block, so that the optional parts
//! are loops of their own over numbers that are at hand.

use super::RmsProp;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::gradient::{BLOCK, Taken};
use crate::vectorized;

pub fn rmsprop(s: &RmsProp, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let [gradient, scale, penalty] = [inputs[0], inputs[1], inputs[2]];
    let taken = Taken {
        scale: scale[0],
        limit: s.limit as f32,
    };
    let outputs: Vec<Disjoint> = outputs.iter_mut().map(|o| Disjoint::new(o)).collect();
    let velocity = 2 + usize::from(s.centered);
    // Pieces are whole blocks.
    for_ranges(gradient.len(), GRAIN, |range| {
        let part = |position: usize| -> &mut [f32] {
            match outputs.get(position) {
                // SAFETY: the ranges do not overlap, and each output is taken once.
                Some(output) => unsafe { output.slice(range.clone()) },
                None => &mut [],
            }
        };
        let mean = if s.centered { part(2) } else { &mut [] };
        let states = [part(0), part(1), mean, part(velocity)];
        let penalty = &penalty[range.start / BLOCK..];
        step(s, taken, &gradient[range.clone()], penalty, states);
    });
}

vectorized! {
    /// `states` are p, square, mean and velocity; what there is not is empty.
    fn step(s: &RmsProp, taken: Taken, gradient: &[f32], penalty: &[f32], states: [&mut [f32]; 4]) {
        let [lr, alpha, rest, eps, momentum] = [s.lr, s.alpha, 1.0 - s.alpha, s.eps, s.momentum].map(|v| v as f32);
        let [p, square, mean, velocity] = states;
        let (mut mean, mut velocity) = (mean.chunks_mut(BLOCK), velocity.chunks_mut(BLOCK));
        let blocks = gradient.chunks(BLOCK).zip(p.chunks_mut(BLOCK)).zip(square.chunks_mut(BLOCK));
        for (((gradient, p), square), penalty) in blocks.zip(penalty) {
            let (mut step, mut variance) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
            let taken_in = gradient.iter().zip(&*p).zip(&mut *square).zip(step.iter_mut().zip(&mut variance));
            for (((g, p), square), (step, variance)) in taken_in {
                let g = taken.gradient(*g, *penalty, *p);
                *square = alpha * *square + rest * g * g;
                (*step, *variance) = (g, *square);
            }
            for ((mean, g), variance) in mean.next().unwrap_or_default().iter_mut().zip(&step).zip(&mut variance) {
                *mean = alpha * *mean + rest * g;
                let v = *variance - *mean * *mean;
                *variance = if v < 0.0 { 0.0 } else { v };
            }
            for (step, variance) in step.iter_mut().zip(&variance) {
                *step /= variance.sqrt() + eps;
            }
            for (velocity, step) in velocity.next().unwrap_or_default().iter_mut().zip(&mut step) {
                *velocity = momentum * *velocity + *step;
                *step = *velocity;
            }
            for (p, step) in p.iter_mut().zip(&step) {
                *p -= lr * step;
            }
        }
    }
}
