//! Response of soxr's "HQ" low-pass filter, for any two rates.
//!
//! soxr converts in stages: it halves high rates, cuts the band off sharply, and moves to rates without a small common
//! multiple by a short filter that bends the top of the band by up to 0.01 dB. As seen from outside, a change of rates is
//! the product of one or two sincs under Kaiser windows (Kaiser 1974). Their cutoffs, lengths and shapes were fitted to
//! what soxr 1.1 makes of sine waves at 80 pairs of rates; docs/decisions.md has the figures.
//!
//! Times are in samples of the lower of both rates, frequencies are shares of its Nyquist frequency.

use super::change::Change;
use std::f64::consts::PI;

/// Cutoff of the sharp filter: half of the amplitude is left there.
const CUTOFF: f64 = 0.956_871_8;

/// Kaiser's β of the short filter.
const SHORT_BETA: f64 = 14.0609;

/// Sinc under a Kaiser window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kaiser {
    /// Frequency at which half of the amplitude is left.
    cutoff: f64,
    /// Shape of the window.
    beta: f64,
    /// Half the length of the window.
    pub(super) reach: f64,
}

impl Kaiser {
    /// Value at time `t`.
    pub(super) fn at(&self, t: f64) -> f64 {
        let place = 1.0 - (t / self.reach).powi(2);
        if place <= 0.0 {
            return 0.0;
        }
        let angle = PI * self.cutoff * t;
        let sinc = if t == 0.0 { 1.0 } else { angle.sin() / angle };
        self.cutoff * sinc * bessel(self.beta * place.sqrt()) / bessel(self.beta)
    }
}

/// Low-pass filter of a rate change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lowpass {
    /// How often the rate is halved first.
    pub(super) halvings: u32,
    /// Filter that cuts off.
    pub(super) sharp: Kaiser,
    /// Filter between rates without a small common multiple.
    pub(super) short: Option<Short>,
}

/// Filter between rates without a small common multiple.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    pub(super) filter: Kaiser,
    /// Rate of its input.
    pub(super) rate: f64,
    /// Whether it comes before the filter that cuts off: at twice the new rate, that is.
    pub(super) first: bool,
}

impl Lowpass {
    pub(super) fn new(change: Change) -> Lowpass {
        let Change { m, l } = change;
        let mut halvings = 0;
        let mut halved = Change { m, l };
        // Half the rate, as long as four times the lower one is left.
        while halved.m >= 4 * halved.l {
            halved = match halved.m.is_multiple_of(2) {
                true => Change::new(halved.m / 2, halved.l),
                false => Change::new(halved.m, 2 * halved.l),
            };
            halvings += 1;
        }
        let mut stages = f64::from(halvings + 1);
        let Change { m, l } = halved;
        let (most, least) = (m.max(l), m.min(l));
        if most < 5 || most * least < 6 {
            // With few small stages, one filter at the common multiple of both rates does it all.
            let step = if l > m && l == 4 { 8 } else { 4 };
            return Lowpass {
                halvings,
                sharp: sharp(stages, most as f64, step),
                short: None,
            };
        }
        // Twice for the second filter. Large factors upwards take one stage more, but for those that soxr splits up.
        stages *= 2.0;
        let split = m == 1 && (l == 6 || l.is_multiple_of(4));
        if l > 6 * m && !split {
            stages *= 2.0;
        }
        let (width, short) = match m as f64 / l as f64 {
            _ if split => (2.0, None),
            ratio if ratio < 1.0 => (2.0, Some(short(2.0, 1.817_92, 7.5))),
            ratio if (1.5..2.0).contains(&ratio) => {
                let phases = Change::new(m, 2 * l).l;
                let taps = ((7.5018 * ratio * phases as f64).ceil() as usize + 1) / phases + 1;
                let short = short(ratio, 1.806_83, reach(taps, phases));
                (
                    2.0,
                    Some(Short {
                        first: true,
                        ..short
                    }),
                )
            }
            ratio => {
                // Below 1.5 at twice the rate.
                let twice = ratio < 1.5;
                let phases = if twice { Change::new(2 * m, l).l } else { l };
                let rate = if twice { 2.0 * ratio } else { ratio };
                let pairs = 15.617 * rate / (2.0 * rate - 1.8956) / 2.0 + 0.25 / phases as f64;
                let taps = 2 * (pairs.ceil() as usize).max(6);
                let cutoff = 1.817_56 + 0.856_56 * (rate - 2.0);
                (rate, Some(short(rate, cutoff, reach(taps, phases))))
            }
        };
        Lowpass {
            halvings,
            sharp: sharp(stages, width, 4),
            short,
        }
    }

    /// Time after which nothing is left of an impulse.
    pub(super) fn reach(&self) -> f64 {
        self.sharp.reach + self.short.map_or(0.0, |short| short.filter.reach)
    }

    /// Response of the short filter at `bins` frequencies from 0 on, `step` apart; 1 where there is none.
    pub(super) fn bend(&self, bins: usize, step: f64) -> Vec<f64> {
        let Some(Short { filter, rate, .. }) = self.short else {
            return vec![1.0; bins];
        };
        // Two samples of it for each sample of its input describe it.
        let distance = 0.5 / rate;
        let taps: Vec<f64> = (0..)
            .map(|k| f64::from(k) * distance)
            .take_while(|t| *t < filter.reach)
            .map(|t| filter.at(t) * if t == 0.0 { 1.0 } else { 2.0 })
            .collect();
        let whole: f64 = taps.iter().sum();
        let at = |bin| cosines(&taps, PI * step * distance * bin as f64) / whole;
        (0..bins).map(at).collect()
    }
}

/// Filter that cuts off, of so many stages and at a rate of `width`: soxr takes more taps the more stages add their
/// errors, `step` at a time.
fn sharp(stages: f64, width: f64, step: usize) -> Kaiser {
    let decibels = 20.0 * stages.log10();
    let step = step as f64;
    let taps = step * ((192.65 + 1.628 * decibels) * width / step).ceil();
    Kaiser {
        cutoff: CUTOFF,
        beta: 13.0399 + 0.1115 * decibels,
        reach: (taps + 1.0) / (2.0 * width),
    }
}

/// Short filter at a rate of `rate`, with its reach in samples of that rate.
fn short(rate: f64, cutoff: f64, reach: f64) -> Short {
    let filter = Kaiser {
        cutoff,
        beta: SHORT_BETA,
        reach: reach / rate,
    };
    Short {
        filter,
        rate,
        first: false,
    }
}

/// Half the length of a filter with `taps` taps in each of its phases.
fn reach(taps: usize, phases: usize) -> f64 {
    taps as f64 / 2.0 - 0.25 / phases as f64
}

/// `Σ a[k] · cos(k · angle)` (Clenshaw 1955).
fn cosines(a: &[f64], angle: f64) -> f64 {
    let cos = angle.cos();
    let [mut next, mut after] = [0.0; 2];
    for a in a.iter().skip(1).rev() {
        (next, after) = (a + 2.0 * cos * next - after, next);
    }
    a.first().copied().unwrap_or(0.0) + cos * next - after
}

/// Modified Bessel function I₀: `Σ ((x / 2)^n / n!)²`.
fn bessel(x: f64) -> f64 {
    let (quarter, mut term, mut sum) = (x * x / 4.0, 1.0, 1.0);
    for n in 1..64 {
        term *= quarter / f64::from(n * n);
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}
