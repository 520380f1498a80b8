//! Changing the sample rate, through rubato.
//!
//! A rate change is a fraction `m / l` in lowest terms. Where both are small, as between all usual rates, whole stretches
//! of sound are transformed, filtered, cut or extended to the new rate's frequencies, and transformed back (an FFT of
//! a few thousand samples). Odd rates would need one far too long: there a windowed sinc is summed up for each sample.

use crate::clip::Clip;
use crate::error::{Error, Result};
use rubato::{
    FftFixedInOut, Resampler as _, SincFixedIn, SincInterpolationParameters, SincInterpolationType,
    WindowFunction, calculate_cutoff,
};

/// The highest rate that can be converted from or to, in Hz.
pub const MAX_RATE: u32 = 1_000_000;

/// The least length of the FFT's low-pass filter, in samples of the lower of both rates. With rubato's squared
/// Blackman-Harris window half of the amplitude is left at 0.973 of the lower Nyquist frequency, and from that
/// frequency on nothing.
const FFT_TAPS: usize = 512;

/// The longest filter of the FFT, in samples of the higher rate. Longer ones ring audibly, for seconds.
const MOST_FFT_TAPS: usize = 16_384;

/// The length of the windowed sinc in samples of the lower of both rates. With a Blackman-Harris window half of the
/// amplitude is left at 0.917 of the lower Nyquist frequency, and from that frequency on less than -90 dB.
const SINC_TAPS: usize = 96;

/// Samples that the sinc sees at once.
const SINC_CHUNK: usize = 16_384;

/// The most offsets between samples at which the sinc is tabulated.
const MAX_PHASES: usize = 1024;

/// The same sound at `rate` samples per second.
///
/// Sample `n` of the result stands at the time `n / rate`, with no delay; its length is `⌈len · rate / old rate⌉`, as
/// with librosa. Beyond the ends the sound is taken to be zero.
///
/// # Errors
/// [`Error::Rate`] where one of the rates is 0 or above [`MAX_RATE`].
pub fn resample(clip: &Clip, rate: u32) -> Result<Clip> {
    let from = clip.sample_rate;
    if from == rate {
        return Ok(clip.clone());
    }
    let refused = || Error::Rate { from, to: rate };
    if !(1..=MAX_RATE).contains(&from) || !(1..=MAX_RATE).contains(&rate) {
        return Err(refused());
    }
    let mut resampler = Resampler::new(from, rate).ok_or_else(refused)?;
    let mut samples = Vec::with_capacity(resampler.change.length(clip.samples.len() as u64));
    resampler.push(&clip.samples, &mut samples);
    resampler.finish(&mut samples);
    Ok(Clip {
        samples,
        sample_rate: rate,
    })
}

/// [`resample`] for sound that comes piece by piece: the same numbers, however it is cut.
pub struct Resampler {
    change: Change,
    filter: Filter,
    /// What waits until it fills a chunk of the filter's; its first sample may be an aligning zero.
    waiting: Vec<f32>,
    chunk: usize,
    /// Samples pushed, and given.
    pushed: u64,
    given: u64,
    /// Samples of the filter's output that stand before the sound.
    to_skip: usize,
    output: [Vec<f32>; 1],
}

enum Filter {
    Fft(FftFixedInOut<f32>),
    Sinc(SincFixedIn<f32>),
}

impl Resampler {
    /// `None` where a rate is 0 or above [`MAX_RATE`].
    pub fn new(from: u32, to: u32) -> Option<Resampler> {
        if !(1..=MAX_RATE).contains(&from) || !(1..=MAX_RATE).contains(&to) {
            return None;
        }
        let divisor = gcd(from as usize, to as usize);
        let change = Change {
            m: from as usize / divisor,
            l: to as usize / divisor,
        };
        match change.fft_units() * change.m.max(change.l) <= MOST_FFT_TAPS {
            true => change.by_fft(),
            false => change.by_sinc(),
        }
    }

    /// Takes the next samples and appends what can be said of the new ones.
    pub fn push(&mut self, mut samples: &[f32], to: &mut Vec<f32>) {
        self.pushed += samples.len() as u64;
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.chunk - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            samples = later;
            if self.waiting.len() == self.chunk {
                self.process(u64::MAX, to);
            }
        }
    }

    /// Appends the rest.
    pub fn finish(mut self, to: &mut Vec<f32>) {
        let total = self.change.length(self.pushed) as u64;
        while self.given < total {
            // After the end, zeros, for the filter to run out on.
            self.waiting.resize(self.chunk, 0.0);
            self.process(total, to);
        }
    }

    /// Filters a full chunk; never gives more than `most` samples in all.
    fn process(&mut self, most: u64, to: &mut Vec<f32>) {
        let input = [&self.waiting];
        let result = match &mut self.filter {
            Filter::Fft(filter) => filter.process_into_buffer(&input, &mut self.output, None),
            Filter::Sinc(filter) => filter.process_into_buffer(&input, &mut self.output, None),
        };
        // rubato refuses only buffers of wrong sizes, which these are not.
        let (_, written) = result.expect("the buffers are as long as rubato asked for");
        self.waiting.clear();
        let before = self.to_skip.min(written);
        self.to_skip -= before;
        let count = ((written - before) as u64).min(most - self.given) as usize;
        to.extend_from_slice(&self.output[0][before..before + count]);
        self.given += count as u64;
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("m", &self.change.m)
            .field("l", &self.change.l)
            .field("pushed", &self.pushed)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

/// `l` samples for every `m`, in lowest terms. Its methods give `None` where rubato refuses the rates.
#[derive(Clone, Copy)]
struct Change {
    m: usize,
    l: usize,
}

impl Change {
    /// How many samples come of `len`.
    fn length(self, len: u64) -> usize {
        (u128::from(len) * self.l as u128).div_ceil(self.m as u128) as usize
    }

    /// How many times `m` samples are transformed at once: an even number, so that the filter's delay, half of them, is
    /// a whole number of samples.
    fn fft_units(self) -> usize {
        2 * FFT_TAPS.div_ceil(2 * self.m.min(self.l))
    }

    fn by_fft(self) -> Option<Resampler> {
        let filter =
            FftFixedInOut::<f32>::new(self.m, self.l, self.fft_units() * self.m, 1).ok()?;
        let (chunk, most) = (filter.input_frames_next(), filter.output_frames_max());
        let delay = filter.output_delay();
        Some(self.resampler(Filter::Fft(filter), chunk, most, 0, delay))
    }

    fn by_sinc(self) -> Option<Resampler> {
        let Change { m, l } = self;
        let ratio = l as f64 / m as f64;
        // Below ratio 1 the filter is stretched to the lower rate's samples. rubato wants multiples of 8.
        let taps = ((SINC_TAPS as f64 / ratio.min(1.0)).ceil() as usize).next_multiple_of(8);
        let phases = l.min(MAX_PHASES);
        let (lead, skip) = alignment(m, l, phases);
        let window = WindowFunction::BlackmanHarris;
        let parameters = SincInterpolationParameters {
            sinc_len: taps,
            f_cutoff: calculate_cutoff(SINC_TAPS, window),
            oversampling_factor: phases,
            // With as many phases as occur nothing lies between them.
            interpolation: if phases == l {
                SincInterpolationType::Nearest
            } else {
                SincInterpolationType::Linear
            },
            window,
        };
        // Long enough for the filter, for zeros that align the output, and for an output sample.
        let chunk = SINC_CHUNK
            .max(2 * taps)
            .max(lead + 1)
            .max(m.div_ceil(l) + 1);
        let filter = SincFixedIn::<f32>::new(ratio, 1.0, parameters, chunk, 1).ok()?;
        let most = filter.output_frames_max();
        Some(self.resampler(Filter::Sinc(filter), chunk, most, lead, skip))
    }

    /// `lead` zeros before the sound, `to_skip` samples of output before what comes of it.
    fn resampler(
        self,
        filter: Filter,
        chunk: usize,
        most: usize,
        lead: usize,
        to_skip: usize,
    ) -> Resampler {
        let mut waiting = Vec::with_capacity(chunk);
        waiting.resize(lead, 0.0);
        Resampler {
            change: self,
            filter,
            waiting,
            chunk,
            pushed: 0,
            given: 0,
            to_skip,
            output: [vec![0.0; most]],
        }
    }
}

/// How many zeros to put before the sound, and how many output samples to leave out, so that the first one kept
/// stands at the sound's first sample.
///
/// rubato's sinc puts its n-th output, counted from 1, at the input time `n·m/l - 1 + 1/phases`. So `lead` zeros and
/// `skip` outputs align where `lead + 1 - 1/phases = (skip + 1)·m/l`, which for `phases = l` has a whole solution,
/// `m` and `l` having no common divisor; otherwise the error is at most half of `1/phases` of a sample.
fn alignment(m: usize, l: usize, phases: usize) -> (usize, usize) {
    // In 64 bits: both may be a million.
    let constant = l as u64 - (l as f64 / phases as f64).round() as u64;
    let place = |lead: usize| lead as u64 * l as u64 + constant;
    let aligned = |lead: &usize| place(*lead).is_multiple_of(m as u64) && place(*lead) > 0;
    let lead = (0..m).find(aligned).unwrap_or(m);
    (lead, (place(lead) / m as u64).saturating_sub(1) as usize)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
