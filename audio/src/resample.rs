//! Changing the sample rate, through rubato.
//!
//! A rate change is a fraction `m / l` in lowest terms. Where both are small, as between all usual rates, whole stretches
//! of sound are transformed, filtered, cut or extended to the new rate's frequencies, and transformed back (an FFT of
//! a few thousand samples). Odd rates would need one far too long: there a windowed sinc is summed up for each sample.

use crate::clip::Clip;
use crate::error::{Error, Result};
use rubato::{
    FftFixedInOut, Resampler, SincFixedIn, SincInterpolationParameters, SincInterpolationType,
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
    let divisor = gcd(from as usize, rate as usize);
    let change = Change {
        m: from as usize / divisor,
        l: rate as usize / divisor,
    };
    let samples = match change.fft_units() * change.m.max(change.l) <= MOST_FFT_TAPS {
        true => change.by_fft(&clip.samples),
        false => change.by_sinc(&clip.samples),
    };
    Ok(Clip {
        samples: samples.ok_or_else(refused)?,
        sample_rate: rate,
    })
}

/// `l` samples for every `m`, in lowest terms. Its methods give `None` where rubato refuses the rates.
struct Change {
    m: usize,
    l: usize,
}

impl Change {
    /// How many samples come of `len`.
    fn length(&self, len: usize) -> usize {
        (len as u64 * self.l as u64).div_ceil(self.m as u64) as usize
    }

    /// How many times `m` samples are transformed at once: an even number, so that the filter's delay, half of them, is
    /// a whole number of samples.
    fn fft_units(&self) -> usize {
        2 * FFT_TAPS.div_ceil(2 * self.m.min(self.l))
    }

    fn by_fft(&self, mut rest: &[f32]) -> Option<Vec<f32>> {
        let length = self.length(rest.len());
        let mut resampler =
            FftFixedInOut::<f32>::new(self.m, self.l, self.fft_units() * self.m, 1).ok()?;
        let delay = resampler.output_delay();
        let mut input = vec![0.0; resampler.input_frames_next()];
        let mut output = [vec![0.0; resampler.output_frames_next()]];
        let mut samples = Vec::with_capacity(length + delay + output[0].len());
        while samples.len() < length + delay {
            // After the end, zeros, for the filter to run out on.
            let (now, later) = rest.split_at(rest.len().min(input.len()));
            input[..now.len()].copy_from_slice(now);
            input[now.len()..].fill(0.0);
            rest = later;
            resampler
                .process_into_buffer(&[&input], &mut output, None)
                .ok()?;
            samples.extend_from_slice(&output[0]);
        }
        samples.drain(..delay);
        samples.truncate(length);
        Some(samples)
    }

    fn by_sinc(&self, sound: &[f32]) -> Option<Vec<f32>> {
        let Change { m, l } = *self;
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
        // Everything in one chunk: zeros that align the output, the sound, and zeros for the filter to run out on.
        let tail = 2 * taps + 2 * m.div_ceil(l) + 2;
        let mut padded = vec![0.0; lead + sound.len() + tail];
        padded[lead..lead + sound.len()].copy_from_slice(sound);
        let mut resampler =
            SincFixedIn::<f32>::new(ratio, 1.0, parameters, padded.len(), 1).ok()?;
        let mut output = [vec![0.0; resampler.output_frames_max()]];
        let (_, written) = resampler
            .process_into_buffer(&[&padded], &mut output, None)
            .ok()?;
        let [mut samples] = output;
        samples.truncate(written);
        samples.drain(..skip.min(written));
        samples.resize(self.length(sound.len()), 0.0);
        Some(samples)
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
