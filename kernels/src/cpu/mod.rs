//! What CPU implementations share.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | threads and vector instructions |
//! | `aligned.rs` | vectors of numbers that begin where a cache line does |
//! | `gemm.rs` | the blocked matrix product under matmul and conv2d |
//! | `microkernel.rs` | its innermost loop, for AVX-512, AVX2 and anything else |
//! | `stream.rs` | writing past the caches, and reading ahead |
//! | `packed.rs` | a matrix packed once and multiplied by a few rows at a time |
//! | `tiles.rs` | windows that tile a plane |
//! | `transpose.rs` | blocks of numbers turned over in registers |
//! | `math.rs` | exp, tanh, … without branches, so that loops over them vectorise |

pub(crate) mod aligned;
pub(crate) mod gemm;
pub mod math;
pub(crate) mod microkernel;
pub(crate) mod packed;
pub(crate) mod stream;
pub(crate) mod tiles;
pub mod transpose;

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;

/// Number of threads of parallel loops.
pub fn threads() -> usize {
    #[cfg(feature = "threads")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    1
}

/// Sets the number of threads for the whole process; `false` if it was already fixed.
pub fn set_threads(_threads: usize) -> bool {
    #[cfg(feature = "threads")]
    return rayon::ThreadPoolBuilder::new()
        .num_threads(_threads)
        .build_global()
        .is_ok();
    #[cfg(not(feature = "threads"))]
    false
}

/// Runs `task(0)`, …, `task(count - 1)`, on several threads where there are any.
pub fn for_each(count: usize, task: impl Fn(usize) + Sync + Send) {
    // With one thread the caller does the work itself: handing it over and waiting costs more than a small task.
    #[cfg(feature = "threads")]
    if count > 1 && threads() > 1 {
        use rayon::prelude::*;
        return (0..count).into_par_iter().with_max_len(1).for_each(task);
    }
    (0..count).for_each(task);
}

/// Cuts `len` elements into pieces that are worth a thread each and runs `task` on their ranges. The pieces depend on
/// `len` and `grain` alone, never on the number of threads.
pub fn for_ranges(len: usize, grain: usize, task: impl Fn(Range<usize>) + Sync + Send) {
    let grain = grain.max(1);
    for_each(len.div_ceil(grain), |i| {
        task(i * grain..len.min((i + 1) * grain))
    });
}

/// Elements of cheap work that are worth handing to another thread.
pub const GRAIN: usize = 16 * 1024;

/// A slice that several tasks write in places that do not overlap.
pub struct Disjoint<'a, T = f32> {
    data: *mut T,
    len: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: `Disjoint::slice` passes the duty of not overlapping on to its caller.
unsafe impl<T: Send> Send for Disjoint<'_, T> {}
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    /// Shares a slice between tasks.
    pub fn new(data: &'a mut [T]) -> Self {
        Disjoint {
            data: data.as_mut_ptr(),
            len: data.len(),
            borrow: PhantomData,
        }
    }

    /// The part `range`.
    ///
    /// # Safety
    /// No two slices that live at the same time may overlap.
    ///
    /// # Panics
    /// If the range passes the end.
    #[allow(clippy::mut_from_ref)] // That is the purpose: see above.
    pub unsafe fn slice(&self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "{range:?} of {}",
            self.len
        );
        // SAFETY: in bounds; the caller sees to it that it overlaps no other.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(range.start), range.len()) }
    }
}

/// Asks for numbers some time before they are read, where a walk has steps that the processor does not foresee. Nothing
/// needs to be there.
#[inline(always)]
pub fn prefetch(from: *const f32, count: usize) {
    // A line of the cache holds 16.
    for i in (0..count).step_by(16) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every processor of this kind has the instruction, which no address makes fail.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(i).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = from.wrapping_add(i);
    }
}

/// The vector instructions that this processor has, as far as we use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Vector instructions that the target guarantees.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, VL, BW, DQ, and what AVX2 stands for.
    Avx512,
}

/// The best level of this processor; a lower one where the environment's `MELGRAD_LEVEL` is `portable` or `avx2`, so
/// that the slower ways can be tried on a processor that has the faster.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| match std::env::var("MELGRAD_LEVEL").as_deref() {
        Ok("portable") => Level::Portable,
        Ok("avx2") => detected().min(Level::Avx2),
        _ => detected(),
    })
}

fn detected() -> Level {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        return if wide { Level::Avx512 } else { Level::Avx2 };
    }
    Level::Portable
}

/// Defines functions whose loops are compiled once per [`Level`], and called at the best one.
#[macro_export]
#[doc(hidden)]
macro_rules! vectorized {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::cpu::level() {
                    // SAFETY: the processor has these instructions.
                    $crate::cpu::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    $crate::cpu::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::cpu::Level::Portable => {}
                }
            }
            body($($arg),*)
        }
    )*};
}
