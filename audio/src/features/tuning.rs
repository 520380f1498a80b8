//! How far the music's pitches lie from A = 440 Hz: `librosa.estimate_tuning`.
//!
//! Peaks of every spectrum between 150 and 4000 Hz and above a tenth of its maximum, placed by a parabola through three
//! bins; of those not quieter than the median, the commonest distance from the nearest pitch, in hundredths.

use super::sound::Sound;
use super::statistics::Statistic;
use super::yin::shift;
use kernels::stft::Spectrum;
use std::sync::Mutex;

const LOWEST_HZ: f64 = 150.0;
const HIGHEST_HZ: f64 = 4000.0;
const THRESHOLD: f32 = 0.1;
const STEPS: usize = 100;

/// From -0.5 to 0.5 of a pitch, of which an octave has `pitches`; 0 where nothing has a pitch. `spectrum` is what is
/// searched for peaks: powers for `chroma_stft`, magnitudes by themselves.
pub(super) fn estimate(sound: &Sound<'_>, spectrum: Spectrum, pitches: usize) -> f64 {
    let hz = sound.hz_per_bin();
    let highest = HIGHEST_HZ.min(f64::from(sound.settings.sample_rate) / 2.0);
    let found: Mutex<Vec<(f32, f32)>> = Mutex::default();
    sound.spectra(spectrum, |block| {
        let mut peaks = Vec::new();
        for (_, s) in block.frames() {
            let loudest = s.iter().copied().fold(0.0, f32::max);
            // What is not above the threshold counts as 0, also as a neighbour.
            let above = |bin: usize| match s[bin] > THRESHOLD * loudest {
                true => s[bin],
                false => 0.0,
            };
            for bin in 1..s.len() - 1 {
                let place = bin as f64 * hz;
                let peak = above(bin) > above(bin - 1) && above(bin) >= above(bin + 1);
                if peak && (LOWEST_HZ..highest).contains(&place) {
                    let (slope, shift) = ((s[bin + 1] - s[bin - 1]) / 2.0, shift(s, bin));
                    let pitch = (bin as f64 + f64::from(shift)) * hz;
                    peaks.push((pitch as f32, s[bin] + 0.5 * slope * shift));
                }
            }
        }
        let mut found = found
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        found.extend(peaks);
    });
    // Blocks end in any order, but neither a median nor a histogram asks for one.
    let found = found
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    commonest(&found, pitches)
}

/// Of pitches in Hz with their magnitudes.
fn commonest(found: &[(f32, f32)], pitches: usize) -> f64 {
    let magnitudes: Vec<f32> = found.iter().map(|(_, magnitude)| *magnitude).collect();
    let threshold = Statistic::Median.of(&magnitudes);
    let mut counts = [0usize; STEPS];
    for (pitch, _) in found
        .iter()
        .filter(|(_, magnitude)| *magnitude >= threshold)
    {
        let octaves = (pitch / 27.5).log2();
        let distance = (pitches as f32 * octaves).rem_euclid(1.0);
        let distance = match distance >= 0.5 {
            true => distance - 1.0,
            false => distance,
        };
        let step = ((f64::from(distance) + 0.5) * STEPS as f64) as usize;
        counts[step.min(STEPS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    match counts.iter().position(|count| *count == most) {
        Some(step) if most > 0 => step as f64 / STEPS as f64 - 0.5,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureSettings;
    use approx::abs_diff_eq;

    #[test]
    fn a_mistuned_tone_is_found_and_silence_is_in_tune() {
        let settings = FeatureSettings::default();
        let tuning = |cents: f64| {
            let hz = 440.0 * (cents / 1200.0).exp2();
            let sample = |n: usize| (std::f64::consts::TAU * hz * n as f64 / 22_050.0).sin();
            let samples: Vec<f32> = (0..22_050).map(|n| sample(n) as f32).collect();
            let sound = Sound {
                samples: &samples,
                settings: &settings,
            };
            estimate(&sound, Spectrum::Magnitude, 12)
        };
        for cents in [-40.0, -10.0, 0.0, 25.0] {
            let found = tuning(cents);
            assert!(
                abs_diff_eq!(found, cents / 100.0, epsilon = 0.03),
                "{cents}: {found}"
            );
        }
        let sound = Sound {
            samples: &[0.0; 5000],
            settings: &settings,
        };
        assert_eq!(estimate(&sound, Spectrum::Power, 12), 0.0);
    }
}
