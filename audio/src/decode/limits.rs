//! Limits of a file's contents.

use crate::error::{Error, Result};

/// Limits of a file's contents, so that no file can exhaust memory. Larger files are rejected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Maximum duration of a clip, in seconds.
    pub max_seconds: f64,
    /// Maximum samples per channel: 4 bytes of memory each.
    pub max_samples: u64,
    /// Maximum number of channels.
    pub max_channels: u16,
    /// Maximum size of a file, in bytes.
    pub max_bytes: u64,
    /// Lowest sample rate, in Hz.
    pub min_rate: u32,
    /// Highest sample rate, in Hz.
    pub max_rate: u32,
}

impl Default for Limits {
    /// One hour and 2²⁸ samples (1 GiB), 32 channels, files of 1 GiB, 1 kHz to 384 kHz.
    fn default() -> Self {
        Limits {
            max_seconds: 3600.0,
            max_samples: 1 << 28,
            max_channels: 32,
            max_bytes: 1 << 30,
            min_rate: 1000,
            max_rate: 384_000,
        }
    }
}

impl Limits {
    /// Returns limits for audio that is not held in memory: a day, 16 GiB.
    pub const LONG: Limits = Limits {
        max_seconds: 86_400.0,
        max_samples: u64::MAX,
        max_channels: 32,
        max_bytes: 16 << 30,
        min_rate: 1000,
        max_rate: 384_000,
    };

    pub(super) fn check_bytes(&self, name: &str, bytes: u64) -> Result<()> {
        self.refuse(bytes > self.max_bytes, name, "size", || {
            (
                format!("{bytes} bytes"),
                format!("{} bytes", self.max_bytes),
            )
        })
    }

    pub(super) fn check_rate(&self, name: &str, rate: u32) -> Result<()> {
        self.refuse(
            !(self.min_rate..=self.max_rate).contains(&rate),
            name,
            "sample rate",
            || {
                (
                    format!("{rate} Hz"),
                    format!("{} to {} Hz", self.min_rate, self.max_rate),
                )
            },
        )
    }

    pub(super) fn check_channels(&self, name: &str, channels: u32) -> Result<()> {
        self.refuse(
            channels > self.max_channels.into(),
            name,
            "number of channels",
            || (channels.to_string(), self.max_channels.to_string()),
        )
    }

    pub(super) fn check_length(&self, name: &str, samples: u64, rate: u32) -> Result<()> {
        let seconds = samples as f64 / f64::from(rate.max(1));
        self.refuse(seconds > self.max_seconds, name, "length", || {
            (
                format!("{seconds:.1} s"),
                format!("{:.1} s", self.max_seconds),
            )
        })?;
        self.refuse(samples > self.max_samples, name, "length", || {
            (
                format!("{samples} samples"),
                format!("{} samples", self.max_samples),
            )
        })
    }

    fn refuse(
        &self,
        refused: bool,
        name: &str,
        what: &'static str,
        say: impl Fn() -> (String, String),
    ) -> Result<()> {
        if !refused {
            return Ok(());
        }
        let (found, limit) = say();
        Err(Error::Limit {
            name: name.into(),
            what,
            found,
            limit,
        })
    }
}
