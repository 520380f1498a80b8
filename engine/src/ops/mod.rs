//! Operations on tensors: one file each, with the derivative in words above its code.
//!
//! | file | methods of [`Tensor`](crate::Tensor) |
//! | --- | --- |
//! | `elementwise.rs` | any expression over inputs that broadcast: [`elementwise`], `add`, `sub`, `mul`, `div`, … |
//! | `activation.rs` | `activation`, `relu`, `tanh`, …; the gradient before an activation that was fused |
//! | `dropout.rs` | `dropout` |
//! | `matmul.rs`, `linear.rs` | `matmul`, `linear` with bias and activation |
//! | `conv2d.rs` | `conv2d` with bias and activation, `conv2d_max_pool2d` |
//! | `conv2d_norm_pool.rs` | `conv2d_batch_norm_max_pool2d` |
//! | `max_pool2d.rs` | `max_pool2d`, `max` |
//! | `avg_pool2d.rs` | `avg_pool2d`, `global_avg_pool`, `global_max_pool` |
//! | `batch_norm.rs` | `batch_norm` with activation |
//! | `local_response_norm.rs` | `local_response_norm` |
//! | `rearrange.rs` | `permute`, `slice`, `pad`, `concat` |
//! | `gather.rs` | `index_select` |
//! | `dct.rs` | `dct` |
//! | `resize.rs` | `resize` |
//! | `recurrent.rs` | `gru`, `lstm` |
//! | `reduce.rs` | `sum`, `mean`, `sum_all`, `mean_all` |
//! | `reshape.rs` | `reshape`, `flatten` |
//! | `softmax.rs` | `softmax`, `log_softmax`, `cross_entropy` |
//!
//! An operation uses one kernel launch (concat one per part), keeps what its derivative needs, and gives the tape a
//! closure.

mod activation;
mod avg_pool2d;
mod batch_norm;
mod conv2d;
mod conv2d_norm_pool;
mod dct;
mod dropout;
mod elementwise;
mod gather;
mod linear;
mod local_response_norm;
mod matmul;
mod max_pool2d;
pub(crate) mod rearrange;
mod recurrent;
mod reduce;
mod reshape;
mod resize;
mod softmax;

pub use batch_norm::BatchNormOptions;
pub use conv2d::ConvOptions;
pub use conv2d_norm_pool::NormPool;
pub use elementwise::elementwise;
pub use kernels::Activation;
pub use kernels::elementwise::Expr;
pub use local_response_norm::LocalResponseNormOptions;
pub use max_pool2d::PoolOptions;
pub(crate) use recurrent::Cell;
pub use recurrent::{Direction, RecurrentOptions};
pub use resize::ResizeMode;
