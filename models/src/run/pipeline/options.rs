//! Options of a training run.

use engine::Device;

use crate::base::control::Control;

/// Options of a training run: device, callbacks, and whether the test clips are evaluated.
pub(crate) struct Options<'a> {
    pub device: &'a Device,
    pub control: Control<'a>,
    pub profile: bool,
    /// Whether the test clips are evaluated.
    pub test: bool,
}

impl<'a> Options<'a> {
    pub fn new(profile: bool, device: &'a Device, control: Control<'a>) -> Self {
        Options {
            device,
            control,
            profile,
            test: true,
        }
    }
}
