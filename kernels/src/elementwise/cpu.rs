//! Block by block: each step of the expression runs over a block that stays in the first-level cache, so that memory
//! is read and written once however long the chain is.

use super::program::{Step, steps};
use super::{Binary, Elementwise, Unary, View};
use crate::cpu::stream::{BLOCK, for_ranges};
use crate::cpu::{Disjoint, GRAIN, math};
use crate::vectorized;
use std::cell::RefCell;
use std::ops::Range;

thread_local! {
    static REGISTERS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

pub fn elementwise(s: &Elementwise, inputs: &[&[f32]], y: &mut [f32]) {
    let steps = steps(&s.expr);
    let y = Disjoint::new(y);
    for_ranges(s.len, GRAIN, s.len, |range, way| {
        // SAFETY: ranges do not overlap.
        let y = unsafe { y.slice(range.clone()) };
        let full = s.views.iter().zip(inputs).filter_map(|(view, input)| {
            let full = view.len() == s.len;
            full.then(|| &input[range.start..])
        });
        let full: Vec<&[f32]> = full.collect();
        REGISTERS.with_borrow_mut(|registers| {
            registers.resize(registers.len().max(steps.len() * BLOCK), 0.0);
            way.fill(y, &full, |block, y| {
                let first = block.start == 0;
                let block = range.start + block.start..range.start + block.end;
                evaluate(s, &steps, inputs, block, first, registers, y);
            });
        });
    });
}

/// Runs the steps over one block; the last writes straight to `out`. Constants stay in their registers from the `first`
/// block of a range on.
fn evaluate(
    s: &Elementwise,
    steps: &[Step],
    inputs: &[&[f32]],
    block: Range<usize>,
    first: bool,
    registers: &mut [f32],
    out: &mut [f32],
) {
    let n = block.len();
    for (position, step) in steps.iter().enumerate() {
        let (before, rest) = registers.split_at_mut(position * BLOCK);
        let target = if position + 1 == steps.len() {
            &mut *out
        } else {
            &mut rest[..n]
        };
        // An input that has the output's shape is read where it lies.
        let operand = |at: usize| match steps[at] {
            Step::Input(i) if s.views[i].len() == s.len => &inputs[i][block.clone()],
            _ => &before[at * BLOCK..][..n],
        };
        match *step {
            Step::Const(_) | Step::Param(_) if !first && position + 1 < steps.len() => {}
            Step::Input(i) if s.views[i].len() == s.len => {
                if position + 1 == steps.len() {
                    target.copy_from_slice(&inputs[i][block.clone()]);
                }
            }
            Step::Input(i) => spread(s.views[i], inputs[i], block.start, target),
            Step::Const(c) => target.fill(c),
            Step::Param(i) => target.fill(f32::from_bits(s.params[i])),
            Step::Random(i) => random(&s.params[i..i + 4], block.start, target),
            Step::Unary(op, x) => {
                let x = operand(x);
                match op {
                    Unary::Neg => neg(x, target),
                    Unary::Abs => abs(x, target),
                    Unary::Exp => exp(x, target),
                    Unary::Ln => ln(x, target),
                    Unary::Sqrt => sqrt(x, target),
                    Unary::Tanh => tanh(x, target),
                    Unary::Sigmoid => sigmoid(x, target),
                    Unary::Erf => erf(x, target),
                }
            }
            Step::Binary(op, a, b) => {
                let (a, b) = (operand(a), operand(b));
                match op {
                    Binary::Add => add(a, b, target),
                    Binary::Sub => sub(a, b, target),
                    Binary::Mul => mul(a, b, target),
                    Binary::Div => div(a, b, target),
                    Binary::Max => max(a, b, target),
                    Binary::Min => min(a, b, target),
                    Binary::Less => less(a, b, target),
                }
            }
            Step::Select(c, a, b) => select(operand(c), operand(a), operand(b), target),
        }
    }
}

/// The elements that a broadcast input shows from `start` on.
fn spread(view: View, source: &[f32], start: usize, out: &mut [f32]) {
    let mut done = 0;
    while done < out.len() {
        let i = start + done;
        let at = view.at(i);
        if view.inner == 1 {
            let left = view.repeat - i % view.repeat;
            let run = left.min(out.len() - done);
            out[done..done + run].fill(source[at]);
            done += run;
        } else {
            let run = (view.inner - i % view.inner).min(out.len() - done);
            out[done..done + run].copy_from_slice(&source[at..at + run]);
            done += run;
        }
    }
}

fn random(words: &[u32], start: usize, out: &mut [f32]) {
    let (seed, stream) = super::expr::streams(words);
    crate::philox::uniforms(seed, stream, start as u32, out);
}

macro_rules! unary {
    ($($name:ident: $x:ident => $value:expr;)*) => { vectorized! {$(
        fn $name(x: &[f32], y: &mut [f32]) {
            y.iter_mut().zip(x).for_each(|(y, &$x)| *y = $value);
        }
    )*} };
}
unary! {
    neg: x => -x;
    abs: x => x.abs();
    exp: x => math::exp(x);
    ln: x => math::ln(x);
    sqrt: x => x.sqrt();
    tanh: x => math::tanh(x);
    sigmoid: x => math::sigmoid(x);
    erf: x => math::erf(x);
}

macro_rules! binary {
    ($($name:ident: $a:ident, $b:ident => $value:expr;)*) => { vectorized! {$(
        fn $name(a: &[f32], b: &[f32], y: &mut [f32]) {
            y.iter_mut().zip(a).zip(b).for_each(|((y, &$a), &$b)| *y = $value);
        }
    )*} };
}
binary! {
    add: a, b => a + b;
    sub: a, b => a - b;
    mul: a, b => a * b;
    div: a, b => a / b;
    max: a, b => if a < b { b } else { a };
    min: a, b => if b < a { b } else { a };
    less: a, b => if a < b { 1.0 } else { 0.0 };
}

vectorized! {
    fn select(c: &[f32], a: &[f32], b: &[f32], y: &mut [f32]) {
        // On bits: of two values to choose from the compiler makes two places to load from, which is a gather.
        y.iter_mut().zip(c).zip(a).zip(b).for_each(|(((y, &c), &yes), &no)| {
            let mask = u32::from(c != 0.0).wrapping_neg();
            *y = f32::from_bits((yes.to_bits() & mask) | (no.to_bits() & !mask));
        });
    }
}
