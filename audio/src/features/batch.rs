//! Features of many clips of equal length at once. They stay on the device, for training. The values are those of
//! [`super::extract`].

use super::definition::How;
use super::definition::{Bank, Finish};
use super::preset::Preset;
use super::resize::weights;
use super::settings::FeatureSettings;
use super::spectra::Pipeline;
use crate::error::{Error, Result};
use kernels::stft::Stft;
use kernels::{Buffer, Device, Kernel};

/// Number of frames per launch: 16 MiB of spectra with librosa's settings.
const FRAMES: usize = 4096;

/// The most spectra of one clip, and the largest matrix that resizes them: 128 MiB, which every GPU binds.
const MOST: usize = 1 << 25;

/// Extracts the features of clips of equal length.
pub struct Extractor {
    pipeline: Pipeline,
    settings: FeatureSettings,
    samples: usize,
    /// Settings of one clip.
    stft: Stft,
}

impl Extractor {
    /// Creates an extractor for clips of so many samples, at least one, at the settings' rate.
    ///
    /// # Errors
    /// As [`Extractor::check`]; any error of the device.
    pub fn new(device: &Device, settings: &FeatureSettings, samples: usize) -> Result<Self> {
        let (bank, stft) = parts(settings, samples)?;
        Ok(Extractor {
            pipeline: Pipeline::new(device, settings, bank)?,
            settings: settings.clone(),
            samples,
            stft,
        })
    }

    /// Checks that such clips' features can be computed, and resized to `wanted` frames.
    ///
    /// # Errors
    /// [`Error::Settings`] where the settings make no sense, or want more than spectra through a bank of filters
    /// (stft, mel,
    /// logmel, mfcc): slopes, statistics, a lifter, HTK's logarithms; where a clip is too long.
    pub fn check(settings: &FeatureSettings, samples: usize, wanted: usize) -> Result<()> {
        let frames = parts(settings, samples)?.1.frames();
        match frames.saturating_mul(wanted) {
            _ if frames == wanted => Ok(()),
            1..=MOST => Ok(()),
            _ => {
                let what = format!("{frames} frames cannot become {wanted}");
                Err(many(settings, &what))
            }
        }
    }

    /// Returns the bands and frames of every clip.
    pub fn shape(&self) -> [usize; 2] {
        [self.settings.bands(), self.stft.frames()]
    }

    /// Returns [`crate::Features::resize_frames`] as a matrix `[frames, wanted]`, to multiply `[clips, bands, frames]`
    /// with.
    ///
    /// # Errors
    /// As [`Extractor::check`].
    pub fn resizing(&self, wanted: usize) -> Result<Vec<f32>> {
        Self::check(&self.settings, self.samples, wanted)?;
        let frames = self.stft.frames();
        let mut matrix = vec![0.0; frames * wanted];
        for (to, parts) in weights(frames, wanted).into_iter().enumerate() {
            // An outermost frame may come twice.
            parts
                .iter()
                .for_each(|(from, weight)| matrix[from * wanted + to] += weight);
        }
        Ok(matrix)
    }

    /// How many clips go through the kernels at once at most: at least one.
    pub fn at_once(&self) -> usize {
        (FRAMES / self.stft.frames()).max(1)
    }

    /// Computes features `[clips, bands, frames]` of contiguous clips. Nothing is copied to the host.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn extract(&self, clips: &[f32]) -> Result<Buffer, kernels::Error> {
        let each = clips.chunks_exact(self.samples);
        let stft = Stft {
            clips: each.len(),
            ..self.stft
        };
        let device = &self.pipeline.device;
        let signals = match self.settings.preset {
            Preset::Librosa => device.upload(clips)?,
            _ => {
                let laid_out = each.map(|clip| self.settings.whole(clip).samples);
                device.upload(&laid_out.collect::<Vec<_>>().concat())?
            }
        };
        let bands = self.pipeline.bands(&stft, &signals)?;
        self.pipeline.finish(bands, stft.clips, stft.frames())
    }
}

/// The bank of filters and the transform of one clip, where many can go at once.
fn parts(settings: &FeatureSettings, samples: usize) -> Result<(&'static Bank, Stft)> {
    settings.check()?;
    let How::Bank(bank) = &settings.kind.definition().how else {
        return Err(many(settings, "not spectra through a bank of filters"));
    };
    let htk = settings.preset == Preset::Htk;
    let refused = [
        (settings.deltas > 0, "deltas"),
        (!settings.statistics.is_empty(), "statistics"),
        (htk && bank.finish != Finish::Bands, "HTK's logarithms"),
        (
            settings.lifter > 0 && bank.finish == Finish::Cepstrum,
            "a lifter",
        ),
    ];
    if let Some((_, what)) = refused.into_iter().find(|(is, _)| *is) {
        return Err(many(settings, what));
    }
    let stft = settings.whole_stft(samples);
    stft.check()?;
    if stft.frames().saturating_mul(stft.bins()) > MOST {
        let (frames, bins) = (stft.frames(), stft.bins());
        return Err(many(
            settings,
            &format!("{frames} frames of {bins} frequencies"),
        ));
    }
    Ok((bank, stft))
}

impl std::fmt::Debug for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extractor")
            .field("settings", &self.settings)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

fn many(settings: &FeatureSettings, why: &str) -> Error {
    let kind = settings.kind;
    Error::Settings(format!("{kind} for many clips at once: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{Kind, extract};
    use crate::{Clip, Statistic};

    fn settings(kind: Kind, preset: Preset) -> FeatureSettings {
        FeatureSettings {
            kind,
            sample_rate: 8000,
            n_fft: 256,
            window: None,
            hop: 100,
            n_mels: 20,
            n_mfcc: 13,
            lifter: 0,
            fmax: None,
            ..FeatureSettings::of(preset)
        }
    }

    #[test]
    fn many_clips_have_the_features_of_each() {
        let device = Device::cpu();
        // Of very different loudness: decibels are below each clip's own loudest.
        let clip = |n: usize| -> Vec<f32> {
            let level = 0.5f32.powi(4 * n as i32);
            (0..3001)
                .map(|i| level * ((i * i * (n + 1)) as f32 * 1e-3).sin())
                .collect()
        };
        let clips: Vec<Vec<f32>> = (0..3).map(clip).collect();
        let kinds = [Kind::Stft, Kind::Mel, Kind::LogMel, Kind::Mfcc];
        for preset in [Preset::Librosa, Preset::Torchaudio] {
            for settings in kinds.map(|kind| settings(kind, preset)) {
                let extractor = Extractor::new(&device, &settings, 3001).unwrap();
                let before = device.counters();
                let all = extractor.extract(&clips.concat()).unwrap();
                assert_eq!((device.counters() - before).reads, 0);
                let all = kernels::block_on(all.read()).unwrap();
                let [bands, frames] = extractor.shape();
                for (own, samples) in all.chunks_exact(bands * frames).zip(&clips) {
                    let clip = Clip {
                        samples: samples.clone(),
                        sample_rate: 8000,
                    };
                    let expected = extract(&device, &settings, &clip).unwrap();
                    assert_eq!([expected.bands, expected.frames], [bands, frames]);
                    assert!(own == expected.values, "{preset} {}", settings.kind);
                }
            }
        }
    }

    #[test]
    fn what_is_not_computed_there_is_named() {
        let refused = |change: fn(&mut FeatureSettings)| {
            let mut settings = settings(Kind::LogMel, Preset::Librosa);
            change(&mut settings);
            let error = Extractor::new(&Device::cpu(), &settings, 30_001);
            error.unwrap_err().to_string()
        };
        for message in [
            refused(|s| s.kind = Kind::Chroma),
            refused(|s| s.deltas = 1),
            refused(|s| s.statistics = vec![Statistic::Mean]),
            refused(|s| s.preset = Preset::Htk),
            refused(|s| (s.kind, s.lifter) = (Kind::Mfcc, 22)),
            refused(|s| (s.n_fft, s.hop) = (65_536, 1)),
        ] {
            assert!(message.contains("many clips at once"), "{message}");
        }
        assert!(refused(|s| s.n_fft = 1).contains("n_fft 1"));
        let settings = FeatureSettings {
            hop: 1,
            ..settings(Kind::LogMel, Preset::Librosa)
        };
        let check = |wanted| Extractor::check(&settings, 10_000, wanted);
        check(10_001).unwrap();
        assert!(
            check(10_000)
                .unwrap_err()
                .to_string()
                .contains("10001 frames")
        );
        check(3000).unwrap();
        assert!(check(0).is_err());
    }
}
