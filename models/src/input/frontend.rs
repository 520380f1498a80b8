//! What stands between a batch as it is read and the network.
//!
//! Usually features are computed ahead of a training, on the CPU, and kept: a batch then holds features, normalised as
//! they were read, and is uploaded as it is. With `training.extract = "device"` it holds sound, and STFT, mel bands,
//! decibels, resizing, normalisation and augmentation run on the device that trains, each time anew; nothing comes back to the host
//! between a sound's upload and the step. The model that is learnt is the same kind of file either way, and hears as all do.

use audio::features::Extractor;
use engine::{Device, Tensor, no_grad};

use crate::Error;
use crate::base::control::Control;
use crate::input::examples::{Batch, Clips, Examples};
use crate::input::{Fit, Input, Normalisation, Normalise, SMALLEST_DEVIATION};
use crate::training::settings::Extract;

/// Batches to the network's input.
#[derive(Debug)]
pub struct Frontend<'a> {
    device: Device,
    normalisation: &'a Normalisation,
    /// Where batches hold sound.
    sound: Option<Sound>,
}

/// From sound to normalised features.
#[derive(Debug)]
struct Sound {
    extractor: Extractor,
    /// Channels, bands and frames of the network's input.
    shape: [usize; 3],
    /// From the frames that there are to those that are wanted.
    resizing: Option<Tensor>,
    /// Means and deviations, `[1, parts, 1]`; none where nothing or each window by itself is normalised.
    figures: Option<[Tensor; 2]>,
}

impl<'a> Frontend<'a> {
    /// For batches of features, which this normalisation brings to scale.
    #[must_use]
    pub fn ahead(device: &Device, normalisation: &'a Normalisation) -> Self {
        Frontend {
            device: device.clone(),
            normalisation,
            sound: None,
        }
    }

    /// For batches as [`crate::input::features::prepare`] makes them of this input.
    ///
    /// # Errors
    /// [`Error::Setting`] for features that are not computed on a device; what the device refuses.
    pub fn new(
        device: &Device,
        extract: Extract,
        input: &Input,
        normalisation: &'a Normalisation,
    ) -> Result<Self, Error> {
        let own = Frontend::ahead(device, normalisation);
        if extract.is_ahead() {
            return Ok(own);
        }
        let extractor = Extractor::new(device, &input.features, input.window_samples()?);
        let extractor = extractor.map_err(refused)?;
        let figure = |values: &[f32]| Tensor::from_vec(device, values, [1, values.len(), 1]);
        let figures = match normalisation.mean.is_empty() {
            true => None,
            false => Some([
                figure(&normalisation.mean)?,
                figure(&normalisation.deviation)?,
            ]),
        };
        let (frames, wanted) = (extractor.shape()[1], input.frames);
        let resizing = match frames == wanted {
            true => None,
            false => {
                let matrix = extractor.resizing(wanted).map_err(refused)?;
                Some(Tensor::from_vec(device, &matrix, [frames, wanted])?)
            }
        };
        Ok(Frontend {
            sound: Some(Sound {
                extractor,
                resizing,
                shape: input.shape(),
                figures,
            }),
            ..own
        })
    }

    /// Whether [`Frontend::new`] can be made for [`Extract::Device`].
    ///
    /// # Errors
    /// [`Error::Setting`] where it can't.
    #[cfg(feature = "report")]
    pub(crate) fn check(input: &Input) -> Result<(), Error> {
        let samples = input.window_samples()?;
        Extractor::check(&input.features, samples, input.frames).map_err(refused)
    }

    /// By what examples are normalised as they are read.
    pub(crate) fn while_reading(&self) -> &'a Normalisation {
        match self.sound {
            Some(_) => Normalisation::NONE,
            None => self.normalisation,
        }
    }

    /// Rows and frames of an example, where they are not those of what is read.
    pub(crate) fn shape(&self) -> Option<[usize; 2]> {
        let shape = self.sound.as_ref().map(|sound| sound.shape);
        shape.map(|[channels, bands, frames]| [channels * bands, frames])
    }

    /// A batch as the network's input `[n, input…]`.
    ///
    /// # Errors
    /// What the device refuses.
    pub(crate) fn tensor(&self, batch: &Batch, input: &[usize]) -> engine::Result<Tensor> {
        let n = batch.targets.len();
        let shape = [&[n], input].concat();
        let Some(sound) = &self.sound else {
            return Tensor::from_vec(&self.device, &batch.values, shape);
        };
        no_grad(|| {
            let mut x = sound.features(&batch.values, n, self.normalisation.window)?;
            for change in &batch.changes {
                x = change.on_device(&x)?;
            }
            x.reshape(shape)
        })
    }
}

impl Sound {
    /// Features of `n` signals, `[n, rows, frames]`.
    fn features(&self, values: &[f32], n: usize, by_window: bool) -> engine::Result<Tensor> {
        let ([channels, bands, frames], own) = (self.shape, self.extractor.shape());
        let at_once = self.extractor.at_once();
        let len = (values.len() / n.max(1)).max(1);
        let parts = values.chunks(at_once * len).map(|signals| {
            let features = self.extractor.extract(signals)?;
            Tensor::from_buffer(features, [signals.len() / len, 1, own[0], own[1]])
        });
        let parts = parts.collect::<engine::Result<Vec<Tensor>>>()?;
        let mut x = match &parts[..] {
            [one] => one.clone(),
            many => Tensor::concat(&many.iter().collect::<Vec<_>>(), 0)?,
        };
        if let Some(resizing) = &self.resizing {
            let rows = x.reshape([n * bands, own[1]])?;
            x = rows.matmul(resizing)?.reshape([n, 1, bands, frames])?;
        }
        if channels > 1 {
            x = x.broadcast_to([n, channels, bands, frames])?;
        }
        let flat = |parts: usize| [n, parts, channels * bands * frames / parts];
        if by_window {
            let all = x.reshape([n, flat(1)[2]])?;
            let centred = all.sub(&all.mean(1)?.reshape([n, 1])?)?;
            let variance = centred.mul(&centred)?.mean(1)?.reshape([n, 1])?;
            let deviation = variance.map(|v| v.sqrt().max(SMALLEST_DEVIATION as f32))?;
            x = centred.div(&deviation)?;
        }
        if let Some([mean, deviation]) = &self.figures {
            let parts = x.reshape(flat(mean.elements()))?;
            x = parts.sub(mean)?.div(deviation)?;
        }
        x.reshape([n, channels * bands, frames])
    }
}

fn refused(error: audio::Error) -> Error {
    Error::setting("training.extract", error.to_string())
}

/// Fits a normalisation to the features of all windows of the chosen clips, `at_once` at a time, as they come out of
/// a front
/// end that does not normalise.
///
/// # Errors
/// What the device refuses; [`Error::Io`] where a file in the cache can no longer be read; [`Error::Stopped`].
pub fn fit(
    front: &Frontend<'_>,
    input: &Input,
    clips: Clips<'_>,
    chosen: &[usize],
    at_once: usize,
    control: Control<'_>,
) -> Result<Normalisation, Error> {
    let mut fit = Fit::new(input.normalise, input.rows());
    if matches!(input.normalise, Normalise::None | Normalise::Window) {
        return Ok(fit.finish());
    }
    let examples = Examples::new(clips, chosen, front.while_reading());
    let (mut batch, all) = (Batch::default(), (0..examples.len()).collect::<Vec<_>>());
    for some in all.chunks(at_once.max(1)) {
        control.check()?;
        examples.read(some.iter().copied(), &mut batch)?;
        if let Some(sound) = &front.sound {
            let features = no_grad(|| sound.features(&batch.values, some.len(), false))?;
            batch.values = features.to_vec()?;
        }
        let len = batch.values.len() / some.len();
        let windows = batch.values.chunks_exact(len.max(1));
        windows.for_each(|window| fit.add(window));
    }
    Ok(fit.finish())
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use super::*;
    use audio::{Clip, FeatureSettings, Kind, Preset};

    fn input(kind: Kind, preset: Preset, frames: usize) -> Input {
        Input {
            seconds: Some(0.5),
            picture_seconds: None,
            frames,
            channels: 1,
            columns: Vec::new(),
            normalise: Normalise::None,
            features: FeatureSettings {
                kind,
                sample_rate: 8000,
                n_fft: 256,
                window: None,
                hop: 100,
                n_mels: 20,
                n_mfcc: 13,
                ..FeatureSettings::of(preset)
            },
        }
    }

    fn clip() -> Clip {
        audio::synth::clip(3, 5, 2.2, 8000)
    }

    /// What the network sees, of features computed ahead and of sound.
    fn both(input: &Input, device: &Device) -> [Vec<f32>; 2] {
        let clip = clip();
        let ahead = input.windows(&Device::cpu(), &clip, "clip").unwrap();
        let sound = input.sound(&clip, "clip").unwrap();
        assert_eq!((ahead.windows, sound.windows), (4, 4));
        let normalisation = |windows: &crate::input::Windows, extract| {
            let clips = Clips {
                features: &[windows.clone().into()],
                targets: &[0],
            };
            let front = Frontend::new(device, extract, input, Normalisation::NONE).unwrap();
            fit(&front, input, clips, &[0], 3, Control::none()).unwrap()
        };
        let by = normalisation(&ahead, Extract::Ahead);
        let mut features = ahead.values.clone();
        features
            .chunks_exact_mut(ahead.window_len())
            .for_each(|window| by.apply(window));
        let by = normalisation(&sound, Extract::Device);
        let front = Frontend::new(device, Extract::Device, input, &by).unwrap();
        assert!(front.while_reading().mean.is_empty());
        let before = device.counters();
        let batch = Batch {
            values: sound.values,
            targets: vec![0; 4],
            ..Batch::default()
        };
        let x = front.tensor(&batch, &input.shape()).unwrap();
        assert_eq!((device.counters() - before).reads, 0, "no trip to the host");
        assert_eq!(
            x.shape()[..],
            [4, input.channels, input.bands(), input.frames]
        );
        [features, x.to_vec().unwrap()]
    }

    fn assert_close([ahead, device]: [Vec<f32>; 2], what: &str) {
        let scale = ahead.iter().fold(0f32, |a, b| a.max(b.abs()));
        let pairs = ahead.iter().zip(&device).map(|(a, b)| (a - b).abs());
        let worst = pairs.fold(0f32, f32::max) / scale;
        assert!(worst <= 1e-5, "{what}: {worst} of full scale");
    }

    #[test]
    fn features_computed_on_the_device_are_those_computed_ahead() {
        for kind in [Kind::Stft, Kind::Mel, Kind::LogMel, Kind::Mfcc] {
            for preset in [Preset::Librosa, Preset::Torchaudio] {
                // As they come, averaged and interpolated.
                for frames in [41, 16, 50] {
                    let input = input(kind, preset, frames);
                    assert_close(
                        both(&input, &Device::cpu()),
                        &format!("{kind} {preset} {frames}"),
                    );
                }
            }
        }
    }

    #[test]
    fn every_normalisation_runs_on_the_device() {
        for normalise in [Normalise::Global, Normalise::Band, Normalise::Window] {
            for channels in [1, 3] {
                let input = Input {
                    normalise,
                    channels,
                    ..input(Kind::LogMel, Preset::Librosa, 41)
                };
                assert_close(
                    both(&input, &Device::cpu()),
                    &format!("{normalise:?} {channels}"),
                );
            }
        }
    }

    #[test]
    #[cfg(feature = "gpu")]
    fn a_gpu_computes_what_the_cpu_does() {
        let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
        let input = Input {
            normalise: Normalise::Band,
            ..input(Kind::LogMel, Preset::Librosa, 30)
        };
        assert_close(both(&input, &gpu), "log-mel on a GPU");
    }

    #[test]
    fn what_the_device_cannot_is_named() {
        let refused = |change: fn(&mut Input)| {
            let mut input = input(Kind::LogMel, Preset::Librosa, 41);
            change(&mut input);
            Frontend::check(&input).unwrap_err().to_string()
        };
        assert!(refused(|i| i.seconds = None).contains("input.seconds"));
        assert!(refused(|i| i.seconds = Some(1e300)).contains("training.extract"));
        assert!(refused(|i| i.features.kind = Kind::Chroma).contains("chroma"));
        assert!(refused(|i| i.frames = usize::MAX).contains("training.extract"));
        let loud = Clip {
            samples: vec![f32::INFINITY; 3000],
            sample_rate: 8000,
        };
        let input = input(Kind::LogMel, Preset::Librosa, 41);
        let error = input.sound(&loud, "loud.wav").unwrap_err().to_string();
        assert!(error.contains("loud.wav"), "{error}");
    }
}
