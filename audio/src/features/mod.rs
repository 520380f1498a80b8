//! From clips to what a network sees.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`extract`]: a clip to [`Features`], on any device |
//! | `settings.rs` | [`FeatureSettings`]: which features, exactly |
//! | `bank.rs` | windows, the mel scale and its filters |
//! | `resize.rs` | [`Features::resize`]: to the size that a network wants |

mod bank;
mod resize;
mod settings;

pub use bank::{hz_to_mel, mel_to_hz};
pub use settings::{FeatureSettings, Kind, Preset};

use crate::clip::Clip;
use crate::error::{Error, Result};
use crate::resample::resample;
use bank::FilterBank;
use kernels::mel::Mel;
use kernels::stft::Stft;
use kernels::{Buffer, Device};
use std::borrow::Cow;

/// One clip as a picture: bands (frequency, lowest first) by frames (time).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Rows.
    pub bands: usize,
    /// Columns.
    pub frames: usize,
    /// Row-major, `[bands, frames]`.
    pub values: Vec<f32>,
}

/// Frames that go through the kernels at once. On a GPU many, with librosa's settings 16 MiB of spectra; on the CPU so
/// few for each thread that their spectra stay in its cache.
fn frames_at_once(device: &Device) -> usize {
    match device.is_gpu() {
        true => 4096,
        false => 128 * kernels::cpu::threads(),
    }
}

/// The features of a clip, resampled first where its rate is not that of the settings.
///
/// # Errors
/// [`Error::Settings`] where the settings make no sense or the clip holds no samples; [`Error::NotFinite`]; whatever
/// the device refuses.
#[cfg(not(target_arch = "wasm32"))]
pub fn extract(device: &Device, settings: &FeatureSettings, clip: &Clip) -> Result<Features> {
    kernels::block_on(extract_async(device, settings, clip))
}

/// [`extract`] without blocking, as a browser needs it.
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
        false => Cow::Owned(resample(clip, settings.sample_rate)?),
    };
    let pipeline = Pipeline::new(device, settings)?;
    let (bands, frames) = (settings.bands(), settings.frames(clip.samples.len()));
    let at_once = frames_at_once(device);
    if frames <= at_once {
        let values = pipeline
            .finish(pipeline.bands_of(&clip.samples, 0, frames)?)?
            .read()
            .await?;
        return Ok(Features {
            bands,
            frames,
            values,
        });
    }
    // A long clip in pieces, so that its spectra need not fit the device. Decibels see the whole of it.
    let mut values = vec![0.0; bands * frames];
    for start in (0..frames).step_by(at_once) {
        let count = at_once.min(frames - start);
        let piece = pipeline
            .bands_of(&clip.samples, start, count)?
            .read()
            .await?;
        for (row, piece) in values
            .chunks_exact_mut(frames)
            .zip(piece.chunks_exact(count))
        {
            row[start..start + count].copy_from_slice(piece);
        }
    }
    if settings.kind == Kind::LogMel {
        values = pipeline.finish(device.upload(&values)?)?.read().await?;
    }
    Ok(Features {
        bands,
        frames,
        values,
    })
}

/// The kernels of one extraction with their constant inputs.
struct Pipeline<'a> {
    device: &'a Device,
    settings: &'a FeatureSettings,
    window: Buffer,
    bank: FilterBank,
    /// The bank's weights, and where each filter begins.
    filters: [Buffer; 2],
}

impl<'a> Pipeline<'a> {
    fn new(device: &'a Device, settings: &'a FeatureSettings) -> Result<Self> {
        let bank = match settings.kind {
            // Filters of one weight each: they only turn the spectra so that frames come last.
            Kind::Stft => FilterBank::identity(settings.bands()),
            Kind::Mel | Kind::LogMel => FilterBank::mel(settings),
        };
        let filters = [
            device.upload(&bank.weights)?,
            device.upload_u32(&bank.first)?,
        ];
        Ok(Pipeline {
            device,
            settings,
            window: device.upload(&bank::hann(settings.n_fft))?,
            bank,
            filters,
        })
    }

    /// `[bands, count]` of the frames from `start` on.
    fn bands_of(&self, samples: &[f32], start: usize, count: usize) -> Result<Buffer> {
        let whole = self.settings.stft(samples.len());
        let (stft, signal) = if count == whole.frames() {
            (whole, self.device.upload(samples)?)
        } else {
            // The samples under these frames, with the zeros that stand before and after the clip.
            let len = (count - 1) * whole.hop + whole.n_fft;
            let from = start * whole.hop;
            let before = whole.pad().saturating_sub(from).min(len);
            let inside = samples.get((from + before).saturating_sub(whole.pad())..);
            let inside = inside.unwrap_or_default();
            let mut piece = vec![0.0; before];
            piece.extend(&inside[..inside.len().min(len - before)]);
            piece.resize(len, 0.0);
            (
                Stft {
                    samples: len,
                    centre: false,
                    ..whole
                },
                self.device.upload(&piece)?,
            )
        };
        let bins = stft.bins();
        let spectra = self.device.alloc(count * bins)?;
        self.device
            .launch(&stft, &[&signal, &self.window], &[&spectra])?;
        let bands = self.settings.bands();
        let mel = Mel {
            clips: 1,
            frames: count,
            bins,
            bands,
            width: self.bank.width,
        };
        let result = self.device.alloc(bands * count)?;
        self.device.launch(
            &mel,
            &[&spectra, &self.filters[0], &self.filters[1]],
            &[&result],
        )?;
        Ok(result)
    }

    /// Decibels of all bands and frames, where the settings ask for them.
    fn finish(&self, bands: Buffer) -> Result<Buffer> {
        if self.settings.kind != Kind::LogMel {
            return Ok(bands);
        }
        let result = self.device.alloc(bands.len())?;
        self.device.launch(
            &self.settings.power_to_db(bands.len()),
            &[&bands],
            &[&result],
        )?;
        Ok(result)
    }
}
