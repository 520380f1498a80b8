//! Matrix product with transposes, bias and activation: `y = act(op(a) · op(b) + bias)`.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `a` | `[m, k]`, or `[k, m]` when `transpose_a` | in |
//! | `b` | `[k, n]`, or `[n, k]` when `transpose_b` | in |
//! | `bias` | `[n]`, when `bias` | in |
//! | `y` | `[m, n]` | out |
//!
//! FLOPs: 2·m·n·k. A Linear layer is `a` = batch × in, `b` = its weight `[out, in]` transposed.

pub mod cases;
mod cpu;
mod oracle;

use crate::activation::Activation;
use crate::conv2d::plan::WORKGROUPS;
use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// `y[m, n] = act(op(a) · op(b) + bias)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matmul {
    /// Rows of `y`.
    pub m: usize,
    /// Columns of `y`.
    pub n: usize,
    /// Length of the sums.
    pub k: usize,
    /// Whether `a` is stored as `[k, m]`.
    pub transpose_a: bool,
    /// Whether `b` is stored as `[n, k]`.
    pub transpose_b: bool,
    /// Whether a bias `[n]` is added.
    pub bias: bool,
    /// Activation applied to each sum.
    pub activation: Activation,
}

impl Matmul {
    /// `a[m, k] · b[k, n]`, nothing else.
    pub fn new(m: usize, n: usize, k: usize) -> Self {
        Matmul {
            m,
            n,
            k,
            transpose_a: false,
            transpose_b: false,
            bias: false,
            activation: Activation::None,
        }
    }

    /// With either factor lying transposed in memory.
    pub fn transposed(self, a: bool, b: bool) -> Self {
        Matmul {
            transpose_a: a,
            transpose_b: b,
            ..self
        }
    }

    /// With a bias for each column and an activation.
    pub fn with(self, bias: bool, activation: Activation) -> Self {
        Matmul {
            bias,
            activation,
            ..self
        }
    }

    /// Steps of (row, k) in `a` and of (column, k) in `b`.
    fn strides(&self) -> [usize; 4] {
        let (row, a_k) = if self.transpose_a {
            (1, self.m)
        } else {
            (self.k, 1)
        };
        let (column, b_k) = if self.transpose_b {
            (self.k, 1)
        } else {
            (1, self.n)
        };
        [row, a_k, column, b_k]
    }
}

impl Kernel for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let m = half(self.m)?;
        Some(Box::new(Matmul { m, ..*self }))
    }

    fn check(&self) -> Result<()> {
        if self.m == 0 || self.n == 0 || self.k == 0 {
            return Err(self.error(format!(
                "{}×{}×{} has an empty side",
                self.m, self.n, self.k
            )));
        }
        for shape in [[self.m, self.k], [self.k, self.n], [self.m, self.n]] {
            elements(self.name(), &shape)?;
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        let mut args = vec![
            Arg::f32("a", self.m * self.k),
            Arg::f32("b", self.k * self.n),
        ];
        args.extend(self.bias.then(|| Arg::f32("bias", self.n)));
        args
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.m * self.n)]
    }

    fn flops(&self) -> u64 {
        2 * self.m as u64 * self.n as u64 * self.k as u64
    }

    fn reduction(&self) -> usize {
        self.k
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::matmul(self, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::matmul(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("matmul_1_naive"),
                rung!("matmul_2_tiled"),
                rung!("matmul_3_register"),
                rung!("matmul_4_split"),
                rung!("matmul_5_cooperative"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let [row, a_k, column, b_k] = self.strides();
        let params = [self.m, self.n, self.k, row, a_k, column, b_k]
            .map(|v| v as u32)
            .to_vec();
        let tiles = |tile: usize| self.m.div_ceil(tile) * self.n.div_ceil(tile);
        let (groups, iterations) = match rung.name {
            "matmul_1_naive" => ((self.m * self.n).div_ceil(64), self.k),
            "matmul_2_tiled" => (tiles(16), self.k.div_ceil(16) * 17),
            "matmul_3_register" => (tiles(64), self.k.div_ceil(16) * 5),
            "matmul_4_split" => return self.split(rung, params, tiles(64), limits),
            _ => return self.cooperative(rung, params, limits),
        };
        let pass = Pass::of(rung, 4, params, limits.fold(groups));
        Some(self.pass(pass).looping(iterations).into())
    }
}

impl Matmul {
    /// The constants and bindings that all rungs have.
    fn pass(&self, pass: Pass) -> Pass {
        // Without a bias something must still stand at its binding: `a` does, and is not read.
        let bias = if self.bias { 2 } else { 0 };
        let y = self.inputs().len();
        let bindings = [0, 1, bias, y, y + 1];
        let count = pass.bindings.len();
        pass.over(&bindings[..count]).with(&[
            ("BIAS", f64::from(u8::from(self.bias))),
            ("ACTIVATION", self.activation.code()),
        ])
    }

    /// The fewest summed indices that are worth a workgroup.
    const PART: usize = 256;

    /// The two passes over parts of k, where whole sums would leave most workgroups without work.
    fn split(&self, rung: &Rung, params: Vec<u32>, tiles: usize, limits: &Limits) -> Option<Plan> {
        let wanted = (WORKGROUPS / tiles.max(1)).min(self.k / Self::PART);
        if wanted < 2 {
            return None;
        }
        let depth = self.k.div_ceil(wanted).next_multiple_of(16);
        let parts = self.k.div_ceil(depth);
        let params = [params, vec![parts as u32, depth as u32]].concat();
        let len = self.m * self.n;
        let pass = |stage, groups, iterations| {
            let pass = Pass::of(rung, 5, params.clone(), limits.fold(groups));
            self.pass(pass).looping(iterations).and("STAGE", stage)
        };
        Some(Plan {
            scratch: vec![parts * len],
            passes: vec![
                pass(0.0, tiles * parts, depth / 16 * 5),
                pass(1.0, len.div_ceil(256), parts),
            ],
        })
    }

    /// The exponents of rows and columns, then products in the adapter's matrix units.
    fn cooperative(&self, rung: &Rung, params: Vec<u32>, limits: &Limits) -> Option<Plan> {
        let units = limits.cooperative?;
        let (tile, threads) = (units.tile(), units.threads as usize);
        let pass = |stage, groups, iterations| {
            let pass = Pass::of(rung, 5, params.clone(), limits.fold(groups));
            units.pass(stage, self.pass(pass).looping(iterations))
        };
        let tiles = self.m.div_ceil(tile) * self.n.div_ceil(tile);
        Some(Plan {
            scratch: vec![self.m + self.n],
            passes: vec![
                pass(0.0, self.m + self.n, self.k.div_ceil(threads)),
                pass(1.0, tiles, units.iterations(self.k)),
            ],
        })
    }
}
