//! Beat tracking (Ellis 2007), as in `librosa.beat.beat_track`.

use super::definition::{Definition, How};
use super::kind::Axis;
use super::onset::{Aggregate, of_sound};
use super::spectra::MEL;
use super::tempo::{TEMPO, tempo};
use crate::error::Result;

pub(super) const BEATS: Definition = Definition {
    frames: MEL.frames,
    axis: Axis::Number,
    unit: "",
    how: How::Sound(|sound| {
        let strengths = of_sound(sound, Aggregate::Median)?;
        let found = beat_track(&strengths, sound.settings.sample_rate, sound.settings.hop)?;
        let mut values = vec![0.0; strengths.len()];
        for frame in found.frames {
            values[frame] = 1.0;
        }
        Ok(values)
    }),
    ..TEMPO
};

/// Penalty of a beat that is not one period after the last.
const TIGHTNESS: f64 = 100.0;

/// Tempo and beats of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Beats {
    /// Tempo in beats per minute; 0 if there are no onsets.
    pub tempo: f64,
    /// Frames with a beat, in ascending order.
    pub frames: Vec<usize>,
}

/// Returns tempo and beats from onset strengths ([`super::Aggregate::Median`]) in frames with a hop of `hop` samples.
///
/// Of all rows of frames the one is chosen whose onsets are strongest and whose steps are most even; faint beats at
/// both
/// ends are left out.
///
/// # Errors
/// As [`tempo`].
pub fn beat_track(strengths: &[f32], sample_rate: u32, hop: usize) -> Result<Beats> {
    let tempo = tempo(strengths, sample_rate, hop)?;
    if strengths.iter().all(|s| *s == 0.0) {
        return Ok(Beats {
            tempo: 0.0,
            frames: Vec::new(),
        });
    }
    let frame_rate = f64::from(sample_rate) / hop as f64;
    // At least 1: tempos end at 320, and 8 seconds are at least two frames.
    let period = (60.0 * frame_rate / tempo).round_ties_even().max(1.0) as usize;
    let scores = local_scores(&scaled(strengths), period);
    let (links, totals) = chains(&scores, period);
    let mut frames = vec![last_beat(&totals)];
    while let Some(before) = links[frames[frames.len() - 1]] {
        frames.push(before);
    }
    frames.reverse();
    let threshold = faint(&frames, &scores);
    let loud = |score: &f32| f64::from(*score) > threshold;
    let first = scores.iter().position(loud).unwrap_or(scores.len());
    let end = scores.iter().rposition(loud).map_or(0, |last| last + 1);
    frames.retain(|frame| (first..end).contains(frame));
    Ok(Beats { tempo, frames })
}

/// Returns the strengths, divided by their standard deviation.
fn scaled(strengths: &[f32]) -> Vec<f32> {
    let count = strengths.len() as f64;
    let mean = strengths.iter().map(|s| f64::from(*s)).sum::<f64>() / count;
    let squares = strengths
        .iter()
        .map(|s| (f64::from(*s) - mean).powi(2))
        .sum::<f64>();
    let deviation = (squares / (count - 1.0).max(1.0)).sqrt() as f32 + f32::MIN_POSITIVE;
    strengths.iter().map(|s| s / deviation).collect()
}

/// Returns the local score: strengths smoothed by a Gaussian 1/32 of a period wide.
fn local_scores(strengths: &[f32], period: usize) -> Vec<f32> {
    let bell = |k: usize| {
        let x = (k as f64 - period as f64) * 32.0 / period as f64;
        (-0.5 * x * x).exp()
    };
    let bell: Vec<f64> = (0..=2 * period).map(bell).collect();
    let score = |i: usize| {
        // As in librosa, the very first strength is not used.
        let range = (i + period + 1).saturating_sub(strengths.len())..(i + period).min(bell.len());
        range.fold(0f32, |sum, k| {
            (f64::from(sum) + bell[k] * f64::from(strengths[i + period - k])) as f32
        })
    };
    (0..strengths.len()).map(score).collect()
}

/// For each frame the best total of a row of beats that ends there, and the beat before it. Totals are f64, as
/// librosa's:
/// rows that differ in one frame are often as good as each other but for the last bits.
fn chains(scores: &[f32], period: usize) -> (Vec<Option<usize>>, Vec<f64>) {
    let nearest = (period as f64 / 2.0).round_ties_even() as usize;
    let log_period = (period as f64).ln();
    let cost: Vec<f64> = (0..=2 * period)
        .map(|step| TIGHTNESS * ((step as f64).ln() - log_period).powi(2))
        .collect();
    let threshold = 0.01 * f64::from(scores.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let (mut links, mut totals) = (
        Vec::with_capacity(scores.len()),
        Vec::with_capacity(scores.len()),
    );
    let mut started = false;
    for (i, score) in scores.iter().enumerate() {
        let mut best: Option<(f64, usize)> = None;
        for step in nearest.max(1)..=(2 * period).min(i) {
            let total: f64 = totals[i - step] - cost[step];
            if best.is_none_or(|(most, _)| total > most) {
                best = Some((total, i - step));
            }
        }
        totals.push(f64::from(*score) + best.map_or(0.0, |(total, _)| total));
        // Beats begin with the first frame that is not silent.
        started |= f64::from(*score) >= threshold;
        links.push(best.filter(|_| started).map(|(_, before)| before));
    }
    (links, totals)
}

/// Returns the last local maximum of the score above half of the median.
fn last_beat(totals: &[f64]) -> usize {
    let last = totals.len() - 1;
    let peak = |i: &usize| {
        *i > 0 && totals[*i] > totals[i - 1] && (*i == last || totals[*i] >= totals[i + 1])
    };
    let peaks: Vec<usize> = (0..totals.len()).filter(peak).collect();
    if peaks.is_empty() {
        return last;
    }
    let mut heights: Vec<f64> = peaks.iter().map(|i| totals[*i]).collect();
    heights.sort_by(f64::total_cmp);
    // Twice the median is the sum of the two in the middle, or twice the one there is.
    let threshold = 0.25 * (heights[(heights.len() - 1) / 2] + heights[heights.len() / 2]);
    peaks
        .into_iter()
        .rfind(|i| totals[*i] >= threshold)
        .unwrap_or(last)
}

/// Scores up to half of the root mean square of the beats' own, smoothed, are faint.
fn faint(frames: &[usize], scores: &[f32]) -> f64 {
    // A Hann window over three beats, with half a beat's weight beyond either end.
    let at = |i: isize| {
        usize::try_from(i)
            .ok()
            .and_then(|i| frames.get(i))
            .map_or(0.0, |f| f64::from(scores[*f]))
    };
    let smooth = |i: isize| 0.5 * at(i - 1) + at(i) + 0.5 * at(i + 1);
    let count = (frames.len() + 2).min(scores.len());
    let squares = (0..count as isize).map(|i| smooth(i).powi(2)).sum::<f64>();
    0.5 * (squares / count as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    #[test]
    fn beats_fall_on_the_pulse() {
        let strengths: Vec<f32> = (0..600)
            .map(|t| if t % 20 == 5 { 1.0 } else { 0.05 })
            .collect();
        let beats = beat_track(&strengths, 22_050, 512).unwrap();
        assert!(
            abs_diff_eq!(beats.tempo, 129.2, epsilon = 0.01),
            "{}",
            beats.tempo
        );
        // The last one may follow the sound's end, as librosa's does.
        let (_, frames) = beats.frames.split_last().unwrap();
        assert!(
            frames.len() >= 28 && frames.iter().all(|t| t % 20 == 5),
            "{frames:?}"
        );
    }

    #[test]
    fn silence_and_shortest_sounds_are_borne() {
        assert_eq!(
            beat_track(&[0.0; 50], 22_050, 512).unwrap(),
            Beats {
                tempo: 0.0,
                frames: vec![]
            }
        );
        for strengths in [
            vec![1.0],
            vec![1.0, 1.0],
            vec![0.0, 2.0],
            vec![3.0; 100],
            vec![-1.0; 100],
            vec![f32::MAX; 100],
        ] {
            let beats = beat_track(&strengths, 22_050, 512).unwrap();
            assert!(beats.frames.is_sorted() && beats.frames.iter().all(|t| *t < strengths.len()));
        }
        // Frames of more than a beat.
        assert!(
            beat_track(&[1.0, 0.0, 1.0, 0.0], 100, 300)
                .unwrap()
                .frames
                .len()
                <= 4
        );
        assert!(beat_track(&[], 22_050, 512).is_err());
    }
}
