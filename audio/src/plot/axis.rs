//! Where ticks stand and what they say.

use crate::features::{Axis, FeatureSettings};

/// One tick: its place as a share of the axis, and its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) share: f64,
    pub(super) label: String,
}

/// At most about `most` round numbers from `low` to `high`, evenly spaced.
pub(super) fn steps(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let span = high - low;
    let rough = span / most.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * decade)
        .into_iter()
        .find(|s| *s >= rough)
        .unwrap_or(rough);
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let tick = |n: f64| Tick {
        share: (n * step - low) / span,
        label: label(n * step, digits),
    };
    let (first, last) = (
        (low / step - 1e-9).ceil() as i64,
        (high / step + 1e-9).floor() as i64,
    );
    (first..=last).map(|n| tick(n as f64)).collect()
}

/// Round frequencies for an axis that is not linear, `share` saying where each stands; none nearer to another than
/// a `most`-th of the axis.
fn frequencies(low: f64, high: f64, share: impl Fn(f64) -> f64, most: usize) -> Vec<Tick> {
    let mut ticks: Vec<Tick> = Vec::new();
    for hz in [
        0, 100, 200, 500, 1000, 2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 50_000,
        100_000,
    ] {
        let hz = f64::from(hz);
        let at = share(hz).max(0.0);
        let apart = ticks
            .last()
            .is_none_or(|last| at - last.share >= 1.0 / most as f64);
        if hz >= low && hz <= high && (0.0..=1.0).contains(&at) && apart {
            ticks.push(Tick {
                share: at,
                label: label(hz, 0),
            });
        }
    }
    ticks
}

/// Ticks along the bands, as shares of the height, and what stands along that axis.
pub(super) fn band_ticks(
    settings: &FeatureSettings,
    bands: usize,
    most: usize,
) -> (Vec<Tick>, String) {
    let nyquist = f64::from(settings.sample_rate) / 2.0;
    // The middle of a band.
    let middle = |band: usize| (band as f64 + 0.5) / bands as f64;
    let (ticks, what) = match settings.kind.axis() {
        Axis::Hertz => (steps(0.0, nyquist, most), "Frequency (Hz)"),
        Axis::Mel => {
            // Band b peaks at the (b + 1)-th of n_mels + 2 even steps in mel.
            let mel = |hz: f64| settings.preset.hz_to_mel(hz);
            let (lowest, highest) = (settings.fmin.into(), settings.highest().into());
            let step = (mel(highest) - mel(lowest)) / (settings.n_mels + 1) as f64;
            let share = |hz: f64| ((mel(hz) - mel(lowest)) / step - 0.5) / settings.n_mels as f64;
            let ticks = frequencies(lowest, highest, share, most);
            (ticks, "Frequency (Hz, mel scale)")
        }
        Axis::PitchClass => {
            let names = [
                "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
            ];
            let class = |band: usize| (band * names.len() / bands.max(1), middle(band));
            let tick = |(class, share): (usize, f64)| Tick {
                share,
                label: names[class % names.len()].into(),
            };
            let step = bands.div_ceil(most.max(1)).max(1);
            let ticks = (0..bands).step_by(step).map(class).map(tick).collect();
            (ticks, "Pitch class")
        }
        Axis::Number | Axis::Table => {
            let step = bands.div_ceil(most.max(1)).max(1);
            let tick = |band: usize| Tick {
                share: middle(band),
                label: (band + 1).to_string(),
            };
            ((0..bands).step_by(step).map(tick).collect(), "Number")
        }
    };
    (ticks, what.into())
}

/// A number with a true minus sign, and no minus before zero.
fn label(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.into(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn steps_are_round_and_within_the_axis() {
        assert_eq!(
            labels(&steps(0.0, 30.0, 7)),
            ["0", "5", "10", "15", "20", "25", "30"]
        );
        assert_eq!(
            labels(&steps(-80.0, 0.0, 5)),
            ["−80", "−60", "−40", "−20", "0"]
        );
        assert_eq!(labels(&steps(0.0, 0.3, 4)), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&steps(0.0, 0.023, 2)), ["0.00", "0.02"]);
        assert!(steps(0.0, 0.0, 5).is_empty() && steps(0.0, f64::NAN, 5).is_empty());
        for tick in steps(3.0, 17.0, 9) {
            assert!((0.0..=1.0).contains(&tick.share));
        }
    }

    #[test]
    fn frequencies_keep_their_distance() {
        let ticks = frequencies(0.0, 11_025.0, |hz| hz / 11_025.0, 8);
        assert_eq!(labels(&ticks), ["0", "2000", "5000", "7000", "10000"]);
    }
}
