//! Resampling: frequency, amplitude and position hold; what the new rate cannot carry is gone.

use approx::abs_diff_eq;
use audio::{Clip, Filter, Resampler, resample, resample_with};
use proptest::prelude::*;
use std::f64::consts::TAU;

fn sine(hz: f64, rate: u32, seconds: f64) -> Clip {
    let len = (seconds * f64::from(rate)) as usize;
    let samples = (0..len)
        .map(|n| (0.5 * (TAU * hz * n as f64 / f64::from(rate)).sin()) as f32)
        .collect();
    Clip {
        samples,
        sample_rate: rate,
    }
}

/// The root mean square over the middle half, away from the ends that the filter smears.
fn level(samples: &[f32]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    (middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / middle.len() as f64).sqrt()
}

const RATES: [(u32, u32); 10] = [
    (44_100, 22_050),
    (48_000, 22_050),
    (22_050, 44_100),
    (8_000, 22_050),
    (192_000, 22_050),
    (44_100, 16_000),
    (11_025, 22_050),
    (44_101, 22_050), // no small fraction
    (22_050, 22_049),
    (384_000, 8_000),
];

#[test]
fn a_sine_keeps_frequency_amplitude_and_phase() {
    for (from, to) in RATES {
        for share in [0.05, 0.4, 0.8] {
            let hz = share * f64::from(from.min(to)) / 2.0;
            let result = resample(&sine(hz, from, 0.5), to).unwrap();
            assert_eq!(result.sample_rate, to);
            let expected = sine(hz, to, 0.5);
            // Against the same sine sampled at the new rate: any change of pitch, level or position shows.
            let n = result.samples.len().min(expected.samples.len());
            let difference: Vec<f32> = result.samples[..n]
                .iter()
                .zip(&expected.samples[..n])
                .map(|(a, b)| a - b)
                .collect();
            let error = level(&difference) / level(&expected.samples);
            assert!(
                error < 2e-3,
                "{from} to {to} Hz, {hz:.0} Hz: relative error {error:.2e}"
            );
        }
    }
}

#[test]
fn what_lies_above_the_new_nyquist_is_gone() {
    for (from, to) in RATES.into_iter().filter(|(from, to)| *from > to + to / 10) {
        for factor in [1.02, 1.2, 1.6] {
            let hz = factor * f64::from(to) / 2.0;
            if hz < 0.49 * f64::from(from) {
                let result = resample(&sine(hz, from, 0.5), to).unwrap();
                let db =
                    20.0 * (level(&result.samples) / level(&sine(hz, from, 0.5).samples)).log10();
                assert!(
                    db < -80.0,
                    "{from} to {to} Hz: {hz:.0} Hz comes through at {db:.1} dB"
                );
            }
        }
    }
}

#[test]
fn an_onset_stays_where_it_is() {
    for (from, to) in RATES {
        // A smooth bump, 10 ms wide, at 0.2 s.
        let bump = |n: usize, rate: u32| {
            (-((n as f64 / f64::from(rate) - 0.2) / 0.005).powi(2)).exp() as f32
        };
        let clip = Clip {
            samples: (0..from as usize / 2).map(|n| bump(n, from)).collect(),
            sample_rate: from,
        };
        let result = resample(&clip, to).unwrap();
        let worst = result
            .samples
            .iter()
            .enumerate()
            .map(|(n, s)| (s - bump(n, to)).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-3, "{from} to {to} Hz: off by {worst}");
    }
}

#[test]
fn the_first_and_last_samples_are_kept() {
    let ones = Clip {
        samples: vec![1.0; 4410],
        sample_rate: 44_100,
    };
    let result = resample(&ones, 22_050).unwrap();
    assert_eq!(result.samples.len(), 2205);
    // A step from silence to 1 passes the first sample at about a half, and overshoots by Gibbs' 9 % at most.
    assert!(
        result.samples[0] > 0.4 && result.samples.iter().all(|s| s.abs() < 1.1),
        "{:?}",
        &result.samples[..4]
    );
    let result = resample(
        &Clip {
            samples: vec![1.0],
            sample_rate: 8_000,
        },
        22_050,
    )
    .unwrap();
    assert_eq!(result.samples.len(), 3);
    assert!(
        abs_diff_eq!(result.samples[0], 1.0, epsilon = 0.2),
        "{:?}",
        result.samples
    );
}

#[test]
fn impossible_rates_are_refused() {
    let clip = |rate| Clip {
        samples: vec![0.0; 10],
        sample_rate: rate,
    };
    for (from, to) in [
        (0, 22_050),
        (22_050, 0),
        (22_050, u32::MAX),
        (u32::MAX, 22_050),
    ] {
        let message = resample(&clip(from), to).unwrap_err().to_string();
        assert!(
            message.contains(&format!("from {from} Hz to {to} Hz")),
            "{message}"
        );
    }
    assert_eq!(resample(&clip(7), 7).unwrap(), clip(7));
    assert!(
        resample(
            &Clip {
                samples: vec![],
                sample_rate: 8000
            },
            22_050
        )
        .unwrap()
        .samples
        .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_length_is_the_ceiling_of_the_ratio(from in 1000u32..60_000, to in 1000u32..60_000, len in 0usize..3000) {
        let clip = Clip { samples: vec![0.25; len], sample_rate: from };
        let result = resample(&clip, to).unwrap();
        let expected = (len as u64 * u64::from(to)).div_ceil(u64::from(from)) as usize;
        prop_assert_eq!(result.samples.len(), expected);
        prop_assert!(result.samples.iter().all(|s| s.is_finite() && s.abs() < 0.5));
    }
}

#[test]
fn sound_in_pieces_gives_the_same_numbers() {
    for (from, to) in RATES {
        let sound = sine(440.0, from, 0.7);
        let whole = resample(&sound, to).unwrap().samples;
        for piece in [1000, 7777] {
            let mut resampler = Resampler::new(from, to).unwrap();
            let mut samples = Vec::new();
            for piece in sound.samples.chunks(piece) {
                resampler.push(piece, &mut samples);
            }
            resampler.finish(&mut samples);
            assert!(samples == whole, "{from} to {to} Hz in pieces of {piece}");
        }
    }
}

#[derive(serde::Deserialize)]
struct Goldens {
    every: usize,
    cases: Vec<Golden>,
}

#[derive(serde::Deserialize)]
struct Golden {
    filter: String,
    from: u32,
    to: u32,
    samples: usize,
    length: usize,
    values: Vec<f32>,
}

/// Sample for sample what make_resample.py makes.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let sample = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 65_536.0 - 0.5
    };
    (0..count).map(sample).collect()
}

#[test]
fn noise_is_resampled_as_librosa_and_torchaudio_do() {
    let goldens: Goldens = serde_json::from_str(include_str!("goldens/resample.json")).unwrap();
    assert_eq!(goldens.cases.len(), 28);
    for case in goldens.cases {
        let filter = match case.filter.as_str() {
            "Soxr" => Filter::Soxr,
            _ => Filter::Torchaudio,
        };
        let clip = Clip {
            samples: noise(case.samples),
            sample_rate: case.from,
        };
        let what = format!("{:?}, {} to {} Hz", filter, case.from, case.to);
        let result = resample_with(&clip, case.to, filter).unwrap().samples;
        assert_eq!(result.len(), case.length, "{what}");
        let ours = result.iter().step_by(goldens.every);
        assert_eq!(ours.len(), case.values.len(), "{what}");
        let worst = ours
            .zip(&case.values)
            .fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
        // Of 96 kHz, the first samples of what begins without a fade are a little off: soxr halves the rate first.
        let most = if case.from == 96_000 { 2.5e-4 } else { 2e-5 };
        assert!(worst < most, "{what}: off by {worst:.1e} of full scale");
    }
}
