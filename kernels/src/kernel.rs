//! Definition of a kernel: a shape with options, an oracle, and implementations.
//!
//! A kernel is a plain struct. Its public fields are its shape and options. Its implementation of [`Kernel`] gives a
//! definition ([`Kernel::oracle`]), a CPU implementation ([`Kernel::cpu`]) and a ladder of WGSL rungs
//! ([`Kernel::rungs`], [`Kernel::plan`]). Everything else (launching, tests, benches, tables) uses these.

use crate::error::{Error, Result};
use std::borrow::Cow;

/// Type of a buffer's 4-byte words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IEEE single precision.
    F32,
    /// Unsigned integers: class labels, positions of maxima.
    U32,
}

/// Argument: a buffer that a kernel reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// Name in errors, in the docs and of the WGSL binding.
    pub name: &'static str,
    /// Number of elements.
    pub len: usize,
    /// Type of the elements.
    pub kind: Kind,
    /// Whether an output's earlier contents are read (`p` of Adam).
    pub updated: bool,
}

impl Arg {
    /// Returns an argument of `len` floats.
    pub fn f32(name: &'static str, len: usize) -> Self {
        Arg {
            name,
            len,
            kind: Kind::F32,
            updated: false,
        }
    }

    /// Returns an argument of `len` unsigned integers.
    pub fn u32(name: &'static str, len: usize) -> Self {
        Arg {
            name,
            len,
            kind: Kind::U32,
            updated: false,
        }
    }

    /// Returns the output as one that is read before it is written.
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
    /// Text of the file.
    pub source: &'static str,
}

/// Rung from the file `NAME.wgsl` next to the caller.
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

/// Limits of a device that affect a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of workgroups along one dimension of the grid.
    pub groups_per_dimension: u32,
    /// Maximum bytes of `var<workgroup>`.
    pub workgroup_memory: u32,
    /// Maximum number of threads in a workgroup.
    pub threads_per_group: u32,
    /// Maximum bytes of a storage binding.
    pub binding_bytes: u64,
    /// Maximum loop iterations of one thread. Mesa's llvmpipe silently leaves a loop after 65 535 iterations, counted
    /// over all loops of the thread. A GPU whose thread runs for seconds is reset by its watchdog.
    pub iterations: usize,
    /// Matrix units, if requested and tested.
    pub cooperative: Option<Cooperative>,
}

/// Matrix units of an adapter, which multiply f16 and accumulate in f32: WGSL's cooperative matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooperative {
    /// Rows and columns of a block: 8 or 16.
    pub side: u32,
    /// Number of threads that contain at least four subgroups. Each subgroup multiplies its own blocks.
    pub threads: u32,
}

impl Cooperative {
    /// Rows and columns of a workgroup's tile.
    pub fn tile(self) -> usize {
        4 * self.side as usize
    }

    /// Work of a thread for a tile of sums over `depth`: loads and stores; and, with infinities or NaN, its sums one by
    /// one.
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
    /// Limits that every WebGPU device supports.
    pub const WEBGPU: Limits = Limits {
        groups_per_dimension: 65_535,
        workgroup_memory: 16_384,
        threads_per_group: 256,
        binding_bytes: 128 << 20,
        iterations: Limits::CARD_ITERATIONS,
        cooperative: None,
    };

    /// [`Limits::iterations`] of hardware: one or two seconds of dependent reads.
    pub const CARD_ITERATIONS: usize = 4 << 20;

    /// [`Limits::iterations`] of software adapters.
    pub const SOFTWARE_ITERATIONS: usize = 65_000;

    /// Returns a grid of `groups` workgroups, folded into y if one dimension cannot hold them.
    /// Shaders compute `id = group.y * num_workgroups.x + group.x` and return if `id` is past the end.
    pub fn fold(&self, groups: usize) -> [u32; 3] {
        let y = groups.div_ceil(self.groups_per_dimension as usize).max(1);
        [groups.div_ceil(y).max(1) as u32, y as u32, 1]
    }
}

/// One dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// Key of the pipeline, together with `constants`; a rung's name.
    pub name: Cow<'static, str>,
    /// WGSL text.
    pub source: Cow<'static, str>,
    /// `override` constants.
    pub constants: Vec<(&'static str, f64)>,
    /// Words of the uniform block at binding 0 (at most [`Pass::MAX_PARAMS`]).
    pub params: Vec<u32>,
    /// Buffers at bindings 1, 2, …: indices into inputs, then outputs, then scratch.
    pub bindings: Vec<usize>,
    /// Number of workgroups.
    pub groups: [u32; 3],
    /// Approximate number of loop iterations per thread, if it grows with the shape (see [`Limits::iterations`]).
    pub iterations: usize,
}

impl Pass {
    /// Maximum number of words in a uniform block.
    pub const MAX_PARAMS: usize = 64;

    /// Returns one dispatch of `rung` over all `args` buffers, in order.
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

    /// Returns the pass with so many loop iterations.
    pub fn looping(self, iterations: usize) -> Self {
        Pass { iterations, ..self }
    }

    /// Returns the pass with `override` constants.
    pub fn with(mut self, constants: &[(&'static str, f64)]) -> Self {
        self.constants = constants.to_vec();
        self
    }

    /// Returns the pass with one more `override` constant.
    pub fn and(mut self, name: &'static str, value: f64) -> Self {
        self.constants.push((name, value));
        self
    }

    /// Returns the pass with other bindings.
    pub fn over(mut self, bindings: &[usize]) -> Self {
        self.bindings = bindings.to_vec();
        self
    }
}

/// GPU plan of one launch: dispatches in order, and scratch buffers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Lengths of scratch buffers, in elements.
    pub scratch: Vec<usize>,
    /// Dispatches, in order.
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

/// An operation on buffers.
///
/// Inputs are bound `read`, outputs and scratch `read_write` in WGSL. Before the launch an output holds arbitrary
/// words, unless it is [`Arg::updated`]. The kernel writes every element of it.
pub trait Kernel: std::fmt::Debug + Send + Sync {
    /// Returns the kernel's name in errors, reports and rungs.
    fn name(&self) -> &'static str;

    /// Returns the kernel with half the batch (examples, clips or rows), rounded up; `None` if there is no batch, or it
    /// is 1.
    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        None
    }

    /// Validates shape and options. Called before anything else.
    fn check(&self) -> Result<()>;

    /// Returns the inputs, in order.
    fn inputs(&self) -> Vec<Arg>;

    /// Returns the outputs, in order.
    fn outputs(&self) -> Vec<Arg>;

    /// Returns the number of floating-point operations; a multiply-add counts as two.
    fn flops(&self) -> u64;

    /// Returns the fewest bytes that must be moved: every argument once, updated ones twice.
    fn bytes(&self) -> u64 {
        let words = |args: Vec<Arg>| -> u64 {
            args.iter()
                .map(|a| a.len as u64 * if a.updated { 2 } else { 1 })
                .sum()
        };
        4 * (words(self.inputs()) + words(self.outputs()))
    }

    /// Returns the number of terms per output element: the tolerance of tests grows with its root.
    fn reduction(&self) -> usize;

    /// Computes the definition, naively and in f64. Integers are passed as their values. `outputs` have the right
    /// lengths; they hold the earlier contents of updated outputs, and NaN elsewhere.
    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]);

    /// Runs the CPU implementation. Integers are passed as bit patterns ([`words`], [`words_mut`]).
    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]);

    /// Returns the ladder, from naive to fastest.
    fn rungs(&self) -> &'static [Rung];

    /// Returns the dispatches of `rung`, or `None` if it does not support this shape within these limits.
    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan>;

    /// Maps a random number in [-1, 1) to a value of the input `name`, for tests and benches. Integers are rounded
    /// down.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        unit
    }

    /// Makes random inputs consistent, if one restricts the values of another.
    fn arrange(&self, _inputs: &mut [Vec<f64>]) {}

    /// Returns an error of this kernel.
    fn error(&self, message: String) -> Error {
        Error::Shape {
            kernel: self.name(),
            message,
        }
    }
}

/// Returns half of a batch, rounded up; `None` if it is not larger than 1.
pub(crate) fn half(batch: usize) -> Option<usize> {
    (batch > 1).then(|| batch.div_ceil(2))
}

/// Returns a float buffer's words as integers.
pub fn words(floats: &[f32]) -> &[u32] {
    bytemuck::cast_slice(floats)
}

/// Returns a float buffer's words as mutable integers.
pub fn words_mut(floats: &mut [f32]) -> &mut [u32] {
    bytemuck::cast_slice_mut(floats)
}

/// Named shape of a kernel, for tests, benches and docs.
#[derive(Debug)]
pub struct Case {
    /// Name: short, and unique within the kernel.
    pub name: &'static str,
    /// Kernel with this shape.
    pub kernel: Box<dyn Kernel>,
    /// Purpose.
    pub role: Role,
}

/// Purpose of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A shape of the papers' networks: for benches; too large for the oracle.
    Bench,
    /// A small, odd or adversarial shape: compared with the oracle everywhere.
    Proof,
    /// A shape that [`Kernel::check`] must reject with a message that contains this text.
    Bad(&'static str),
}

impl Case {
    /// Returns a case for benches.
    pub fn bench(name: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Bench,
        }
    }

    /// Returns a case for proofs.
    pub fn proof(name: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Proof,
        }
    }

    /// Returns a case that must be rejected.
    pub fn bad(name: &'static str, message: &'static str, kernel: impl Kernel + 'static) -> Self {
        Case {
            name,
            kernel: Box::new(kernel),
            role: Role::Bad(message),
        }
    }
}
