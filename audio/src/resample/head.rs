//! The first samples of soxr's result.
//!
//! soxr converts in stages, and the output of each begins at time 0: what a filter would answer before that is not
//! passed on to the next one. So the first samples differ from those of one filter, by some percent where sound begins
//! without a fade. [`correction`] is that difference.
//!
//! Times are in samples of the lower of both rates.

use super::change::Change;
use super::soxr::{Kaiser, Lowpass};

/// Taps of the filter that halves a rate, from its middle to one end: those of soxr, measured.
const HALF: [f64; 16] = [
    0.5,
    0.311_546_5,
    0.0,
    -0.087_344_9,
    0.0,
    0.036_814_5,
    0.0,
    -0.015_189_2,
    0.0,
    0.005_454_1,
    0.0,
    -0.001_564_4,
    0.0,
    0.000_318_2,
    0.0,
    -0.000_034_8,
];

/// Samples from number `first` on, which stand at a rate of `rate`.
struct Run {
    first: i64,
    values: Vec<f64>,
    rate: f64,
}

impl Run {
    /// Response of a filter to these samples, at time `t`.
    fn through(&self, filter: &Kaiser, t: f64) -> f64 {
        let number = |t: f64| t * self.rate - self.first as f64;
        let from = number(t - filter.reach).ceil().max(0.0) as usize;
        let to = (number(t + filter.reach).max(0.0) as usize + 1).min(self.values.len());
        let term = |n: usize| {
            let own = (self.first + n as i64) as f64 / self.rate;
            self.values[n] * filter.at(t - own)
        };
        (from..to).map(term).sum::<f64>() / self.rate
    }

    /// Samples at half the rate, from number `first` to number `last`.
    fn halved(&self, first: i64, last: i64) -> Run {
        let reach = HALF.len() as i64 - 1;
        let value = |at: i64| {
            let term = |n: i64| {
                let sample = usize::try_from(2 * at + n - self.first).ok();
                let sample = sample.and_then(|n| self.values.get(n)).unwrap_or(&0.0);
                HALF[n.unsigned_abs() as usize] * sample
            };
            (-reach..=reach).map(term).sum()
        };
        Run {
            first,
            values: (first..=last).map(value).collect(),
            rate: self.rate / 2.0,
        }
    }

    /// The difference that a cut at time 0 makes: before it what is cut away, from there on that of the stage before.
    fn cut(whole: &Run, before: Run) -> Run {
        let values = before.values.iter().enumerate().map(|(n, later)| {
            let number = before.first + n as i64;
            if number >= 0 {
                return *later;
            }
            let at = usize::try_from(number - whole.first).ok();
            -at.and_then(|n| whole.values.get(n)).unwrap_or(&0.0)
        });
        Run {
            values: values.collect(),
            ..before
        }
    }

    /// Response of a filter to these samples, as samples at another rate.
    fn resampled(&self, filter: &Kaiser, rate: f64, first: i64, last: i64) -> Run {
        let value = |n: i64| self.through(filter, n as f64 / rate);
        Run {
            first,
            values: (first..=last).map(value).collect(),
            rate,
        }
    }
}

/// What to add to the first samples of the result for sound that begins with `samples`: as many of them as
/// [`Lowpass::reach`] needs.
pub(super) fn correction(filter: &Lowpass, change: Change, samples: &[f32]) -> Vec<f32> {
    let rate = change.stretch();
    let whole = Run {
        first: 0,
        values: samples.iter().map(|&s| s.into()).collect(),
        rate,
    };
    let (mut ideal, mut difference) = (None, None);
    let reach = HALF.len() as i64;
    for _ in 0..filter.halvings {
        let own = ideal.as_ref().unwrap_or(&whole);
        let next = own.halved(-reach, 4 * reach);
        let nothing = Run {
            first: 0,
            values: Vec::new(),
            rate: next.rate * 2.0,
        };
        let before = difference.unwrap_or(nothing).halved(-reach, 2 * reach);
        difference = Some(Run::cut(&next, before));
        ideal = Some(next);
    }
    let last = match &filter.short {
        None => &filter.sharp,
        Some(short) => {
            let (own, other) = match short.first {
                true => (&short.filter, &filter.sharp),
                false => (&filter.sharp, &short.filter),
            };
            let rate = if short.first { 2.0 } else { short.rate };
            let number = |t: f64| (t * rate).ceil() as i64;
            let first = -number(own.reach.min(other.reach));
            let next = whole.resampled(own, rate, first, -1);
            let before = match difference {
                Some(before) => before.resampled(own, rate, first, number(own.reach)),
                None => Run {
                    first,
                    values: vec![0.0; first.unsigned_abs() as usize],
                    rate,
                },
            };
            difference = Some(Run::cut(&next, before));
            if short.first {
                &filter.sharp
            } else {
                &short.filter
            }
        }
    };
    let Some(difference) = difference else {
        return Vec::new();
    };
    let end = (difference.first + difference.values.len() as i64) as f64 / difference.rate;
    let new_rate = change.l as f64 / change.m as f64 * rate;
    let count = ((end + last.reach) * new_rate).ceil().max(0.0) as usize;
    (0..count)
        .map(|n| difference.through(last, n as f64 / new_rate) as f32)
        .collect()
}
