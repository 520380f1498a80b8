//! Evidence that clips which are named as GTZAN's are GTZAN's: their lengths, or how many there are. Other datasets, and
//! `melgrad synth`, give their files the same names.

use std::path::Path;

use audio::{Limits, Stream};

use super::{Content, Dataset};

/// The rate of GTZAN's sound, in Hz.
const RATE: u32 = 22_050;
/// The lengths of GTZAN's excerpts, in seconds.
const WHOLE: std::ops::RangeInclusive<f64> = 29.5..=31.0;
/// Without lengths there must be so many excerpts of each genre.
const MANY: usize = 50;

/// The length of a clip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    samples: u64,
    rate: u32,
    /// Whether the clip's name says that it is a part of an excerpt.
    part: bool,
}

impl Length {
    /// Of a sound file, as far as its headers tell it.
    pub(super) fn of_file(path: &Path, part: bool) -> Option<Length> {
        let stream = Stream::open(path, &Limits::LONG).ok()?;
        Some(Length {
            samples: stream.about()?,
            rate: stream.sample_rate().max(1),
            part,
        })
    }

    pub(super) fn seconds(self) -> f64 {
        self.samples as f64 / f64::from(self.rate)
    }

    /// Whether somebody cut the clip to a whole number of seconds.
    fn is_round(self) -> bool {
        self.samples.is_multiple_of(u64::from(self.rate))
    }
}

/// Whether more than half of some clips have lengths as GTZAN's have: about 30 s, but no whole number of seconds. Those
/// that somebody shortened are known by their rate, where they are not all equally long, or parts by their names.
pub(super) fn lengths(clips: &[Length]) -> bool {
    let whole = |clip: &&Length| WHOLE.contains(&clip.seconds()) && !clip.is_round();
    let short = |clip: &&Length| clip.rate == RATE && clip.seconds() < *WHOLE.start();
    let mut shortened = clips.iter().filter(short);
    let first = shortened.next();
    let differ = shortened.any(|clip| first.is_some_and(|first| first.samples != clip.samples));
    let short = clips
        .iter()
        .filter(|clip| short(clip) && (differ || clip.part));
    2 * (clips.iter().filter(whole).count() + short.count()) > clips.len()
}

/// Whether these are many excerpts of every genre, where there are no lengths to tell by: `counts` of each genre.
pub(super) fn counts(counts: impl ExactSizeIterator<Item = usize>, genres: usize) -> bool {
    let all = counts.len() == genres;
    all && counts.into_iter().all(|count| count >= MANY)
}

/// The lengths that a table gives of its clips, as GTZAN's table does; `None` where it gives none. `is_part` says of a
/// clip's name whether it names a part.
pub(super) fn table_lengths(
    dataset: &Dataset,
    is_part: impl Fn(&str) -> bool,
) -> Option<Vec<Length>> {
    let mut lengths = Vec::new();
    for item in &dataset.items {
        let Content::Row(row) = &item.content else {
            return None;
        };
        let at = row.columns.iter().position(|column| column == "length")?;
        lengths.push(Length {
            samples: row.values[at].max(0.0) as u64,
            rate: RATE,
            part: is_part(item.stem()),
        });
    }
    Some(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clips(samples: &[u64], rate: u32, part: bool) -> Vec<Length> {
        let clip = |&samples: &u64| Length {
            samples,
            rate,
            part,
        };
        samples.iter().map(clip).collect()
    }

    #[test]
    fn lengths_of_excerpts_and_of_other_clips() {
        assert!(lengths(&clips(
            &[661_794, 661_504, 660_000, 675_808],
            RATE,
            false
        )));
        assert!(lengths(&clips(&[480_210; 3], 16_000, false)), "resampled");
        assert!(
            lengths(&clips(&[331_776, 352_512], RATE, false)),
            "shortened"
        );
        assert!(lengths(&clips(&[66_149; 4], RATE, true)), "parts");
        for (samples, rate) in [(44_100, RATE), (55_125, RATE), (661_500, RATE), (30, 1)] {
            assert!(!lengths(&clips(&[samples; 10], rate, false)), "{samples}");
        }
        assert!(!lengths(&[]));
    }
}
