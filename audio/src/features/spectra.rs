//! STFT, mel and log-mel: spectra through a bank of filters, on any device.

use super::bank::FilterBank;
use super::cepstrum;
use super::definition::{Bank, Definition, Finish, How};
use super::kind::Axis;
use super::preset::Preset;
use super::settings::FeatureSettings;
use crate::error::{Error, Result};
use kernels::dct::Dct;
use kernels::mel::Mel;
use kernels::power_to_db::PowerToDb;
use kernels::stft::Stft;
use kernels::{Buffer, Device};
use std::cell::RefCell;
use std::sync::Arc;

pub(super) const STFT: Definition = Definition {
    bands: |settings| settings.n_fft / 2 + 1,
    axis: Axis::Hertz,
    how: How::Bank(Bank {
        // Filters of one weight each: they only turn the spectra so that frames come last.
        filters: |settings| FilterBank::identity(settings.n_fft / 2 + 1),
        finish: Finish::Bands,
    }),
    ..Definition::FRAMES
};

pub(super) const MEL: Definition = Definition {
    check: check_mel,
    bands: |settings| settings.n_mels,
    axis: Axis::Mel,
    how: How::Bank(Bank::MEL),
    ..Definition::FRAMES
};

pub(super) const LOGMEL: Definition = Definition {
    unit: "dB",
    how: How::Bank(Bank {
        finish: Finish::Decibels,
        ..Bank::MEL
    }),
    ..MEL
};

fn check_mel(settings: &FeatureSettings) -> Result<()> {
    let refuse = |message: String| Err(Error::Settings(message));
    let (low, high) = (settings.fmin, settings.highest());
    let nyquist = settings.sample_rate as f32 / 2.0;
    if !(low >= 0.0 && low < high && high <= nyquist) {
        return refuse(format!(
            "fmin {low} to fmax {high} Hz is no range between 0 and {nyquist} Hz"
        ));
    }
    let (n_mels, n_fft) = (settings.n_mels, settings.n_fft);
    if n_mels == 0 || n_mels > n_fft {
        return refuse(format!(
            "n_mels {n_mels} is not between 1 and n_fft {n_fft}"
        ));
    }
    Ok(())
}

/// Frames that go through the kernels at once. On a GPU many, with librosa's settings 16 MiB of spectra; on the CPU so
/// few for each thread that their spectra stay in its cache.
fn frames_at_once(device: &Device) -> usize {
    match device.is_gpu() {
        true => 4096,
        false => 128 * kernels::cpu::threads(),
    }
}

/// `[bands, frames]` of samples at the settings' rate.
pub(super) async fn compute(
    device: &Device,
    settings: &FeatureSettings,
    bank: &Bank,
    samples: &[f32],
) -> Result<Vec<f32>> {
    let pipeline = Pipeline::new(device, settings, bank)?;
    let mut values = pipeline.values(samples).await?;
    pipeline.polish(&mut values, settings.stft(samples.len()).frames());
    Ok(values)
}

/// What settings make of themselves before any sound is heard.
struct Constants {
    window: Vec<f32>,
    bank: FilterBank,
}

impl Constants {
    /// Those of a thread's last extraction are kept: clip after clip has the same settings, and cosines and filters
    /// are a
    /// fiftieth of the work of a short one.
    fn of(settings: &FeatureSettings, bank: &Bank) -> Arc<Self> {
        type Last = (
            FeatureSettings,
            fn(&FeatureSettings) -> FilterBank,
            Arc<Constants>,
        );
        thread_local! {
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }
        LAST.with_borrow_mut(|last| match last {
            Some((same, filters, constants))
                if same == settings && std::ptr::fn_addr_eq(*filters, bank.filters) =>
            {
                constants.clone()
            }
            _ => {
                let constants = Arc::new(Constants {
                    window: settings.window_f32(),
                    bank: (bank.filters)(settings),
                });
                *last = Some((settings.clone(), bank.filters, constants.clone()));
                constants
            }
        })
    }
}

/// The kernels of one extraction with their constant inputs.
pub(super) struct Pipeline {
    pub(super) device: Device,
    settings: FeatureSettings,
    constants: Arc<Constants>,
    window: Buffer,
    pub(super) finish: Finish,
    /// The bank's weights, and where each filter begins.
    filters: [Buffer; 2],
}

impl Pipeline {
    pub(super) fn new(device: &Device, settings: &FeatureSettings, bank: &Bank) -> Result<Self> {
        let finish = bank.finish;
        let constants = Constants::of(settings, bank);
        let filters = [
            device.upload(&constants.bank.weights)?,
            device.upload_u32(&constants.bank.first)?,
        ];
        Ok(Pipeline {
            device: device.clone(),
            settings: settings.clone(),
            window: device.upload(&constants.window)?,
            constants,
            finish,
            filters,
        })
    }

    /// `[bands, frames]` of a clip.
    async fn values(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let frames = self.settings.stft(samples.len()).frames();
        let (bands, at_once) = (
            self.constants.bank.first.len(),
            frames_at_once(&self.device),
        );
        if frames <= at_once {
            let bands = self.bands_of(samples, 0, frames)?;
            return Ok(self.finish(bands, 1, frames)?.read().await?);
        }
        // A long clip in pieces, so that its spectra need not fit the device. Decibels see the whole of it.
        let mut values = vec![0.0; bands * frames];
        for start in (0..frames).step_by(at_once) {
            let count = at_once.min(frames - start);
            let piece = self.bands_of(samples, start, count)?.read().await?;
            for (row, piece) in values
                .chunks_exact_mut(frames)
                .zip(piece.chunks_exact(count))
            {
                row[start..start + count].copy_from_slice(piece);
            }
        }
        if self.finish == Finish::Bands {
            return Ok(values);
        }
        let all = self.device.upload(&values)?;
        Ok(self.finish(all, 1, frames)?.read().await?)
    }

    /// What is left to do to every number by itself, after [`Pipeline::finish`].
    pub(super) fn polish(&self, values: &mut [f32], frames: usize) {
        if self.settings.preset == Preset::Htk && self.finish != Finish::Bands {
            // Natural logarithms of decibels' tenths.
            let scale = std::f32::consts::LN_10 / 10.0;
            values.iter_mut().for_each(|value| *value *= scale);
        }
        if self.finish == Finish::Cepstrum {
            cepstrum::lift(&self.settings, values, frames);
        }
    }

    /// `[bands, count]` of the frames from `start` on.
    pub(super) fn bands_of(&self, samples: &[f32], start: usize, count: usize) -> Result<Buffer> {
        let all = count == self.settings.stft(samples.len()).frames();
        let piece = match all {
            true => self.settings.whole(samples),
            false => self.settings.piece(samples, start, count),
        };
        let signal = self.device.upload(&piece.samples)?;
        Ok(self.bands(&piece.stft, &signal)?)
    }

    /// `[clips, bands, frames]` of signals `[clips, samples]`.
    pub(super) fn bands(&self, stft: &Stft, signals: &Buffer) -> Result<Buffer, kernels::Error> {
        let (clips, frames, bins) = (stft.clips, stft.frames(), stft.bins());
        let spectra = self.device.alloc(clips * frames * bins)?;
        self.device
            .launch(stft, &[signals, &self.window], &[&spectra])?;
        let bands = self.constants.bank.first.len();
        let mel = Mel {
            clips,
            frames,
            bins,
            bands,
            width: self.constants.bank.width,
        };
        let result = self.device.alloc(clips * bands * frames)?;
        self.device.launch(
            &mel,
            &[&spectra, &self.filters[0], &self.filters[1]],
            &[&result],
        )?;
        Ok(result)
    }

    /// What the kind wants of all bands and frames of some clips, but for [`Pipeline::polish`].
    pub(super) fn finish(
        &self,
        bands: Buffer,
        clips: usize,
        frames: usize,
    ) -> Result<Buffer, kernels::Error> {
        if self.finish == Finish::Bands {
            return Ok(bands);
        }
        let decibels = self.device.alloc(bands.len())?;
        let kernel = PowerToDb {
            clips,
            ..self.settings.power_to_db(bands.len() / clips)
        };
        self.device.launch(&kernel, &[&bands], &[&decibels])?;
        if self.finish == Finish::Decibels {
            return Ok(decibels);
        }
        let dct = Dct {
            outer: clips,
            ..cepstrum::dct(&self.settings, frames)
        };
        let cepstrum = self.device.alloc(clips * dct.kept * frames)?;
        self.device.launch(&dct, &[&decibels], &[&cepstrum])?;
        Ok(cepstrum)
    }
}
