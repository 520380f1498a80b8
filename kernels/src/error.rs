//! Errors of kernels, buffers and devices.

/// All errors of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel's shape or options are invalid.
    #[error("{kernel}: {message}")]
    Shape {
        /// Name of the kernel.
        kernel: &'static str,
        /// What is wrong, with the values.
        message: String,
    },
    /// A buffer's length is not that of the kernel's shape.
    #[error("{kernel}: `{arg}` holds {found} elements, the shape asks for {expected}")]
    Length {
        /// Name of the kernel.
        kernel: &'static str,
        /// Name of the argument.
        arg: &'static str,
        /// Length expected.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// Too few or too many buffers.
    #[error("{kernel}: {found} {what} given, {expected} expected")]
    Arity {
        /// Name of the kernel.
        kernel: &'static str,
        /// `inputs` or `outputs`.
        what: &'static str,
        /// Number expected.
        expected: usize,
        /// Number found.
        found: usize,
    },
    /// The same buffer is an output and another argument.
    #[error("{kernel}: `{arg}` is given twice, and one of the two is written")]
    Aliased {
        /// Name of the kernel.
        kernel: &'static str,
        /// Name of the argument.
        arg: &'static str,
    },
    /// Buffers of two devices in one call.
    #[error("{operation}: a buffer lives on `{found}`, the call runs on `{expected}`")]
    WrongDevice {
        /// Name of the kernel or transfer.
        operation: &'static str,
        /// Device that runs it.
        expected: String,
        /// Device of the buffer.
        found: String,
    },
    /// More elements than an index or a binding of this device can address.
    #[error("{operation}: {bytes} bytes in one buffer, `{device}` allows {limit}")]
    TooLarge {
        /// Name of the kernel or transfer.
        operation: &'static str,
        /// Amount requested.
        bytes: u64,
        /// Maximum amount.
        limit: u64,
        /// Device with this limit.
        device: String,
    },
    /// The device is out of memory.
    #[error("out of memory on `{device}`: {bytes} bytes asked for, {in_use} in use")]
    OutOfMemory {
        /// Name of the device.
        device: String,
        /// Amount requested.
        bytes: u64,
        /// Amount that our buffers already hold.
        in_use: u64,
    },
    /// The device was lost (driver reset, unplugged, browser tab throttled).
    #[error("device `{device}` was lost: {reason}")]
    DeviceLost {
        /// Name of the device.
        device: String,
        /// Message of the driver.
        reason: String,
    },
    /// There is no such device.
    #[error("no device `{wanted}`: {reason}")]
    NoDevice {
        /// Device requested.
        wanted: String,
        /// Cause, and the devices available.
        reason: String,
    },
    /// No rung has this name, or it does not support this shape on this device.
    #[error("{kernel}: no rung `{rung}` for this shape on `{device}`")]
    NoRung {
        /// Name of the kernel.
        kernel: &'static str,
        /// Name of the rung.
        rung: String,
        /// Name of the device.
        device: String,
    },
    /// The driver rejected a shader or a command: a bug in melgrad or in the driver.
    #[error("`{device}` refused {operation}: {reason}")]
    Driver {
        /// Name of the device.
        device: String,
        /// Operation that failed.
        operation: String,
        /// Message of the driver.
        reason: String,
    },
}

/// Result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Returns the number of elements of a shape; an error if 32-bit indices in WGSL cannot address them.
pub fn elements(kernel: &'static str, shape: &[usize]) -> Result<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d))
        .filter(|&n| n < 1 << 31)
        .ok_or_else(|| Error::Shape {
            kernel,
            message: format!("shape {shape:?} has more than 2^31 elements"),
        })
}
