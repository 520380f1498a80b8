//! What a kernel is: a shape with options, its definition, and its implementations.
//!
//! A kernel is a plain struct: its public fields are its shape and options, and implementing [`Kernel`] gives it
//! a definition ([`Kernel::oracle`]), a CPU implementation ([`Kernel::cpu`]) and a ladder of WGSL rungs
//! ([`Kernel::rungs`], [`Kernel::plan`]). Everything else (launching, tests, benches, tables) reads these.

use crate::error::{Error, Result};
use std::borrow::Cow;

/// What the 4-byte words of a buffer mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IEEE single precision.
    F32,
    /// Unsigned integers: class labels, positions of maxima.
    U32,
}

/// One buffer that a kernel reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// The name used in errors, in the docs and for the WGSL binding.
    pub name: &'static str,
    /// How many elements.
    pub len: usize,
    /// What they are.
    pub kind: Kind,
    /// Whether an output's earlier contents matter (`p` of Adam).
    pub updated: bool,
}

impl Arg {
    /// `len` floats.
    pub fn f32(name: &'static str, len: usize) -> Self {
        Arg {
            name,
            len,
            kind: Kind::F32,
            updated: false,
        }
    }

    /// `len` unsigned integers.
    pub fn u32(name: &'static str, len: usize) -> Self {
        Arg {
            name,
            len,
            kind: Kind::U32,
            updated: false,
        }
    }

    /// An output that is read before it is written.
    pub fn updated(self) -> Self {
        Arg {
            updated: true,
            ..self
        }
    }
}

/// One WGSL version of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// File stem, pipeline key, debug label, profiler row and bench id: `matmul_2_tiled`.
    pub name: &'static str,
    /// The file.
    pub source: &'static str,
}

/// A rung from the file `NAME.wgsl` beside the caller.
#[macro_export]
#[doc(hidden)]
macro_rules! rung {
    ($name:literal) => {
        $crate::kernel::Rung {
            name: $name,
            source: include_str!(concat!($name, ".wgsl")),
        }
    };
}

/// What a device allows, as far as a plan depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Workgroups along one dimension of the grid.
    pub groups_per_dimension: u32,
    /// Bytes of `var<workgroup>`.
    pub workgroup_memory: u32,
    /// Threads in one workgroup.
    pub threads_per_group: u32,
    /// Bytes in one storage binding.
    pub binding_bytes: u64,
    /// Iterations of loops that one thread may make. Mesa's llvmpipe leaves a loop after 65 535, all loops of the
    /// thread counted, and says nothing; a card whose thread runs for seconds is reset by its watchdog.
    pub iterations: usize,
    /// Matrix units, where they were asked for and stood their test.
    pub cooperative: Option<Cooperative>,
}

/// An adapter's matrix units, which multiply halves (f16) and sum in f32, as WGSL's cooperative matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooperative {
    /// Rows and columns of a block: 8 or 16.
    pub side: u32,
    /// Threads that surely make four subgroups, each of which multiplies blocks for itself.
    pub threads: u32,
}

impl Cooperative {
    /// Rows and columns of the tile that a workgroup computes.
    pub fn tile(self) -> usize {
        4 * self.side as usize
    }

    /// What a thread does for a tile of sums over `depth`: loads and stores; and, where infinities or NaN are about,
    /// its sums one by one.
    pub fn iterations(self, depth: usize) -> usize {
        let tile = self.tile();
        let each = (tile * tile).div_ceil(self.threads as usize);
        depth.div_ceil(tile / 4) * (each / 4 + 1) + each * (1 + depth)
    }

    /// A pass of a rung on these units: with its stage and threads, and its text, written for 8 × 8, for blocks of this side.
    pub fn pass(self, stage: f64, pass: Pass) -> Pass {
        let source = match self.side {
            8 => pass.source,
            side => pass
                .source
                .replace("coop_mat8x8", &format!("coop_mat{side}x{side}"))
                .replace("SIDE: u32 = 8;", &format!("SIDE: u32 = {side};"))
                .into(),
        };
        Pass { source, ..pass }
            .and("STAGE", stage)
            .and("THREADS", self.threads.into())
    }
}

impl Limits {
    /// What every WebGPU device gives.
    pub const WEBGPU: Limits = Limits {
        groups_per_dimension: 65_535,
        workgroup_memory: 16_384,
        threads_per_group: 256,
        binding_bytes: 128 << 20,
        iterations: Limits::CARD_ITERATIONS,
        cooperative: None,
    };

    /// [`Limits::iterations`] of hardware: a second or two of dependent reads.
    pub const CARD_ITERATIONS: usize = 4 << 20;

    /// [`Limits::iterations`] of software adapters.
    pub const SOFTWARE_ITERATIONS: usize = 65_000;

    /// `groups` workgroups as a grid, folded into y where one dimension does not hold them.
    /// Shaders number them `id = group.y * num_workgroups.x + group.x` and leave where `id` is past the end.
    pub fn fold(&self, groups: usize) -> [u32; 3] {
        let y = groups.div_ceil(self.groups_per_dimension as usize).max(1);
        [groups.div_ceil(y).max(1) as u32, y as u32, 1]
    }
}

/// One dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Names the pipeline together with `constants`; a rung's name.
    pub name: Cow<'static, str>,
    /// WGSL text.
    pub source: Cow<'static, str>,
    /// `override` constants.
    pub constants: Vec<(&'static str, f64)>,
    /// The words of the uniform block at binding 0 (at most [`Pass::MAX_PARAMS`]).
    pub params: Vec<u32>,
    /// What stands at bindings 1, 2, …: positions in inputs, then outputs, then scratch.
    pub bindings: Vec<usize>,
    /// Workgroups.
    pub groups: [u32; 3],
    /// About how many iterations of loops a thread makes, where that grows with the shape
    /// (see [`Limits::iterations`]).
    pub iterations: usize,
}

impl Pass {
    /// Words in a uniform block.
    pub const MAX_PARAMS: usize = 64;

    /// One dispatch of `rung` over all `args` buffers, in order.
    pub fn of(rung: &Rung, args: usize, params: Vec<u32>, groups: [u32; 3]) -> Self {
        Pass {
            name: rung.name.into(),
            source: rung.source.into(),
            constants: Vec::new(),
            params,
            bindings: (0..args).collect(),
            groups,
            iterations: 0,
        }
    }

    /// The same with loops of so many iterations.
    pub fn looping(self, iterations: usize) -> Self {
        Pass { iterations, ..self }
    }

    /// The same with `override` constants.
    pub fn with(mut self, constants: &[(&'static str, f64)]) -> Self {
        self.constants = constants.to_vec();
        self
    }

    /// The same with one `override` constant more.
    pub fn and(mut self, name: &'static str, value: f64) -> Self {
        self.constants.push((name, value));
        self
    }

    /// The same over other bindings.
    pub fn over(mut self, bindings: &[usize]) -> Self {
        self.bindings = bindings.to_vec();
        self
    }
}

/// What the GPU is to do for one launch: dispatches in order, and the scratch buffers between them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Lengths of scratch buffers, in elements.
    pub scratch: Vec<usize>,
    /// The dispatches.
    pub passes: Vec<Pass>,
}

impl From<Pass> for Plan {
    fn from(pass: Pass) -> Self {
        Plan {
            scratch: Vec::new(),
            passes: vec![pass],
        }
    }
}

/// One operation on buffers.
///
/// Inputs are bound `read`, outputs and scratch `read_write` in WGSL. An output holds arbitrary words before the
/// launch unless [`Arg::updated`], and every one of its elements is written.
pub trait Kernel: std::fmt::Debug + Send + Sync {
    /// The kernel's name, as errors, reports and rungs have it.
    fn name(&self) -> &'static str;

    /// The same with half the batch (examples, clips or rows), rounded up; `None` where it has no batch, or one of 1.
    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        None
    }

    /// Whether shape and options make sense. Called before anything else.
    fn check(&self) -> Result<()>;

    /// What is read, in order.
    fn inputs(&self) -> Vec<Arg>;

    /// What is written, in order.
    fn outputs(&self) -> Vec<Arg>;

    /// Floating-point operations, a multiply-add counted as two.
    fn flops(&self) -> u64;

    /// The fewest bytes that must be moved: every argument once, updated ones twice.
    fn bytes(&self) -> u64 {
        let words = |args: Vec<Arg>| -> u64 {
            args.iter()
                .map(|a| a.len as u64 * if a.updated { 2 } else { 1 })
                .sum()
        };
        4 * (words(self.inputs()) + words(self.outputs()))
    }

    /// How many terms one output element sums: the tolerance of tests grows with its root.
    fn reduction(&self) -> usize;

    /// The definition, naive and in f64. Integers travel as their values. `outputs` come with the right lengths,
    /// holding the earlier contents of updated ones and NaN elsewhere.
    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]);

    /// The CPU implementation. Integers travel as bit patterns ([`words`], [`words_mut`]).
    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]);

    /// The ladder, from naive to fastest.
    fn rungs(&self) -> &'static [Rung];

    /// The dispatches of `rung`, or `None` where it does not serve this shape within these limits.
    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan>;

    /// Values that inputs take in tests and benches: `name` and a random number in [-1, 1) to the value.
    /// Integers are rounded down.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        unit
    }

    /// Makes random inputs fit each other, where one restricts what another may hold.
    fn arrange(&self, _inputs: &mut [Vec<f64>]) {}

    /// An error for this kernel.
    fn error(&self, message: String) -> Error {
        Error::Shape {
            kernel: self.name(),
            message,
        }
    }
}

/// Half of a batch, rounded up; `None` of one that is not larger than 1.
pub(crate) fn half(batch: usize) -> Option<usize> {
    (batch > 1).then(|| batch.div_ceil(2))
}

/// A float buffer's words as integers.
pub fn words(floats: &[f32]) -> &[u32] {
    bytemuck::cast_slice(floats)
}

/// A float buffer's words as integers, to be written.
pub fn words_mut(floats: &mut [f32]) -> &mut [u32] {
    bytemuck::cast_slice_mut(floats)
}

/// One named shape of a kernel: used by tests, benches and docs alike.
#[derive(Debug)]
pub struct Case {
    /// Short and unique within the kernel.
    pub name: &'static str,
    /// The kernel with this shape.
    pub kernel: Box<dyn Kernel>,
    /// What it is for.
    pub role: Role,
}

/// What a case is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A shape of the papers' networks: benched; too large for the oracle.
    Bench,
    /// A small, odd or adversarial shape: held against the oracle everywhere.
    Proof,
    /// A shape that [`Kernel::check`] must refuse with a message that holds this text.
    Bad(&'static str),
}

impl Case {
    /// A case for benches.
    pub fn bench(name: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Bench,
        }
    }

    /// A case for proofs.
    pub fn proof(name: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Proof,
        }
    }

    /// A case that must be refused.
    pub fn bad(name: &'static str, message: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Bad(message),
        }
    }
}
