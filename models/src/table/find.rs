//! Which files some arguments mean.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::dataset::is_audio;

/// The audio that some arguments mean: files as they are, folders for the files below them that are named like audio,
/// sorted by name.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be listed; [`Error::Malformed`] for one without audio.
pub fn audio_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let before = found.len();
        search(input, &mut Vec::new(), &mut found)?;
        if found.len() == before {
            let reason = "no file in it is named like audio (.wav, .mp3, …)".into();
            return Err(Error::Malformed {
                path: input.clone(),
                reason,
            });
        }
    }
    Ok(found)
}

/// `above` holds the real folders on the way here, so that a link which leads back ends.
fn search(folder: &Path, above: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let list = || -> io::Result<(PathBuf, Vec<PathBuf>)> {
        let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect();
        Ok((fs::canonicalize(folder)?, entries?))
    };
    let (real, mut entries) = list().map_err(Error::io("list", folder))?;
    if above.contains(&real) {
        return Ok(());
    }
    above.push(real);
    entries.retain(|entry| {
        !entry
            .file_name()
            .unwrap_or_default()
            .as_encoded_bytes()
            .starts_with(b".")
    });
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            search(&entry, above, found)?;
        } else if is_audio(&entry) {
            found.push(entry);
        }
    }
    above.pop();
    Ok(())
}
