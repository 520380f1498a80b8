//! Parts of equal work, for several machines.
//!
//! Each part takes files from all over the list, so that no part has only long ones, or only those of a slow format. Which
//! ones is kept in a text file beside the part, a number a line, by which [`super::join()`] restores their order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::base::files;

/// The `index`-th of `count` parts of a list of files, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Number of the part.
    pub index: usize,
    /// Number of parts.
    pub count: usize,
}

impl Shard {
    /// All files.
    pub const WHOLE: Shard = Shard { index: 1, count: 1 };

    /// Numbers of the files of this part, rising. Every machine that sees the same files chooses alike.
    pub(super) fn choose(self, paths: &[PathBuf]) -> Vec<usize> {
        if self == Shard::WHOLE {
            return (0..paths.len()).collect();
        }
        let size = |path: &PathBuf| path.metadata().map_or(0, |file| file.len());
        self.of(&paths.iter().map(size).collect::<Vec<u64>>())
    }

    /// Greedy: from the largest file on, each goes to the part that has the fewest bytes so far.
    fn of(self, bytes: &[u64]) -> Vec<usize> {
        let mut largest: Vec<usize> = (0..bytes.len()).collect();
        largest.sort_by_key(|&at| Reverse(bytes[at]));
        // Parts that get no file are left out of the heap: it may be asked for more parts than memory holds.
        let parts = 1..=self.count.min(bytes.len());
        let mut loads: BinaryHeap<Reverse<(u64, usize)>> = parts.map(|i| Reverse((0, i))).collect();
        let mut chosen = Vec::new();
        for at in largest {
            let Some(Reverse((load, part))) = loads.pop() else {
                break;
            };
            if part == self.index {
                chosen.push(at);
            }
            // Empty files count too, so that they are spread out.
            loads.push(Reverse((load.saturating_add(bytes[at].max(1)), part)));
        }
        chosen.sort_unstable();
        chosen
    }
}

/// The file beside a part that says which of all files its clips are.
fn beside(part: &Path) -> PathBuf {
    let mut name = OsString::from(part);
    name.push(".order");
    name.into()
}

pub(super) fn write_places(part: &Path, places: &[usize]) -> Result<(), Error> {
    let text: String = places.iter().map(|place| format!("{place}\n")).collect();
    files::write_bytes(&beside(part), text.as_bytes())
}

/// Places of the clips of one part among all files, rising.
fn places(part: &Path) -> Result<Vec<usize>, Error> {
    let path = beside(part);
    let text = files::read_text(&path)?;
    let malformed = |reason: &str| Error::Malformed {
        path: path.clone(),
        reason: reason.into(),
    };
    let places: Option<Vec<usize>> = text.lines().map(|line| line.parse().ok()).collect();
    let places = places.ok_or_else(|| malformed("not one whole number a line"))?;
    match places.is_sorted_by(|a, b| a < b) {
        true => Ok(places),
        false => Err(malformed("its numbers do not rise")),
    }
}

/// Number of clips that the file beside each part names; `None` where no part has such a file.
///
/// # Errors
/// [`Error::Malformed`] for a file that holds something else; [`Error::Io`], also where only some parts have one.
pub(super) fn places_of(parts: &[PathBuf]) -> Result<Option<Vec<usize>>, Error> {
    if !parts.iter().any(|part| beside(part).exists()) {
        return Ok(None);
    }
    let count = |part: &PathBuf| Ok(places(part)?.len());
    parts.iter().map(count).collect::<Result<_, _>>().map(Some)
}

/// For each clip of the whole, in order, the number of the part that holds it; `None` where no part has a file beside
/// it.
/// `clips` are the clips of each part.
///
/// # Errors
/// As [`places_of`]; [`Error::Malformed`] naming the file that does not fit its part, or that names what another part
/// holds.
pub(super) fn sequence(parts: &[PathBuf], clips: &[usize]) -> Result<Option<Vec<usize>>, Error> {
    if places_of(parts)?.is_none() {
        return Ok(None);
    }
    let mut all: Vec<(usize, usize)> = Vec::new();
    for (number, (part, clips)) in parts.iter().zip(clips).enumerate() {
        let places = places(part)?;
        if places.len() != *clips {
            let (named, part_name) = (places.len(), part.display());
            return Err(Error::Malformed {
                path: beside(part),
                reason: format!("{named} clips, but {part_name} holds {clips}"),
            });
        }
        all.extend(places.into_iter().map(|place| (place, number)));
    }
    all.sort_unstable();
    if let Some(pair) = all.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (place, other) = (pair[0].0, parts[pair[0].1].display());
        return Err(Error::Malformed {
            path: beside(&parts[pair[1].1]),
            reason: format!("{other} also holds clip {place}"),
        });
    }
    Ok(Some(all.into_iter().map(|(_, part)| part).collect()))
}

/// Order of the clips of several parts.
pub(super) struct Order {
    /// The part of each clip; `None` where one part follows the other.
    pub(super) parts: Option<Vec<usize>>,
    pub(super) rows_per_clip: usize,
}

/// The order of the clips of parts with so many rows; every clip has as many.
pub(super) fn order(parts: &[PathBuf], rows: &[usize]) -> Result<Order, Error> {
    let clips = places_of(parts)?;
    let Some(clips) = clips else {
        return Ok(Order {
            parts: None,
            rows_per_clip: 1,
        });
    };
    let (all, total): (usize, usize) = (rows.iter().sum(), clips.iter().sum());
    let each = (all / total.max(1)).max(1);
    for ((part, rows), clips) in parts.iter().zip(rows).zip(&clips) {
        if clips.checked_mul(each) != Some(*rows) {
            return Err(Error::Malformed {
                path: part.clone(),
                reason: format!("{rows} rows, but {clips} clips of {each} rows beside it"),
            });
        }
    }
    Ok(Order {
        parts: sequence(parts, &clips)?,
        rows_per_clip: each,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_complete_and_of_equal_work() {
        // Ten long files, then ninety short ones.
        let bytes: Vec<u64> = (0..100).map(|i| if i < 10 { 1000 } else { 100 }).collect();
        for count in [1, 2, 3, 7, 150, usize::MAX] {
            let part = |index| Shard { index, count }.of(&bytes);
            let parts: Vec<Vec<usize>> = (1..=count.min(150)).map(part).collect();
            let mut all = parts.concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..100));
            assert!(parts.iter().all(|part| part.is_sorted()));
            let loads = parts
                .iter()
                .map(|part| part.iter().map(|&i| bytes[i]).sum::<u64>());
            let (least, most) = (loads.clone().min().unwrap(), loads.max().unwrap());
            let largest = if count > 7 { 1000 } else { 100 };
            assert!(most - least <= largest, "{count}: {least} to {most}");
        }
        assert_eq!(Shard { index: 1, count: 2 }.of(&[]), [0; 0]);
        assert_eq!(Shard { index: 2, count: 2 }.of(&[0, 0]), [1]);
    }
}
