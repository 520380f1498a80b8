//! The catalogue: every kernel, one line each.
//!
//! Tests, benches and tables walk it; a kernel that is not here does not exist.

use crate::kernel::Case;

/// Builds the cases of one kernel.
pub type Cases = fn() -> Vec<Case>;

/// Every kernel with its cases.
#[rustfmt::skip] // One line each.
pub const CATALOGUE: &[(&str, Cases)] = &[
    ("adam", crate::adam::cases::cases),
    ("avg_pool2d", crate::avg_pool2d::cases::cases),
    ("batch_norm", crate::batch_norm::cases::cases),
    ("batch_norm_pool", crate::batch_norm_pool::cases::cases),
    ("clip_norm", crate::clip_norm::cases::cases),
    ("conv2d", crate::conv2d::cases::cases),
    ("conv2d_pool", crate::conv2d_pool::cases::cases),
    ("dct", crate::dct::cases::cases),
    ("elementwise", crate::elementwise::cases::cases),
    ("gather", crate::gather::cases::cases),
    ("gru", crate::gru::cases::cases),
    ("istft", crate::istft::cases::cases),
    ("lstm", crate::lstm::cases::cases),
    ("local_response_norm", crate::local_response_norm::cases::cases),
    ("matmul", crate::matmul::cases::cases),
    ("max_pool2d", crate::max_pool2d::cases::cases),
    ("mel", crate::mel::cases::cases),
    ("peak", crate::peak::cases::cases),
    ("power_to_db", crate::power_to_db::cases::cases),
    ("rearrange", crate::rearrange::cases::cases),
    ("reduce", crate::reduce::cases::cases),
    ("resize2d", crate::resize2d::cases::cases),
    ("rmsprop", crate::rmsprop::cases::cases),
    ("sgd", crate::sgd::cases::cases),
    ("softmax", crate::softmax::cases::cases),
    ("softmax_cross_entropy", crate::softmax_cross_entropy::cases::cases),
    ("stft", crate::stft::cases::cases),
];
