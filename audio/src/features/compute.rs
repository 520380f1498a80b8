//! Feature extraction: [`extract`], on any device.

use super::definition::How;
use super::output::Features;
use super::settings::FeatureSettings;
use super::sound::{Sound, count};
use super::{deltas, spectra, statistics};
use crate::clip::Clip;
use crate::error::{Error, Result};
use crate::resample::resample_with;
use kernels::Device;
use std::borrow::Cow;
use std::task::{Context, Poll, Waker};

/// Extracts the features of a clip; resamples it first if its rate is not that of the settings.
///
/// # Errors
/// [`Error::Settings`] if the settings are invalid or the clip has no samples; [`Error::NotFinite`]; any error of the
/// device.
#[cfg(not(target_arch = "wasm32"))]
pub fn extract(device: &Device, settings: &FeatureSettings, clip: &Clip) -> Result<Features> {
    kernels::block_on(extract_async(device, settings, clip))
}

/// [`extract`] without blocking, for browsers.
///
/// # Errors
/// As [`extract`].
pub async fn extract_async(
    device: &Device,
    settings: &FeatureSettings,
    clip: &Clip,
) -> Result<Features> {
    settings.check()?;
    clip.check("clip")?;
    if clip.samples.is_empty() {
        return Err(Error::Settings("the clip holds no samples".into()));
    }
    let clip = match clip.sample_rate == settings.sample_rate {
        true => Cow::Borrowed(clip),
        false => Cow::Owned(resample_with(
            clip,
            settings.sample_rate,
            settings.preset.resampling(),
        )?),
    };
    let sound = Sound {
        samples: &clip.samples,
        settings,
    };
    sound.features_on(device, settings).await
}

impl Sound<'_> {
    /// Returns the features of these samples with any settings of the same rate.
    pub(super) async fn features_on(
        &self,
        device: &Device,
        settings: &FeatureSettings,
    ) -> Result<Features> {
        let (bands, frames) = settings.raw_size(self.samples.len());
        count(settings.kind, bands, frames)?;
        let values = match &settings.kind.definition().how {
            How::Bank(bank) => spectra::compute(device, settings, bank, self.samples).await?,
            How::Sound(compute) => compute(&Sound {
                samples: self.samples,
                settings,
            })?,
        };
        debug_assert_eq!(values.len(), bands * frames, "{}", settings.kind);
        let features = Features {
            bands,
            frames,
            values,
        };
        let features = deltas::append(features, settings)?;
        Ok(statistics::summarise(features, &settings.statistics))
    }

    /// [`Sound::features_on`] the CPU: what a kind that is made of others asks for.
    pub(super) fn features(&self, settings: &FeatureSettings) -> Result<Features> {
        settings.check()?;
        let device = Device::cpu();
        let mut future = std::pin::pin!(self.features_on(&device, settings));
        // On the CPU every kernel has run when its launch returns: there is nothing to wait for.
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(features) => features,
            Poll::Pending => Err(Error::Settings("the CPU was not ready".into())),
        }
    }
}
