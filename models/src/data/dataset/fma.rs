//! FMA (Defferrard and others, ISMIR 2017), as people download it.
//!
//! ```text
//! DIR/fma_metadata/tracks.csv       labels (track, genre_top), the official split, the subset, the artists
//! DIR/fma_metadata/features.csv     518 features of every track, for recipes that read a table
//! DIR/fma_small/000/000002.mp3      the clips (or fma_medium, fma_large, fma_full)
//! ```
//!
//! DIR may as well be one of those two folders. Tracks without a top genre have no label and are left out. The official
//! split keeps artists apart, and so do the groups.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::layout::{Layout, Subset};
use super::table::{fma_features, record, records};
use super::{Content, Dataset, Item, Opening, Row, Side};
use crate::Error;

/// Clips of the trimmed subsets that are empty or far shorter than 30 s, because the metadata gave a wrong length
/// (github.com/mdeff/fma, issue 8).
const BROKEN: [u32; 21] = [
    1486, 5574, 65753, 80391, 98558, 98559, 98560, 98565, 98566, 98567, 98568, 98569, 98571, 99134,
    105247, 108924, 108925, 126981, 127336, 133297, 143992,
];

struct Track {
    genre: String,
    artist: String,
    side: Option<Side>,
}

/// Where `tracks.csv` lies, for a folder or a file of FMA's.
pub(super) fn metadata(path: &Path) -> Option<PathBuf> {
    let places = ["fma_metadata", ".", "../fma_metadata", ".."];
    let folder = if path.is_file() { path.parent()? } else { path };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    places.iter().find_map(|place| {
        let metadata = folder.join(place);
        metadata.join("tracks.csv").is_file().then_some(metadata)
    })
}

/// The folder of the clips, and the subset that its name tells.
fn clips(path: &Path) -> Option<(PathBuf, Option<Subset>)> {
    let subset = |folder: &Path| {
        let name = folder.canonicalize().ok()?;
        let name = name
            .file_name()?
            .to_str()?
            .strip_prefix("fma_")?
            .to_string();
        name.parse::<Subset>().ok()
    };
    if let Some(own) = subset(path) {
        return Some((path.into(), Some(own)));
    }
    for subset in Subset::ALL {
        let folder = path.join(format!("fma_{subset}"));
        if folder.is_dir() {
            return Some((folder, Some(subset)));
        }
    }
    path.join("000").is_dir().then(|| (path.into(), None))
}

pub(super) fn open(
    path: &Path,
    asked: Option<Subset>,
    opening: &Opening,
) -> Result<Dataset, Error> {
    let refuse = |reason: &str, hint| Error::Dataset {
        dir: path.into(),
        reason: reason.into(),
        hint,
    };
    let metadata = metadata(path).ok_or_else(|| {
        let hint = "unpack fma_metadata.zip beside the clips";
        refuse("no tracks.csv of FMA's in it or beside it", hint)
    })?;
    let clips = clips(path);
    let named = clips.as_ref().and_then(|(_, subset)| *subset);
    let subset = asked.or(named).unwrap_or(Subset::Small);
    let (tracks, mut warnings) = tracks(&metadata.join("tracks.csv"), subset)?;
    let features = metadata.join("features.csv");
    let mut found: Vec<(u32, PathBuf, Content)> = Vec::new();
    if opening.table && features.is_file() {
        let table = fma_features(&features, |id| tracks.contains_key(&id))?;
        for (id, values) in table.rows {
            let columns = table.columns.clone();
            let content = Content::Row(Arc::new(Row { columns, values }));
            found.push((id, features.clone(), content));
        }
    } else {
        let (folder, _) = clips.ok_or_else(|| {
            let hint = "unpack fma_small.zip beside fma_metadata";
            refuse("FMA's tracks.csv, but no folder of clips (fma_small)", hint)
        })?;
        let (mut missing, mut broken) = (0, 0);
        for &id in tracks.keys() {
            let name = format!("{id:06}");
            let file = folder.join(&name[..3]).join(format!("{name}.mp3"));
            if subset != Subset::Full && BROKEN.contains(&id) {
                broken += 1;
            } else if file.is_file() {
                found.push((id, file, Content::Sound));
            } else {
                missing += 1;
            }
        }
        let folder = folder.display();
        if broken > 0 {
            warnings.push(format!(
                "{folder}: {broken} clips that are known to be cut at the wrong place left out"
            ));
        }
        if missing > 0 {
            warnings.push(format!(
                "{folder}: {missing} of the tracks that tracks.csv names have no file there"
            ));
        }
    }
    if found.is_empty() {
        let hint = "the clips lie as fma_small/000/000002.mp3";
        return Err(refuse("not one track of FMA's is there", hint));
    }
    let genres: std::collections::BTreeSet<&String> =
        found.iter().map(|(id, _, _)| &tracks[id].genre).collect();
    let labels: Vec<String> = genres.into_iter().cloned().collect();
    let item = |(id, path, content): (u32, PathBuf, Content)| {
        let track = &tracks[&id];
        Item {
            path,
            content,
            label: labels.binary_search(&track.genre).unwrap_or_default(),
            group: match track.artist.as_str() {
                "" => format!("track {id}"),
                artist => format!("artist {artist}"),
            },
            name: format!("{}/{id:06}", track.genre),
            side: track.side.filter(|_| opening.official),
        }
    };
    let mut items: Vec<Item> = found.into_iter().map(item).collect();
    items.sort_by(|a, b| (a.label, &a.name).cmp(&(b.label, &b.name)));
    Ok(Dataset {
        dir: path.into(),
        labels,
        items,
        warnings,
        layout: Layout::Fma(Some(subset)),
    })
}

/// The tracks of a subset that have a top genre, by number.
fn tracks(path: &Path, subset: Subset) -> Result<(BTreeMap<u32, Track>, Vec<String>), Error> {
    let malformed = |reason: String| Error::Malformed {
        path: path.into(),
        reason,
    };
    let mut records = records(path)?;
    let mut heading = || {
        let head = record(path, records.next())?;
        head.ok_or_else(|| malformed("two rows of headings are missing".into()))
    };
    let (above, below) = (heading()?, heading()?);
    let column = |group: &str, name: &str| {
        let is = |(a, b): (&str, &str)| a == group && b == name;
        let found = above.iter().zip(&below).position(is);
        found.ok_or_else(|| malformed(format!("no column ({group}, {name})")))
    };
    let genre = column("track", "genre_top")?;
    let artist = column("artist", "id")?;
    let (split, size) = (column("set", "split")?, column("set", "subset")?);
    let (mut tracks, mut unlabelled) = (BTreeMap::new(), 0);
    while let Some(record) = record(path, records.next())? {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let Ok(id) = cell(0).parse::<u32>() else {
            if tracks.is_empty() && cell(0) == "track_id" {
                continue;
            }
            return Err(malformed(format!("{:?} is no track's number", cell(0))));
        };
        if id > 999_999 {
            return Err(malformed(format!("track {id} has more than six digits")));
        }
        let known = |_| malformed(format!("track {id}: {:?} is no subset", cell(size)));
        if cell(size).parse::<Subset>().map_err(known)? > subset {
            continue;
        }
        if cell(genre).is_empty() {
            unlabelled += 1;
            continue;
        }
        let side = match cell(split) {
            "training" => Some(Side::Train),
            "validation" => Some(Side::Validation),
            "test" => Some(Side::Test),
            _ => None,
        };
        let (genre, artist) = (cell(genre).to_string(), cell(artist).to_string());
        tracks.insert(
            id,
            Track {
                genre,
                artist,
                side,
            },
        );
    }
    let mut warnings = Vec::new();
    if unlabelled > 0 {
        warnings.push(format!(
            "{}: {unlabelled} tracks of fma_{subset} have no top genre, left out",
            path.display()
        ));
    }
    Ok((tracks, warnings))
}
