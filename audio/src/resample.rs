//! Changing the sample rate, through rubato's windowed sinc.
//!
//! A rate change `from → to` is a fraction `M / L` in lowest terms. Where `L` is small, as between all usual rates, the
//! filter is computed at exactly the `L` offsets that occur, so that no interpolation between filters is needed: the
//! same sums as a synchronous polyphase resampler. Odd rates fall back to linear interpolation between 1024 offsets.

use crate::clip::Clip;
use crate::error::{Error, Result};
use rubato::{
    Resampler, SincFixedIn, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    calculate_cutoff,
};

/// The highest rate that can be converted from or to, in Hz.
pub const MAX_RATE: u32 = 1_000_000;

/// The filter's length in samples of the lower of both rates. With a Blackman-Harris window the pass band reaches
/// 0.87 of the lower Nyquist frequency (-1 dB), and the stop band begins at that frequency with -90 dB.
const TAPS: usize = 96;

/// The most filter offsets that are computed exactly.
const MAX_PHASES: u64 = 1024;

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
    let divisor = gcd(u64::from(from), u64::from(rate));
    let (m, l) = (u64::from(from) / divisor, u64::from(rate) / divisor);
    let length = (clip.samples.len() as u64 * l).div_ceil(m) as usize;
    if length == 0 {
        return Ok(Clip {
            samples: Vec::new(),
            sample_rate: rate,
        });
    }

    let ratio = l as f64 / m as f64;
    // Below ratio 1 the filter is stretched to the lower rate's samples. rubato wants multiples of 8.
    let taps = ((TAPS as f64 / ratio.min(1.0)).ceil() as usize).next_multiple_of(8);
    let phases = l.min(MAX_PHASES);
    let (lead, skip) = alignment(m, l, phases);
    let window = WindowFunction::BlackmanHarris;
    let parameters = SincInterpolationParameters {
        sinc_len: taps,
        f_cutoff: calculate_cutoff(TAPS, window),
        oversampling_factor: phases as usize,
        interpolation: if phases == l {
            SincInterpolationType::Nearest
        } else {
            SincInterpolationType::Linear
        },
        window,
    };

    // Everything in one chunk: zeros that align the output, the sound, and zeros for the filter to run out on.
    let tail = 2 * taps + 2 * (m.div_ceil(l) as usize) + 2;
    let mut padded = Vec::with_capacity(lead + clip.samples.len() + tail);
    padded.resize(lead, 0.0);
    padded.extend_from_slice(&clip.samples);
    padded.resize(lead + clip.samples.len() + tail, 0.0);
    let mut resampler =
        SincFixedIn::<f32>::new(ratio, 1.0, parameters, padded.len(), 1).map_err(|_| refused())?;
    let mut output = vec![vec![0.0; resampler.output_frames_max()]];
    let (_, written) = resampler
        .process_into_buffer(&[&padded], &mut output, None)
        .map_err(|_| refused())?;
    let mut samples = output.swap_remove(0);
    samples.truncate(written);
    samples.drain(..skip.min(written));
    samples.resize(length, 0.0);
    Ok(Clip {
        samples,
        sample_rate: rate,
    })
}

/// How many zeros to put before the sound, and how many output samples to leave out, so that the first one kept
/// stands at the sound's first sample.
///
/// rubato puts its n-th output, counted from 1, at the input time `n·m/l - 1 + 1/phases`. So `lead` zeros and `skip`
/// outputs align where `lead + 1 - 1/phases = (skip + 1)·m/l`, which for `phases = l` has a whole solution,
/// `m` and `l` having no common divisor; otherwise the error is at most half of `1/phases` of a sample.
fn alignment(m: u64, l: u64, phases: u64) -> (usize, usize) {
    let constant = l - (l as f64 / phases as f64).round() as u64;
    let lead = (0..m)
        .find(|lead| (lead * l + constant).is_multiple_of(m) && lead * l + constant > 0)
        .unwrap_or(m);
    (
        lead as usize,
        ((lead * l + constant) / m).saturating_sub(1) as usize,
    )
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
