//! Ballroom (Gouyon and others 2006): a folder per dance, `DIR/BallroomData/ChaChaCha/Albums-Cafe_Paradiso-05.wav`.
//!
//! Thirteen of its excerpts are copies of others (Sturm 2014); they are left out. Where artists are to be kept apart,
//! the tracks of one album share a group.

use std::path::{Path, PathBuf};

use super::evidence::Length;
use super::layout::Layout;
use super::{Dataset, Item, Opening, folders};
use crate::Error;

const DANCES: [&str; 14] = [
    "ChaChaCha",
    "Jive",
    "Pasodoble",
    "Quickstep",
    "Rumba-American",
    "Rumba-International",
    "Rumba-Misc",
    "Salsa",
    "Samba",
    "Slowwaltz",
    "Tango",
    "VienneseWaltz",
    "Waltz",
    "Wcswing",
];

const COPIES: [&str; 13] = [
    "Albums-Ballroom_Classics4-12",
    "Albums-Cafe_Paradiso-08",
    "Albums-Cafe_Paradiso-09",
    "Albums-Cafe_Paradiso-13",
    "Albums-Chrisanne1-13",
    "Albums-Chrisanne2-12",
    "Albums-Chrisanne3-04",
    "Albums-Fire-08",
    "Albums-Latin_Jam-09",
    "Albums-Latin_Jam-11",
    "Albums-Latin_Jam2-09",
    "Albums-Latin_Jam2-13",
    "Albums-Latin_Jam3-02",
];

/// The folder of the dances: at least four of them.
pub(super) fn root(path: &Path) -> Option<PathBuf> {
    let dances = |folder: &Path| {
        DANCES
            .iter()
            .filter(|name| folder.join(name).is_dir())
            .count()
    };
    let places = [path.to_path_buf(), path.join("BallroomData")];
    places.into_iter().find(|place| dances(place) >= 4)
}

pub(super) fn open(path: &Path, opening: &Opening) -> Result<Dataset, Error> {
    let root = root(path).unwrap_or_else(|| path.into());
    let mut dataset = folders::scan(&root, opening.group)?;
    dataset.layout = Layout::Ballroom;
    let before = dataset.items.len();
    // Another dataset's clips may have the same names. Ballroom's last 30 s, a few of them longer.
    let known = opening.layout.is_some();
    let is_ballrooms = |item: &Item| {
        let length = Length::of_file(&item.path, false);
        known || length.is_some_and(|length| (28.0..=35.0).contains(&length.seconds()))
    };
    if opening.drop_copies {
        let is_copy = |item: &Item| COPIES.contains(&item.stem()) && is_ballrooms(item);
        dataset.items.retain(|item| !is_copy(item));
    }
    let copies = before - dataset.items.len();
    if copies > 0 {
        dataset.warnings.push(format!(
            "{}: {copies} clips that are known to be copies of others left out",
            root.display()
        ));
    }
    if opening.artists {
        for item in &mut dataset.items {
            let album = item.stem().strip_prefix("Albums-");
            if let Some((album, _)) = album.and_then(|stem| stem.rsplit_once('-')) {
                item.group = format!("album {album}");
            }
        }
    }
    Ok(dataset)
}
