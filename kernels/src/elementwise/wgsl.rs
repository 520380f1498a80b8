//! Writing an expression out as a shader: the template with its bindings and one function body replaced.

use super::program::{Step, steps};
use super::{Binary, Expr, Unary};
use std::fmt::Write;

/// The shader around an expression; as it stands it copies `x0`.
pub const TEMPLATE: &str = include_str!("elementwise_1_expression.wgsl");

/// The declarations of the template that those of the expression replace.
const BINDINGS: &str = "@group(0) @binding(1) var<storage, read> x0: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
";

/// The body of the template that the expression replaces.
const BODY: &str = "    return x0[at(0u, i)];\n";

/// The shader of an expression; `full` says which inputs have the output's shape.
pub fn write(expr: &Expr, full: &[bool]) -> String {
    let mut bindings = String::new();
    for i in 0..full.len() {
        let binding = i + 1;
        let _ = writeln!(
            bindings,
            "@group(0) @binding({binding}) var<storage, read> x{i}: array<f32>;"
        );
    }
    let binding = full.len() + 1;
    let _ = writeln!(
        bindings,
        "@group(0) @binding({binding}) var<storage, read_write> y: array<f32>;"
    );
    let steps = steps(expr);
    let mut body = String::new();
    for (position, step) in steps.iter().enumerate() {
        let _ = writeln!(body, "    let v{position} = {};", line(*step, full));
    }
    let _ = writeln!(body, "    return v{};", steps.len() - 1);
    TEMPLATE.replace(BINDINGS, &bindings).replace(BODY, &body)
}

fn line(step: Step, full: &[bool]) -> String {
    match step {
        Step::Input(i) if full[i] => format!("x{i}[i]"),
        Step::Input(i) => format!("x{i}[at({i}u, i)]"),
        Step::Const(c) if c.is_finite() => format!("f32({c:?})"),
        // WGSL refuses constants that are not finite: `nothing` is 0, and no constant.
        Step::Const(c) => format!("bitcast<f32>({}u | nothing())", c.to_bits()),
        Step::Param(i) => format!("bitcast<f32>(word(PARAMS + {i}u))"),
        Step::Random(i) => format!("random(PARAMS + {i}u, i)"),
        Step::Unary(op, x) => match op {
            Unary::Neg => format!("-v{x}"),
            Unary::Abs => format!("abs(v{x})"),
            Unary::Exp => format!("exp(v{x})"),
            Unary::Ln => format!("log(v{x})"),
            Unary::Sqrt => format!("sqrt(v{x})"),
            Unary::Tanh => format!("select(tanh(clamp(v{x}, -15.0, 15.0)), v{x}, is_nan(v{x}))"),
            Unary::Sigmoid => format!("1.0 / (1.0 + exp(-v{x}))"),
            Unary::Erf => format!("erf(v{x})"),
        },
        Step::Binary(op, a, b) => match op {
            Binary::Add => format!("v{a} + v{b}"),
            Binary::Sub => format!("v{a} - v{b}"),
            Binary::Mul => format!("v{a} * v{b}"),
            Binary::Div => format!("v{a} / v{b}"),
            Binary::Max => format!("select(v{a}, v{b}, v{a} < v{b})"),
            Binary::Min => format!("select(v{a}, v{b}, v{b} < v{a})"),
            Binary::Less => format!("select(0.0, 1.0, v{a} < v{b})"),
        },
        Step::Select(c, a, b) => format!("select(v{a}, v{b}, v{c} == 0.0)"),
    }
}
