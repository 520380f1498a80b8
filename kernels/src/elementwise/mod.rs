//! Elementwise chains: any expression over broadcast inputs as one pass over memory.
//!
//! Not forty kernels but one: an [`Expr`] is written out as one WGSL function on the GPU and evaluated block by block on
//! the CPU. `y[i] = expr(inputs at i, params, random at i)`.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | one per [`View`] | `[outer, inner]`, seen as `[…, outer, repeat, inner]` | in |
//! | `y` | `[len]` | out |
//!
//! Dropout is the expression `select(random < p, 0, x / (1 - p))`: its mask is a function of (seed, stream, position), so
//! the backward pass computes it again instead of reading it. FLOPs: one per operation and element.
//!
//! | file | holds |
//! | --- | --- |
//! | `expr.rs` | [`Expr`]: building, derivative, evaluation of one element |
//! | `program.rs` | an expression as a list of steps |
//! | `wgsl.rs` | writing it out as a shader |
//! | `cpu.rs` | evaluating it block by block |

pub mod cases;
mod cpu;
mod expr;
mod program;
mod wgsl;

pub use expr::{Binary, Expr, Unary};

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};

/// How an input is broadcast to the output: element `i` reads `source[(i / (repeat·inner)) % outer · inner + i %
/// inner]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// Slow part of the source.
    pub outer: usize,
    /// How often each slow step is repeated.
    pub repeat: usize,
    /// Fast part of the source.
    pub inner: usize,
}

impl View {
    /// One source element per output element.
    pub fn full(len: usize) -> Self {
        View {
            outer: 1,
            repeat: 1,
            inner: len,
        }
    }

    /// One source element for all.
    pub fn scalar() -> Self {
        View {
            outer: 1,
            repeat: 1,
            inner: 1,
        }
    }

    /// `source[channels]` over `[…, channels, plane]`.
    pub fn channel(channels: usize, plane: usize) -> Self {
        View {
            outer: channels,
            repeat: plane,
            inner: 1,
        }
    }

    /// Length of the source.
    pub fn len(&self) -> usize {
        self.outer * self.inner
    }

    /// Whether the source has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where element `i` reads.
    #[inline(always)]
    pub fn at(&self, i: usize) -> usize {
        i / (self.repeat * self.inner) % self.outer * self.inner + i % self.inner
    }
}

/// `y[i] = expr(…)` for `i` in `0..len`.
#[derive(Debug, Clone, PartialEq)]
pub struct Elementwise {
    /// Expression to compute.
    pub expr: Expr,
    /// Elements of the output.
    pub len: usize,
    /// How each input is broadcast to the output.
    pub views: Vec<View>,
    /// The words that [`Expr::param`] and [`Expr::random`] read: numbers as f32 bits, seeds as they are. They may
    /// change from launch to launch without a new pipeline.
    pub params: Vec<u32>,
}

impl Elementwise {
    /// An expression over inputs that all have the output's shape.
    pub fn new(expr: Expr, len: usize, inputs: usize) -> Self {
        Elementwise {
            expr,
            len,
            views: vec![View::full(len); inputs],
            params: Vec::new(),
        }
    }
}

/// Words of the uniform block before the parameters: len, then three per view.
const HEADER: usize = 1 + 3 * MAX_INPUTS;

/// Inputs of one expression; with the output they are the seven bindings of a pass.
pub const MAX_INPUTS: usize = 6;

/// Words of parameters.
pub const MAX_PARAMS: usize = 32;

const NAMES: [&str; MAX_INPUTS] = ["x0", "x1", "x2", "x3", "x4", "x5"];

const RUNG: Rung = Rung {
    name: "elementwise_1_expression",
    source: wgsl::TEMPLATE,
};

impl Kernel for Elementwise {
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn check(&self) -> Result<()> {
        if self.len == 0 {
            return Err(self.error("empty output".into()));
        }
        elements(self.name(), &[self.len])?;
        let reach = self.expr.reach();
        if self.views.len() > MAX_INPUTS || reach.inputs > self.views.len() {
            return Err(self.error(format!(
                "the expression reads {} inputs, {} are given, {MAX_INPUTS} are possible",
                reach.inputs,
                self.views.len()
            )));
        }
        if self.params.len() > MAX_PARAMS || reach.params > self.params.len() {
            return Err(self.error(format!(
                "the expression reads {} parameter words, {} are given, {MAX_PARAMS} are possible",
                reach.params,
                self.params.len()
            )));
        }
        for (view, name) in self.views.iter().zip(NAMES) {
            let period = elements(self.name(), &[view.outer, view.repeat, view.inner])?;
            if period == 0 || !self.len.is_multiple_of(period) {
                return Err(self.error(format!(
                    "`{name}` seen as {view:?} does not repeat over {} elements",
                    self.len
                )));
            }
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        self.views
            .iter()
            .zip(NAMES)
            .map(|(view, name)| Arg::f32(name, view.len()))
            .collect()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.len)]
    }

    fn flops(&self) -> u64 {
        self.len as u64 * self.expr.operations()
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        for (i, y) in outputs[0].iter_mut().enumerate() {
            *y = self.expr.oracle(i, &self.params, &|input| {
                inputs[input][self.views[input].at(i)]
            });
        }
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::elementwise(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        &[RUNG]
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let mut params = vec![self.len as u32];
        for view in &self.views {
            params.extend([view.outer, view.repeat * view.inner, view.inner].map(|v| v as u32));
        }
        params.resize(HEADER, 1);
        params.extend(&self.params);
        let groups = limits.fold(self.len.div_ceil(64));
        let full: Vec<bool> = self
            .views
            .iter()
            .map(|view| view.len() == self.len)
            .collect();
        let mut pass = Pass::of(rung, self.views.len() + 1, params, groups);
        pass.name = format!("{} {} {full:?}", rung.name, self.expr).into();
        pass.source = wgsl::write(&self.expr, &full).into();
        Some(pass.into())
    }
}
