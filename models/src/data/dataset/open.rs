//! Detects the layout of a folder or a file, and reads it.

use std::path::Path;

use super::layout::{Layout, Opening};
use super::{Dataset, ballroom, fma, folders, gtzan, table};
use crate::Error;

impl Dataset {
    /// Reads a dataset in any layout.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for an invalid table or list; [`Error::Dataset`] if no clip is found, or a
    /// label contains control characters.
    pub fn open(path: &Path, opening: &Opening) -> Result<Dataset, Error> {
        let layout = opening.layout.unwrap_or_else(|| detect(path));
        let dataset = match layout {
            Layout::Folders => folders::scan(path, opening.group)?,
            Layout::Gtzan => gtzan::open(path, opening)?,
            Layout::Fma(subset) => fma::open(path, subset, opening)?,
            Layout::Ballroom => ballroom::open(path, opening)?,
            Layout::Table => {
                let mut dataset = table::open(&table_in(path), opening.group)?;
                if opening.layout.is_none() && gtzan::is_gtzan_table(&dataset) {
                    gtzan::join_known(&mut dataset, opening.artists);
                }
                dataset
            }
        };
        match engine::printable(&dataset.labels) {
            Ok(()) => Ok(dataset),
            Err(reason) => Err(Error::Dataset {
                dir: dataset.dir,
                reason,
                hint: "give it a name that can be printed",
            }),
        }
    }
}

fn is_table(path: &Path) -> bool {
    let known = |extension: &std::ffi::OsStr| {
        ["csv", "tsv"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    };
    path.is_file() && path.extension().is_some_and(known)
}

/// Detects the layout of a folder or a file.
#[must_use]
pub fn detect(path: &Path) -> Layout {
    if path.is_file() {
        let fma = ["tracks.csv", "features.csv"]
            .iter()
            .any(|name| path.ends_with(name));
        return match (fma && fma::metadata(path).is_some(), is_table(path)) {
            (true, _) => Layout::Fma(None),
            (false, true) => Layout::Table,
            (false, false) => Layout::Folders,
        };
    }
    if fma::metadata(path).is_some() {
        Layout::Fma(None)
    } else if gtzan::root(path).is_some_and(|root| gtzan::is_gtzan(&root)) {
        Layout::Gtzan
    } else if ballroom::root(path).is_some() {
        Layout::Ballroom
    } else if is_table(&table_in(path)) {
        Layout::Table
    } else {
        Layout::Folders
    }
}

/// The one table in a folder without folders; otherwise the path itself.
fn table_in(path: &Path) -> std::path::PathBuf {
    let entries = folders::listing(path).unwrap_or_default();
    let tables: Vec<_> = entries.iter().filter(|entry| is_table(entry)).collect();
    match tables.as_slice() {
        [only] if !entries.iter().any(|entry| entry.is_dir()) => (*only).clone(),
        _ => path.into(),
    }
}
