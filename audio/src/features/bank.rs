//! The Hann window, and banks of filters.

use super::preset::Preset;
use super::settings::FeatureSettings;

/// The periodic Hann window, `½ - ½·cos(2πn / len)`.
pub(crate) fn hann(len: usize) -> Vec<f32> {
    let value = |n: usize| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / len as f64).cos();
    (0..len).map(|n| value(n) as f32).collect()
}

/// Filters as the kernel `mel` wants them: each a run of weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FilterBank {
    /// Weights of each filter; shorter ones have zeros behind them.
    pub(super) width: usize,
    /// `[bands, width]`.
    pub(super) weights: Vec<f32>,
    /// The bin of each filter's first weight.
    pub(super) first: Vec<u32>,
}

impl FilterBank {
    /// Every bin as it is.
    pub(super) fn identity(bins: usize) -> Self {
        FilterBank {
            width: 1,
            weights: vec![1.0; bins],
            first: (0..bins as u32).collect(),
        }
    }

    /// Number of filters without a weight.
    pub(super) fn empty(&self) -> usize {
        let filters = self.weights.chunks_exact(self.width.max(1));
        let empty = |filter: &&[f32]| filter.iter().all(|weight| *weight == 0.0);
        filters.filter(empty).count()
    }

    /// Triangles that overlap by half, evenly spaced on the preset's mel scale: librosa's of area 1 over frequency in
    /// Hz, the others of height 1, HTK's straight over mel and not over Hz. The settings have passed their check.
    pub(super) fn mel(settings: &FeatureSettings) -> Self {
        let bins = settings.n_fft / 2 + 1;
        let hz_per_bin = f64::from(settings.sample_rate) / settings.n_fft as f64;
        let preset = settings.preset;
        let (low, high) = (
            preset.hz_to_mel(settings.fmin.into()),
            preset.hz_to_mel(settings.highest().into()),
        );
        let step = (high - low) / (settings.n_mels + 1) as f64;
        let edge = |i: usize| preset.mel_to_hz(low + step * i as f64);

        let runs: Vec<(usize, Vec<f32>)> = (0..settings.n_mels)
            .map(|band| {
                let [left, peak, right] = [edge(band), edge(band + 1), edge(band + 2)];
                let first = ((left / hz_per_bin).floor() as usize).min(bins - 1);
                let last = ((right / hz_per_bin).ceil() as usize).min(bins - 1);
                let weight = |bin: usize| {
                    let hz = bin as f64 * hz_per_bin;
                    if preset == Preset::Htk {
                        let from = (preset.hz_to_mel(hz) - low) / step - band as f64;
                        return from.min(2.0 - from).max(0.0) as f32;
                    }
                    let rise = (hz - left) / (peak - left);
                    let fall = (right - hz) / (right - peak);
                    let height = match preset {
                        Preset::Librosa => 2.0 / (right - left),
                        _ => 1.0,
                    };
                    (rise.min(fall).max(0.0) * height) as f32
                };
                (first, (first..=last).map(weight).collect())
            })
            .collect();

        let width = runs.iter().map(|(_, run)| run.len()).max().unwrap_or(1);
        let mut bank = FilterBank {
            width,
            weights: vec![0.0; width * runs.len()],
            first: Vec::new(),
        };
        for ((first, run), weights) in runs.iter().zip(bank.weights.chunks_exact_mut(width)) {
            // A run that would pass the last bin begins earlier, behind as many zeros.
            let start = (*first).min(bins - width);
            weights[first - start..][..run.len()].copy_from_slice(run);
            bank.first.push(start as u32);
        }
        bank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_area_one_and_stay_within_the_bins() {
        for (sample_rate, n_fft, n_mels) in [
            (22_050, 2048, 128),
            (22_050, 4096, 40),
            (16_000, 400, 20),
            (8000, 33, 7),
        ] {
            let settings = FeatureSettings {
                sample_rate,
                n_fft,
                n_mels,
                ..FeatureSettings::default()
            };
            let bank = FilterBank::mel(&settings);
            assert_eq!(bank.first.len(), n_mels);
            assert!(
                bank.first
                    .iter()
                    .all(|&f| f as usize + bank.width <= n_fft / 2 + 1)
            );
            // Filters many bins wide sum up to their area.
            let last = &bank.weights[(n_mels - 1) * bank.width..];
            let area = last.iter().sum::<f32>() * sample_rate as f32 / n_fft as f32;
            assert!(
                (area - 1.0).abs() < 0.05 || bank.width < 20,
                "{n_fft}, {n_mels}: {area}"
            );
        }
    }

    #[test]
    fn the_window_is_periodic() {
        let window = hann(8);
        assert_eq!((window[0], window[4]), (0.0, 1.0));
        assert!((1..8).all(|n| (window[n] - window[8 - n]).abs() < 1e-7));
    }
}
