//! A synthesiser of labelled test music: ten kinds that differ in tempo, timbre, harmony and rhythm.
//!
//! **This music is synthetic.** The kinds bear the names of the ten GTZAN genres because each borrows that genre's
//! outward marks (a shuffle and seventh chords, four bass-drum strokes to the bar, an off-beat organ), but a network
//! that tells them apart has learnt this synthesiser, not music. They serve demonstrations and tests that must run
//! without a download.
//!
//! A clip is fixed to the last bit by (genre, seed, seconds, rate), on every platform. The seed chooses key, tempo,
//! chords, instruments, which optional notes play, the balance of parts, tone, echo, background noise and loudness.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`clip`]: a style and a seed to sound |
//! | `styles.rs` | the ten styles as a table |
//! | `instruments.rs` | tones and drums |
//! | `score.rs` | which notes a part plays |
//! | `dice.rs` | random choices that are the same everywhere |

mod dice;
mod instruments;
mod score;
mod styles;

use crate::clip::Clip;
use dice::Dice;
use instruments::{Drum, HAT, KICK, OPEN_HAT, SNARE, Table, note_hz, play, strike};
use score::Song;
use styles::{Drums, Part, STYLES, Style};

/// The labels, in order. Synthetic: see the module.
pub const GENRES: [&str; 10] = {
    let mut names = [""; 10];
    let mut i = 0;
    while i < 10 {
        names[i] = STYLES[i].name;
        i += 1;
    }
    names
};

/// The longest clip, in seconds.
pub const MAX_SECONDS: f32 = 600.0;

/// Music of the kind [`GENRES`]`[genre]` (counted modulo 10), fixed by `seed`: `seconds` (0 to [`MAX_SECONDS`]) at
/// `rate` samples per second (1 kHz to 192 kHz; other values are moved to the nearest of these).
pub fn clip(genre: usize, seed: u64, seconds: f32, rate: u32) -> Clip {
    let genre = genre % STYLES.len();
    let sample_rate = rate.clamp(1000, 192_000);
    let seconds = if seconds > 0.0 {
        seconds.min(MAX_SECONDS)
    } else {
        0.0
    };
    let len = (seconds * sample_rate as f32) as usize;
    Clip {
        samples: render(
            &STYLES[genre],
            &Dice::new(genre, seed),
            len,
            sample_rate as f32,
        ),
        sample_rate,
    }
}

fn render(style: &Style, dice: &Dice, len: usize, rate: f32) -> Vec<f32> {
    let song = Song::new(style, &mut dice.split(0), rate);
    // The clip begins somewhere within a bar, so one bar more is played and its beginning left out.
    let skip = (dice.split(1).unit() * song.bar_samples()) as usize;
    let mut mix = vec![0.0f32; skip + len];
    let sine = Table::sine();
    for (number, part) in (2..).zip(style.parts) {
        play_part(&mut mix, &song, part, &mut dice.split(number), &sine, rate);
    }
    let mut effects = dice.split(100);
    distort(&mut mix, style.drive * effects.between((0.7, 1.3)));
    if let Some(drums) = &style.drums {
        play_drums(&mut mix, &song, drums, &mut dice.split(101), &sine, rate);
    }
    echo(&mut mix, style.room * effects.between((0.5, 1.5)), rate);
    low_pass(&mut mix, effects.between(style.tone), rate);
    mix.drain(..skip);
    master(&mut mix, &mut effects);
    mix
}

fn play_part(mix: &mut [f32], song: &Song, part: &Part, dice: &mut Dice, sine: &Table, rate: f32) {
    let timbre = dice.pick(part.timbres);
    let level = 0.25 * part.level * dice.between((0.6, 1.3));
    // One table per number of partials that fit below half the sample rate.
    let mut tables: Vec<Option<Table>> = Vec::new();
    tables.resize_with(timbre.partials.len() + 1, || None);
    for mut note in song.notes(part, mix.len(), dice) {
        let fitting = (0.47 * rate / note_hz(note.pitch)) as usize;
        let count = fitting.min(timbre.partials.len());
        if count > 0 {
            let table = tables[count]
                .get_or_insert_with(|| Table::of_partials(sine, timbre.partials, count));
            note.level *= level;
            play(mix, note, timbre, table, sine, rate);
        }
    }
}

fn play_drums(
    mix: &mut [f32],
    song: &Song,
    drums: &Drums,
    dice: &mut Dice,
    sine: &Table,
    rate: f32,
) {
    let (tuning, ringing) = (dice.between((0.85, 1.2)), dice.between((0.7, 1.4)));
    let kit = [
        (KICK, drums.kick),
        (SNARE, drums.snare),
        (HAT, drums.hat),
        (OPEN_HAT, drums.open),
    ];
    for (drum, pattern) in kit {
        let level = 0.5 * drums.level * dice.between((0.7, 1.25));
        let drum = Drum {
            tone: (drum.tone.0 * tuning, drum.tone.1 * tuning),
            body: (drum.body.0, drum.body.1 * ringing),
            noise: (drum.noise.0, drum.noise.1 * ringing),
            ..drum
        };
        for (start, accent) in song.strokes(pattern, mix.len(), dice) {
            strike(mix, start, level * accent, &drum, sine, rate, dice);
        }
    }
}

/// A soft clipper; `drive` 0 leaves everything as it is.
fn distort(mix: &mut [f32], drive: f32) {
    for s in mix {
        *s = *s * (1.0 + drive) / (1.0 + drive * s.abs());
    }
}

/// Three feedback delays, of lengths that have no common divisor, side by side.
fn echo(mix: &mut [f32], share: f32, rate: f32) {
    let mut wet = vec![0.0f32; mix.len()];
    for (seconds, feedback) in [(0.0297, 0.75), (0.0371, 0.72), (0.0437, 0.69)] {
        let delay = ((seconds * rate) as usize).max(1);
        let mut line = vec![0.0f32; delay];
        for (block, out) in mix.chunks(delay).zip(wet.chunks_mut(delay)) {
            for ((dry, wet), held) in block.iter().zip(out).zip(&mut line) {
                *held = dry + feedback * *held;
                *wet += *held;
            }
        }
    }
    let delayed = ((0.02 * rate) as usize).min(mix.len());
    for (dry, wet) in mix[delayed..].iter_mut().zip(&wet) {
        *dry += share * 0.33 * wet;
    }
}

fn low_pass(mix: &mut [f32], hz: f32, rate: f32) {
    let w = std::f32::consts::TAU * hz / rate;
    let share = w / (1.0 + w);
    let mut held = 0.0;
    for s in mix {
        held += share * (*s - held);
        *s = held;
    }
}

/// Background noise, then a peak that varies from clip to clip.
fn master(mix: &mut [f32], dice: &mut Dice) {
    let peak = mix.iter().fold(0.0f32, |p, s| p.max(s.abs())).max(1e-6);
    let hiss = peak * dice.between((0.001, 0.01));
    let gain = dice.between((0.3, 0.95)) / (peak + hiss);
    for s in mix {
        *s = gain * (*s + hiss * (2.0 * dice.unit() - 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// FNV-1a over the bits of all samples.
    fn fingerprint(clip: &Clip) -> u64 {
        let bytes = clip.samples.iter().flat_map(|s| s.to_bits().to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    #[test]
    fn patterns_fill_their_bars() {
        for style in &STYLES {
            let steps = style.parts[0].pattern.len();
            assert_eq!(steps % style.steps_per_beat, 0, "{}", style.name);
            let drums = style
                .drums
                .iter()
                .flat_map(|d| [d.kick, d.snare, d.hat, d.open]);
            for pattern in style.parts.iter().map(|p| p.pattern).chain(drums) {
                assert_eq!(pattern.len(), steps, "{}: {pattern}", style.name);
                assert!(
                    pattern.bytes().all(|b| b"xo.".contains(&b)),
                    "{}: {pattern}",
                    style.name
                );
            }
        }
        assert!(
            GENRES.is_sorted(),
            "labels come in the order in which folders are listed"
        );
    }

    #[test]
    fn every_clip_is_sound_within_full_scale() {
        for genre in 0..10 {
            for seed in 0..3 {
                let clip = clip(genre, seed, 1.5, 22_050);
                assert_eq!(clip.samples.len(), 33_075);
                let peak = clip.samples.iter().fold(0.0f32, |p, s| p.max(s.abs()));
                assert!(
                    (0.25..=1.0).contains(&peak),
                    "{} {seed}: {peak}",
                    GENRES[genre]
                );
                // Sound throughout: no half second is silent.
                for half in clip.samples.chunks(11_025) {
                    let rms = (half.iter().map(|s| s * s).sum::<f32>() / half.len() as f32).sqrt();
                    assert!(rms > 0.002, "{} {seed}: {rms}", GENRES[genre]);
                }
            }
        }
    }

    #[test]
    fn a_clip_is_fixed_by_genre_and_seed() {
        assert_eq!(clip(4, 9, 1.0, 22_050), clip(4, 9, 1.0, 22_050));
        assert_eq!(
            clip(14, 9, 1.0, 22_050),
            clip(4, 9, 1.0, 22_050),
            "genres count modulo 10"
        );
        assert_ne!(clip(4, 9, 1.0, 22_050), clip(4, 10, 1.0, 22_050));
        assert_ne!(clip(4, 9, 1.0, 22_050), clip(5, 9, 1.0, 22_050));
    }

    /// Must hold on every platform. A change of the synthesiser changes it, and with it every figure about the demo.
    #[test]
    fn the_bits_are_the_same_everywhere() {
        let all = (0..10).fold(0u64, |h, genre| {
            h.rotate_left(7) ^ fingerprint(&clip(genre, 1, 2.0, 22_050))
        });
        assert_eq!(format!("{all:016x}"), "ba605947229d1d92");
    }

    #[test]
    fn odd_requests_are_met() {
        for seconds in [0.0, -1.0, f32::NAN, 1e-9] {
            assert!(clip(0, 0, seconds, 22_050).samples.is_empty());
        }
        assert_eq!(clip(0, 0, 0.01, 0).sample_rate, 1000);
        assert_eq!(
            clip(usize::MAX, u64::MAX, 0.01, 1_000_000).samples.len(),
            1920
        );
    }

    #[test]
    fn synthesis_is_fast() {
        let start = Instant::now();
        for genre in 0..10 {
            clip(genre, 0, 10.0, 22_050);
        }
        let factor = 100.0 / start.elapsed().as_secs_f64();
        println!("{factor:.0} times real time");
        // Aimed at 50 and more on one core; a tenth of that here, for busy machines.
        assert!(factor > 5.0, "{factor:.1} times real time");
    }
}
