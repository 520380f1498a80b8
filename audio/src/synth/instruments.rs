//! Sounds: tones from tables of one period, and drums from noise and falling sines.
//!
//! Only additions, multiplications, divisions and table look-ups in f32, whose results IEEE 754 fixes to the last bit,
//! and never a system's `sin` or `exp`, which differ: a clip is the same on every platform.

use super::dice::Dice;
use super::styles::Timbre;

/// Samples in one period's table; a power of two.
const PERIOD: usize = 2048;

/// A phase is a fraction of a period in 32 bits, of which the top 11 index the table.
const INDEX_SHIFT: u32 = 32 - PERIOD.trailing_zeros();

/// One period of a sound, to be read at any phase.
pub(super) struct Table(Vec<f32>);

impl Table {
    /// A sine by the recurrence of rotation, in f64, where its error stays below 1e-12.
    pub(super) fn sine() -> Self {
        // cos and sin of 2π / 2048.
        const COS: f64 = 0.999_995_293_809_576_2;
        const SIN: f64 = 0.003_067_956_762_965_976;
        let (mut c, mut s) = (1.0f64, 0.0f64);
        let mut table = Vec::with_capacity(PERIOD);
        for _ in 0..PERIOD {
            table.push(s as f32);
            (c, s) = (c * COS - s * SIN, s * COS + c * SIN);
        }
        Table(table)
    }

    /// The sum of the first `count` partials, scaled to a peak of about 1.
    pub(super) fn of_partials(sine: &Table, partials: &[f32], count: usize) -> Self {
        let partials = &partials[..count.min(partials.len())];
        let gain = 1.0 / partials.iter().sum::<f32>().max(1.0);
        let value = |i: usize| {
            let partial = |(k, a): (usize, &f32)| a * sine.0[(i * (k + 1)) % PERIOD];
            partials.iter().enumerate().map(partial).sum::<f32>() * gain
        };
        Table((0..PERIOD).map(value).collect())
    }

    #[inline]
    pub(super) fn at(&self, phase: u32) -> f32 {
        let index = (phase >> INDEX_SHIFT) as usize;
        let share = (phase & ((1 << INDEX_SHIFT) - 1)) as f32 / (1u32 << INDEX_SHIFT) as f32;
        let (a, b) = (self.0[index], self.0[(index + 1) % PERIOD]);
        a + (b - a) * share
    }
}

/// The frequency of a MIDI note number that need not be whole, in Hz.
pub(super) fn note_hz(note: f32) -> f32 {
    /// The twelve semitones from A at 440 Hz.
    const OCTAVE: [f32; 13] = [
        440.0, 466.163_76, 493.883_3, 523.251_1, 554.365_3, 587.329_5, 622.254, 659.255_1,
        698.456_5, 739.988_8, 783.990_9, 830.609_4, 880.0,
    ];
    let above = note - 69.0;
    let octave = (above / 12.0).floor();
    let step = above - octave * 12.0;
    let whole = (step as usize).min(11);
    // Between semitones a straight line is off by less than a cent.
    let mut hz = OCTAVE[whole] + (OCTAVE[whole + 1] - OCTAVE[whole]) * (step - whole as f32);
    for _ in 0..octave.abs() as u32 {
        hz *= if octave > 0.0 { 2.0 } else { 0.5 };
    }
    hz
}

/// `hz` as phase per sample.
pub(super) fn increment(hz: f32, rate: f32) -> u32 {
    (f64::from(hz / rate) * 4_294_967_296.0) as u32
}

/// What an exponential decay with this time constant multiplies by at every sample: e^-x for a small x.
pub(super) fn decay(seconds: f32, rate: f32) -> f32 {
    let x = (1.0 / (seconds * rate)).min(1.0);
    1.0 - x + x * x * 0.5 - x * x * x / 6.0
}

/// One note: when and how long in samples, how high (MIDI number), how loud.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) pitch: f32,
    pub(super) level: f32,
}

/// Adds one note to `mix`.
pub(super) fn play(
    mix: &mut [f32],
    note: Note,
    timbre: &Timbre,
    table: &Table,
    sine: &Table,
    rate: f32,
) {
    let Some(mix) = mix.get_mut(note.start..) else {
        return;
    };
    let release = (0.03 * rate) as usize;
    let end = mix.len().min(note.length + release);
    let attack = 1.0 / (timbre.attack * rate).max(1.0);
    let fall = decay(timbre.decay, rate);
    let fade = 1.0 / release.max(1) as f32;
    let step = increment(note_hz(note.pitch), rate);
    let other_step = increment(note_hz(note.pitch + timbre.chorus), rate);
    let vibrato_step = increment(5.5, rate);
    // One semitone is 5.95 % of the frequency.
    let depth = timbre.vibrato * 0.0595 * step as f32;
    let (mut phase, mut other, mut vibrato) = (0u32, 0x4000_0000u32, 0u32);
    let (mut rise, mut above) = (0.0f32, 1.0 - timbre.sustain);
    for (n, out) in mix[..end].iter_mut().enumerate() {
        let mut value = table.at(phase);
        if timbre.chorus > 0.0 {
            value = 0.6 * (value + table.at(other));
            other = other.wrapping_add(other_step);
        }
        let mut envelope = rise * (timbre.sustain + above);
        if n >= note.length {
            envelope *= 1.0 - (n - note.length) as f32 * fade;
        }
        *out += note.level * envelope * value;
        rise = (rise + attack).min(1.0);
        above *= fall;
        let bend = if depth > 0.0 {
            (depth * sine.at(vibrato)) as i32
        } else {
            0
        };
        phase = phase.wrapping_add(step.wrapping_add_signed(bend));
        vibrato = vibrato.wrapping_add(vibrato_step);
    }
}

/// A drum: a sine that falls from one frequency to another, and noise through a filter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drum {
    /// Hz at first, and in the end.
    pub(super) tone: (f32, f32),
    /// How loud the sine is, and its time constant in seconds.
    pub(super) body: (f32, f32),
    /// How loud the noise is, and its time constant in seconds.
    pub(super) noise: (f32, f32),
    /// How often the noise is differenced: 0 is white, 2 leaves the hiss of a cymbal.
    pub(super) thin: u32,
}

pub(super) const KICK: Drum = Drum {
    tone: (150.0, 48.0),
    body: (1.0, 0.11),
    noise: (0.15, 0.004),
    thin: 0,
};
pub(super) const SNARE: Drum = Drum {
    tone: (240.0, 180.0),
    body: (0.4, 0.05),
    noise: (0.5, 0.07),
    thin: 0,
};
pub(super) const HAT: Drum = Drum {
    tone: (0.0, 0.0),
    body: (0.0, 0.01),
    noise: (0.14, 0.022),
    thin: 2,
};
pub(super) const OPEN_HAT: Drum = Drum {
    tone: (0.0, 0.0),
    body: (0.0, 0.01),
    noise: (0.12, 0.13),
    thin: 2,
};

/// Adds one stroke to `mix`.
pub(super) fn strike(
    mix: &mut [f32],
    start: usize,
    level: f32,
    drum: &Drum,
    sine: &Table,
    rate: f32,
    dice: &mut Dice,
) {
    let Some(mix) = mix.get_mut(start..) else {
        return;
    };
    // After six time constants a stroke is at a quarter of a percent.
    let length = 6.0 * drum.body.1.max(drum.noise.1) * rate;
    let end = mix.len().min(length as usize);
    let (body_fall, noise_fall, glide_fall) = (
        decay(drum.body.1, rate),
        decay(drum.noise.1, rate),
        decay(0.03, rate),
    );
    let (mut body, mut noise) = (level * drum.body.0, level * drum.noise.0);
    let (mut phase, mut glide) = (0u32, drum.tone.0 - drum.tone.1);
    let (mut before, mut before_that) = (0.0, 0.0);
    for out in &mut mix[..end] {
        let white = 2.0 * dice.unit() - 1.0;
        let hiss = if drum.thin == 0 {
            white
        } else {
            white - 2.0 * before + before_that
        };
        (before_that, before) = (before, white);
        *out += body * sine.at(phase) + noise * hiss;
        phase = phase.wrapping_add(increment(drum.tone.1 + glide, rate));
        glide *= glide_fall;
        body *= body_fall;
        noise *= noise_fall;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{abs_diff_eq, assert_abs_diff_eq};

    #[test]
    fn notes_have_their_frequencies() {
        for note in 0..=127 {
            let expected = 440.0 * 2f64.powf((f64::from(note) - 69.0) / 12.0);
            let hz = f64::from(note_hz(note as f32));
            assert!(
                abs_diff_eq!(hz / expected, 1.0, epsilon = 1e-5),
                "{note}: {hz} for {expected}"
            );
            let between =
                f64::from(note_hz(note as f32 + 0.5)) / (expected * 2f64.powf(1.0 / 24.0));
            assert!(
                abs_diff_eq!(between, 1.0, epsilon = 6e-4),
                "{note} and a half: {between}"
            );
        }
    }

    #[test]
    fn the_sine_table_is_a_sine() {
        let table = Table::sine();
        for i in 0..4096u32 {
            let expected = (f64::from(i) / 4096.0 * std::f64::consts::TAU).sin();
            assert_abs_diff_eq!(f64::from(table.at(i << 20)), expected, epsilon = 2e-6);
        }
    }

    #[test]
    fn decays_fall_to_one_over_e() {
        let after = (0..22_050).fold(1.0f32, |level, _| level * decay(1.0, 22_050.0));
        assert!(
            abs_diff_eq!(after, (-1.0f32).exp(), epsilon = 1e-3),
            "{after}"
        );
    }
}
