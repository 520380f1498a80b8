//! Changes of the sample rate, as librosa or torchaudio make them.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`resample`] for clips, [`Resampler`] for streams, [`Filter`] |
//! | `soxr.rs` | the response of soxr's "HQ" low-pass filter for any two rates |
//! | `blocks.rs` | a filter applied in the frequency domain, block by block |
//! | `head.rs` | how soxr's filter begins |
//! | `taps.rs` | torchaudio's windowed sinc, summed up for each sample |
//! | `change.rs` | two rates as a fraction |
//!
//! A rate change is a fraction `m / l` in lowest terms: `l` samples come out for every `m` that go in.

mod blocks;
mod change;
mod head;
mod soxr;
mod taps;

use crate::clip::Clip;
use crate::error::{Error, Result};
pub use crate::rate::{MAX_RATE, MAX_RATIO};
use blocks::Blocks;
use change::Change;
use taps::Taps;

/// Low-pass filter of a rate change. Its cutoff lies near the lower of both Nyquist frequencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Filter {
    /// soxr's "HQ", the default of `librosa.load` and `librosa.resample`: flat up to 0.91 of the lower Nyquist frequency,
    /// below -120 dB from 1.0 on.
    #[default]
    Soxr,
    /// Default of `torchaudio.transforms.Resample`: `sinc_interp_hann` with `lowpass_filter_width` 6 and `rolloff` 0.99.
    Torchaudio,
}

/// Resamples a clip as `librosa.resample` does.
///
/// Sample `n` of the result stands at the time `n / rate`: there is no delay. The result has `⌈len · rate / old rate⌉`
/// samples (librosa's rounding makes one more of some lengths). Before and after the clip, samples count as zero.
///
/// # Errors
/// [`Error::Rate`] if a rate is 0 or above [`MAX_RATE`], or if one is more than [`MAX_RATIO`] times the other.
pub fn resample(clip: &Clip, rate: u32) -> Result<Clip> {
    resample_with(clip, rate, Filter::default())
}

/// [`resample`] through a filter of choice.
///
/// # Errors
/// As [`resample`].
pub fn resample_with(clip: &Clip, rate: u32, filter: Filter) -> Result<Clip> {
    let from = clip.sample_rate;
    if from == rate {
        return Ok(clip.clone());
    }
    let mut resampler =
        Resampler::with(filter, from, rate).ok_or(Error::Rate { from, to: rate })?;
    let length = resampler.change.length(clip.samples.len() as u64) as usize;
    let mut samples = Vec::with_capacity(length);
    resampler.push(&clip.samples, &mut samples);
    resampler.finish(&mut samples);
    Ok(Clip {
        samples,
        sample_rate: rate,
    })
}

/// [`resample`] for sound that comes in pieces. The result does not depend on where the sound is cut.
pub struct Resampler {
    change: Change,
    engine: Engine,
    /// Samples pushed and given.
    pushed: u64,
    given: u64,
}

enum Engine {
    Blocks(Blocks),
    Taps(Taps),
}

impl Resampler {
    /// Resampler of the default filter. `None` for two rates that [`resample`] refuses.
    pub fn new(from: u32, to: u32) -> Option<Resampler> {
        Resampler::with(Filter::default(), from, to)
    }

    /// Resampler of a filter of choice. `None` for two rates that [`resample`] refuses.
    pub fn with(filter: Filter, from: u32, to: u32) -> Option<Resampler> {
        let known = |rate| (1..=MAX_RATE).contains(&rate);
        if !known(from) || !known(to) || from.max(to).div_ceil(from.min(to)) > MAX_RATIO {
            return None;
        }
        let change = Change::new(from as usize, to as usize);
        let engine = match filter {
            Filter::Soxr => Engine::Blocks(Blocks::new(change)),
            Filter::Torchaudio => Engine::Taps(Taps::new(change)),
        };
        Some(Resampler::of(change, engine))
    }

    fn of(change: Change, engine: Engine) -> Resampler {
        Resampler {
            change,
            engine,
            pushed: 0,
            given: 0,
        }
    }

    /// Takes the next samples; appends those of the result that follow from them.
    pub fn push(&mut self, samples: &[f32], to: &mut Vec<f32>) {
        let before = to.len();
        self.engine.push(samples, to);
        self.pushed += samples.len() as u64;
        self.given += (to.len() - before) as u64;
    }

    /// Appends the rest.
    pub fn finish(mut self, to: &mut Vec<f32>) {
        let (change, pushed) = (self.change, self.pushed);
        // librosa fills what soxr's length lacks of its own with zeros.
        let (filtered, total) = match self.engine {
            Engine::Blocks(_) => (change.soxrs_length(pushed), change.librosas_length(pushed)),
            Engine::Taps(_) => (change.length(pushed), change.length(pushed)),
        };
        let silence = [0.0; 4096];
        let before = to.len() as u64;
        let end = |length: u64| before.saturating_add(length).saturating_sub(self.given) as usize;
        let (filtered, total) = (end(filtered), end(total));
        while to.len() < filtered {
            self.engine.push(&silence, to);
        }
        to.truncate(filtered.min(total));
        to.resize(total, 0.0);
    }
}

impl Engine {
    fn push(&mut self, samples: &[f32], to: &mut Vec<f32>) {
        match self {
            Engine::Blocks(blocks) => blocks.push(samples, to),
            Engine::Taps(taps) => taps.push(samples, to),
        }
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("change", &self.change)
            .field("pushed", &self.pushed)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

/// Half the sample rate of some samples, `⌈len / 2⌉` of them, as `librosa.resample` makes it.
pub(crate) fn halve(samples: &[f32]) -> Vec<f32> {
    let change = Change { m: 2, l: 1 };
    let mut resampler = Resampler::of(change, Engine::Blocks(Blocks::new(change)));
    let mut halved = Vec::with_capacity(samples.len().div_ceil(2));
    resampler.push(samples, &mut halved);
    resampler.finish(&mut halved);
    halved
}
