//! What can go wrong between a shape and its numbers.

/// Everything that a kernel, a buffer or a device can refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel's own shape or options make no sense.
    #[error("{kernel}: {message}")]
    Shape {
        /// Which kernel.
        kernel: &'static str,
        /// What is wrong, with the figures.
        message: String,
    },
    /// A buffer's length is not the one that the kernel's shape asks for.
    #[error("{kernel}: `{arg}` holds {found} elements, the shape asks for {expected}")]
    Length {
        /// Which kernel.
        kernel: &'static str,
        /// Which argument.
        arg: &'static str,
        /// What the shape asks for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// Too few or too many buffers.
    #[error("{kernel}: {found} {what} given, {expected} expected")]
    Arity {
        /// Which kernel.
        kernel: &'static str,
        /// `inputs` or `outputs`.
        what: &'static str,
        /// How many the kernel has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The same buffer as an output and as another argument.
    #[error("{kernel}: `{arg}` is given twice, and one of the two is written")]
    Aliased {
        /// Which kernel.
        kernel: &'static str,
        /// Which argument.
        arg: &'static str,
    },
    /// Buffers of two devices in one call.
    #[error("{operation}: a buffer lives on `{found}`, the call runs on `{expected}`")]
    WrongDevice {
        /// Kernel or transfer.
        operation: &'static str,
        /// The device that runs it.
        expected: String,
        /// The device of the buffer.
        found: String,
    },
    /// More elements than an index or a binding of this device can reach.
    #[error("{operation}: {bytes} bytes in one buffer, `{device}` allows {limit}")]
    TooLarge {
        /// Kernel or transfer.
        operation: &'static str,
        /// How much was asked for.
        bytes: u64,
        /// How much there may be.
        limit: u64,
        /// Whose limit.
        device: String,
    },
    /// The device has no memory left.
    #[error("out of memory on `{device}`: {bytes} bytes asked for, {in_use} in use")]
    OutOfMemory {
        /// Whose memory.
        device: String,
        /// How much was asked for.
        bytes: u64,
        /// How much our buffers hold already.
        in_use: u64,
    },
    /// The device went away (driver reset, unplugged, browser tab throttled).
    #[error("device `{device}` was lost: {reason}")]
    DeviceLost {
        /// Which.
        device: String,
        /// In the driver's words.
        reason: String,
    },
    /// No such device here.
    #[error("no device `{wanted}`: {reason}")]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// Why not, and what there is.
        reason: String,
    },
    /// No rung of that name, or none that serves this shape on this device.
    #[error("{kernel}: no rung `{rung}` for this shape on `{device}`")]
    NoRung {
        /// Which kernel.
        kernel: &'static str,
        /// Which rung.
        rung: String,
        /// On which device.
        device: String,
    },
    /// The driver refused a shader or a command: a bug, of ours or of the driver.
    #[error("`{device}` refused {operation}: {reason}")]
    Driver {
        /// Which device.
        device: String,
        /// What was being done.
        operation: String,
        /// In the driver's words.
        reason: String,
    },
}

/// Results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The number of elements of a shape, refused where 32-bit indices in WGSL would not reach it.
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
