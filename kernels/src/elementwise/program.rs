//! An expression as a list of steps, each over earlier ones, every distinct sub-expression once.

use super::{Binary, Expr, Unary};

/// One step; numbers are positions of earlier steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    Input(usize),
    Const(f32),
    Param(usize),
    Random(usize),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    Select(usize, usize, usize),
}

/// The steps of an expression; the last one is its value.
pub fn steps(expr: &Expr) -> Vec<Step> {
    let mut steps = Vec::new();
    push(expr, &mut steps);
    steps
}

fn push(expr: &Expr, steps: &mut Vec<Step>) -> usize {
    let step = match expr {
        Expr::Input(i) => Step::Input(*i),
        Expr::Const(c) => Step::Const(*c),
        Expr::Param(i) => Step::Param(*i),
        Expr::Random(i) => Step::Random(*i),
        Expr::Unary(op, x) => Step::Unary(*op, push(x, steps)),
        Expr::Binary(op, a, b) => Step::Binary(*op, push(a, steps), push(b, steps)),
        Expr::Select(c, a, b) => Step::Select(push(c, steps), push(a, steps), push(b, steps)),
    };
    match steps.iter().position(|known| *known == step) {
        Some(position) => position,
        None => {
            steps.push(step);
            steps.len() - 1
        }
    }
}
