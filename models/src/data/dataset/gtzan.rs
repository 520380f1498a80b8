//! GTZAN (Tzanetakis and Cook 2002), as people download it: ten genres of 100 excerpts, `.au` or `.wav`.
//!
//! ```text
//! DIR/genres/blues/blues.00000.au             or DIR/genres_original/…, DIR/Data/genres_original/…, DIR itself
//! DIR/features_30_sec.csv                     for recipes that read a table
//! DIR/train_filtered.txt, valid_…, test_…     the fault-filtered split, where somebody put its lists there
//! ```
//!
//! What is known of copies and artists stands in `gtzan.txt`: copies share a group, and so do excerpts of one artist
//! where that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::evidence::{self, Length};
use super::layout::Layout;
use super::{Dataset, Opening, Side, folders, is_audio, table};
use crate::Error;
use crate::base::files;

/// The ten labels.
pub(super) const GENRES: [&str; 10] = [
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
];

const KNOWN: &str = include_str!("gtzan.txt");

/// Where else in a download the ten folders may be.
const INSIDE: [&str; 5] = [
    ".",
    "genres",
    "genres_original",
    "Data/genres_original",
    "Data",
];

/// The folder that holds at least two of the ten, with files called as GTZAN's are.
pub(super) fn root(path: &Path) -> Option<PathBuf> {
    let has = |folder: &Path, genre: &str| {
        let entries = folder.join(genre).read_dir().ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        let named = |name: std::ffi::OsString| {
            let stem = Path::new(&name).file_stem()?.to_str()?.to_string();
            Some(excerpt(&stem)?.0 == genre)
        };
        names.find_map(named).filter(|&own| own)
    };
    let count = |folder: &Path| {
        GENRES
            .iter()
            .filter(|genre| has(folder, genre).is_some())
            .count()
    };
    let inside = INSIDE.iter().map(|inside| match *inside {
        "." => path.to_path_buf(),
        inside => path.join(inside),
    });
    inside.into_iter().find(|folder| count(folder) >= 2)
}

/// Whether what lies in the folder of [`root`] is GTZAN, and not only called so: by the length of one clip of each
/// genre;
/// pictures by their number.
pub(super) fn is_gtzan(root: &Path) -> bool {
    let (mut lengths, mut counts, mut clips) = (Vec::new(), Vec::new(), 0);
    for genre in GENRES {
        let entries = folders::listing(&root.join(genre)).unwrap_or_default();
        let named = |path: &&PathBuf| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            stem.and_then(excerpt).is_some_and(|own| own.0 == genre)
        };
        let named: Vec<&PathBuf> = entries.iter().filter(named).collect();
        if named.is_empty() {
            continue;
        }
        counts.push(named.len());
        let sound = named.iter().find(|path| is_audio(path));
        clips += usize::from(sound.is_some());
        lengths.extend(sound.and_then(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            Length::of_file(path, stem.is_some_and(is_part))
        }));
    }
    match clips {
        0 => evidence::counts(counts.into_iter(), GENRES.len()),
        _ => evidence::lengths(&lengths),
    }
}

/// Whether a table with GTZAN's names is GTZAN's: by its column of lengths, or by its number of rows.
pub(super) fn is_gtzan_table(dataset: &Dataset) -> bool {
    if let Some(lengths) = evidence::table_lengths(dataset, is_part) {
        return evidence::lengths(&lengths);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (genre, _) in dataset.items.iter().filter_map(|item| excerpt(item.stem())) {
        *counts.entry(genre).or_default() += 1;
    }
    evidence::counts(counts.into_values(), GENRES.len())
}

fn table_of(path: &Path) -> Option<PathBuf> {
    let places = [
        "features_30_sec.csv",
        "../features_30_sec.csv",
        "Data/features_30_sec.csv",
    ];
    let mut places = places.iter().map(|place| path.join(place));
    places.find(|place| place.is_file())
}

pub(super) fn open(path: &Path, opening: &Opening) -> Result<Dataset, Error> {
    let table = table_of(path).filter(|_| opening.table);
    let mut dataset = match table {
        Some(table) => table::open(&table, opening.group)?,
        None if path.is_file() => table::open(path, opening.group)?,
        None => {
            let root = root(path).unwrap_or_else(|| path.into());
            folders::scan(&root, opening.group)?
        }
    };
    dataset.layout = Layout::Gtzan;
    count_once(&mut dataset);
    join_known(&mut dataset, opening.artists);
    if opening.official {
        filtered_split(path, &mut dataset)?;
    }
    Ok(dataset)
}

/// The genre and the number of an excerpt: `blues.00029` (and `blues.00029.3`), `blues_00029`, `blues00029`.
fn excerpt(stem: &str) -> Option<(&'static str, u32)> {
    let genre = GENRES.iter().find(|genre| stem.starts_with(**genre))?;
    let rest = stem.strip_prefix(genre)?.trim_start_matches(['.', '_']);
    let digits = rest.get(..5)?;
    let ends = !rest[5..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let number = digits.parse().ok().filter(|_| ends)?;
    Some((genre, number))
}

/// Whether the name is that of a part of an excerpt: `blues.00029.3`.
fn is_part(stem: &str) -> bool {
    excerpt(stem).is_some_and(|(genre, number)| {
        let ending = format!("{number:05}");
        stem.starts_with(genre) && !stem.ends_with(&ending)
    })
}

/// Leaves out what is there twice under one name, as `.au` and as `.wav`.
fn count_once(dataset: &mut Dataset) {
    let mut seen = BTreeSet::new();
    let before = dataset.items.len();
    // Of sound files alone the name has no ending that tells them apart.
    let sound = |item: &super::Item| matches!(item.content, super::Content::Sound);
    (dataset.items).retain(|item| !sound(item) || seen.insert(item.name.clone()));
    let twice = before - dataset.items.len();
    if twice > 0 {
        dataset.warnings.push(format!(
            "{}: {twice} excerpts are there in two formats (.au and .wav); each counts once",
            dataset.dir.display()
        ));
    }
}

/// For each excerpt that is known not to stand alone, the first of those that belong together.
fn known(artists: bool) -> BTreeMap<(String, u32), (String, u32)> {
    let mut first: BTreeMap<(String, u32), (String, u32)> = BTreeMap::new();
    for line in KNOWN.lines() {
        let mut words = line.split_whitespace();
        let (kind, label) = (words.next(), words.next().unwrap_or_default());
        if !(kind == Some("copies") || artists && kind == Some("artist")) {
            continue;
        }
        let mut together: Vec<(String, u32)> = Vec::new();
        for word in words {
            let (label, numbers) = word.split_once('.').unwrap_or((label, word));
            let (from, to) = numbers.split_once('-').unwrap_or((numbers, numbers));
            if let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>()) {
                together.extend((from..=to).map(|number| (label.to_string(), number)));
            }
        }
        // Whoever belongs to one of them already brings all of its own.
        let own: Vec<_> = together
            .iter()
            .filter_map(|one| first.get(one).cloned())
            .collect();
        let Some(lowest) = own.iter().chain(&together).min().cloned() else {
            continue;
        };
        for value in first.values_mut().filter(|value| own.contains(value)) {
            value.clone_from(&lowest);
        }
        first.extend(together.into_iter().map(|one| (one, lowest.clone())));
    }
    first
}

/// Gives clips that belong together one group.
pub(super) fn join_known(dataset: &mut Dataset, artists: bool) {
    let (repeated, known) = (known(false), known(artists));
    let mut copies = BTreeMap::new();
    for item in &mut dataset.items {
        let Some((genre, number)) = excerpt(item.stem()) else {
            continue;
        };
        let own = (genre.to_string(), number);
        if let Some(first) = repeated.get(&own) {
            let copies = copies.entry(first).or_insert_with(BTreeSet::new);
            copies.insert(own);
        }
        if let Some((genre, number)) = known.get(&(genre.to_string(), number)) {
            item.group = format!("{genre}/{genre}.{number:05} and others");
        }
    }
    let more: usize = copies.values().map(|own| own.len() - 1).sum();
    if more > 0 {
        dataset.warnings.push(format!(
            "{}: {more} of GTZAN's excerpts are copies of others (Sturm 2013), and belong together with them",
            dataset.dir.display()
        ));
    }
}

/// The fault-filtered split (Kereliuk, Sturm and Larsen 2015), where its three lists lie there.
fn filtered_split(path: &Path, dataset: &mut Dataset) -> Result<(), Error> {
    let sides = [
        ("train_filtered.txt", Side::Train),
        ("valid_filtered.txt", Side::Validation),
        ("test_filtered.txt", Side::Test),
    ];
    let folder = if path.is_file() {
        path.join("..")
    } else {
        path.into()
    };
    let holds = |folder: &PathBuf| sides.iter().all(|(name, _)| folder.join(name).is_file());
    let places = [folder.clone(), folder.join(".."), dataset.dir.join("..")];
    let Some(lists) = places.into_iter().find(holds) else {
        return Ok(());
    };
    let mut listed: BTreeMap<(&str, u32), Side> = BTreeMap::new();
    for (name, side) in sides {
        let list = lists.join(name);
        for (number, line) in files::read_text(&list)?.lines().enumerate() {
            let file = Path::new(line.trim());
            let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
                continue;
            };
            let own = excerpt(stem).ok_or_else(|| Error::Malformed {
                path: list.clone(),
                reason: format!("line {}: {line:?} is no excerpt of GTZAN's", number + 1),
            })?;
            listed.insert(own, side);
        }
    }
    let before = dataset.items.len();
    dataset.items.retain_mut(|item| {
        item.side = excerpt(item.stem()).and_then(|own| listed.get(&own).copied());
        item.side.is_some()
    });
    let left_out = before - dataset.items.len();
    dataset.warnings.push(format!(
        "{}: the fault-filtered split; {left_out} clips are in none of its lists and are left out",
        lists.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_excerpts() {
        for name in ["blues.00029", "blues.00029.3", "blues_00029", "blues00029"] {
            assert_eq!(excerpt(name), Some(("blues", 29)), "{name}");
        }
        assert!(is_part("blues.00029.3") && is_part("blues_00029-a"));
        assert!(!is_part("blues.00029") && !is_part("polka.00001.1"));
        for name in [
            "blues",
            "blues.29",
            "blues.000290",
            "polka.00001",
            "blues.é0001",
        ] {
            assert_eq!(excerpt(name), None, "{name}");
        }
    }

    #[test]
    fn every_line_of_what_is_known_is_read() {
        let copies = known(false);
        assert_eq!(copies.len(), 96);
        let first = |map: &BTreeMap<_, _>, label: &str, number| {
            map.get(&(label.to_string(), number)).cloned()
        };
        assert_eq!(first(&copies, "reggae", 92), Some(("reggae".into(), 75)));
        assert_eq!(first(&copies, "rock", 16), Some(("metal".into(), 58)));
        assert_eq!(first(&copies, "rock", 17), None);
        let artists = known(true);
        assert_eq!(first(&artists, "blues", 28), Some(("blues".into(), 12)));
        // By way of the copy, Metal's and Rock's artist are one.
        assert_eq!(first(&artists, "rock", 26), first(&artists, "metal", 60));
        assert!(
            artists
                .keys()
                .all(|(genre, number)| { GENRES.contains(&genre.as_str()) && *number < 100 })
        );
        for first in artists.values() {
            assert_eq!(artists[first], *first);
        }
    }
}
