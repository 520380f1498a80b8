//! How a run is trained.

use engine::Device;

use crate::base::control::Control;

/// How a run is trained: where, watched by whom, and whether its test clips are judged.
pub(crate) struct Options<'a> {
    pub device: &'a Device,
    pub control: Control<'a>,
    pub profile: bool,
    /// Whether the test clips are judged.
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
