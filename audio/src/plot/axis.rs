//! Where ticks stand and what they say.

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
pub(super) fn frequencies(
    low: f64,
    high: f64,
    share: impl Fn(f64) -> f64,
    most: usize,
) -> Vec<Tick> {
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
