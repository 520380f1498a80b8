//! Chroma: how much of each spectrum's power lies at each of the twelve pitch classes, from C on; the largest is 1.
//!
//! `librosa.feature.chroma_stft` at its defaults: the tuning is estimated from the clip, each frequency counts for the
//! classes near it under a Gaussian (Ellis 2007) and by its distance from the fifth octave.

use super::definition::{Definition, How};
use super::harmony::CLASSES;
use super::kind::Axis;
use super::settings::FeatureSettings;
use super::tuning;
use kernels::stft::Spectrum;

pub(super) const CHROMA: Definition = Definition {
    bands: |_| CLASSES,
    axis: Axis::PitchClass,
    how: How::Sound(|sound| {
        let tuning = tuning::estimate(sound, Spectrum::Power, CLASSES);
        let filters = filters(sound.settings, tuning);
        Ok(
            sound.per_spectrum(Spectrum::Power, CLASSES, |powers, chroma| {
                project(powers, &filters, chroma)
            }),
        )
    }),
    ..Definition::FRAMES
};

/// The octave, counted from A0 = 27.5 Hz, that counts most, and the deviation of the bell around it.
const CENTRE: f64 = 5.0;
const WIDTH: f64 = 2.0;

/// What each bin counts for each class: `librosa.filters.chroma`.
fn filters(settings: &FeatureSettings, tuning: f64) -> Vec<[f32; CLASSES]> {
    let (bins, n) = (settings.n_fft / 2 + 1, CLASSES as f64);
    let hz = f64::from(settings.sample_rate) / settings.n_fft as f64;
    let a0 = 27.5 * (tuning / n).exp2();
    // In semitones above A0; the bin of 0 Hz counts as one and a half octaves below the next.
    let pitch = |bin: usize| match bin {
        0 => n * (hz / a0).log2() - 1.5 * n,
        _ => n * (bin as f64 * hz / a0).log2(),
    };
    (0..bins)
        .map(|bin| {
            let width = match bin + 1 == settings.n_fft {
                true => 1.0,
                false => (pitch(bin + 1) - pitch(bin)).max(1.0),
            };
            let octave = pitch(bin) / n;
            let bump = |class: usize| {
                // Class 0 is C, three semitones above A.
                let from = pitch(bin) - ((class + 3) % CLASSES) as f64;
                let distance = (from + 10.5 * n).rem_euclid(n) - n / 2.0;
                (-0.5 * (2.0 * distance / width).powi(2)).exp()
            };
            let bumps: [f64; CLASSES] = std::array::from_fn(bump);
            let length = bumps.iter().map(|b| b * b).sum::<f64>().sqrt();
            let weight = (-0.5 * ((octave - CENTRE) / WIDTH).powi(2)).exp() / length;
            bumps.map(|b| (b * weight) as f32)
        })
        .collect()
}

fn project(powers: &[f32], filters: &[[f32; CLASSES]], chroma: &mut [f32]) {
    let mut sums = [0.0f32; CLASSES];
    for (power, filter) in powers.iter().zip(filters) {
        for (sum, weight) in sums.iter_mut().zip(filter) {
            *sum += power * weight;
        }
    }
    let largest = sums.iter().copied().fold(0.0, f32::max);
    let largest = match largest < f32::MIN_POSITIVE {
        true => 1.0,
        false => largest,
    };
    for (chroma, sum) in chroma.iter_mut().zip(sums) {
        *chroma = sum / largest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_tone_falls_into_its_class() {
        let settings = FeatureSettings {
            n_fft: 8192,
            ..FeatureSettings::default()
        };
        let filters = filters(&settings, 0.0);
        let hz = 22_050.0 / 8192.0;
        for (tone, class) in [(261.63f64, 0), (440.0, 9), (987.77, 11), (1108.73, 1)] {
            let filter = filters[(tone / hz).round() as usize];
            let most = filter.iter().copied().fold(0.0, f32::max);
            assert_eq!(filter[class], most, "{tone} Hz");
        }
    }
}
