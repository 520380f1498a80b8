//! Which files some arguments mean.

use std::path::{Path, PathBuf};

use audio::decode::special_file;

use crate::Error;
use crate::data::dataset::{is_audio, listing};

/// The audio that some arguments mean: files as they are, folders for the files below them that are named like audio,
/// sorted by name. `skipped` is told what is left out of a folder: pipes, sockets, devices, links that lead back.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be listed; [`Error::Malformed`] for one without audio.
pub fn audio_files(
    inputs: &[PathBuf],
    skipped: &mut dyn FnMut(String),
) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let before = found.len();
        search(input, &mut Vec::new(), &mut found, skipped)?;
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

/// What a clip that [`audio_files`] found is called by the folders around it: as in a dataset, the folder right below
/// the
/// one that was named; where it lies in none, that one itself; for a file that was named, its folder.
pub(super) fn label(inputs: &[PathBuf], file: &Path) -> String {
    let below = inputs
        .iter()
        .find_map(|input| file.strip_prefix(input).ok());
    let mut folders = below.and_then(Path::parent).unwrap_or(Path::new("")).iter();
    let own = || file.parent().and_then(Path::file_name);
    let name = folders.next().or_else(own).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// `above` holds the real folders on the way here, so that a link which leads back ends.
fn search(
    folder: &Path,
    above: &mut Vec<PathBuf>,
    found: &mut Vec<PathBuf>,
    skipped: &mut dyn FnMut(String),
) -> Result<(), Error> {
    let listed = folder
        .canonicalize()
        .and_then(|real| Ok((real, listing(folder)?)));
    let (real, entries) = listed.map_err(Error::io("list", folder))?;
    if above.contains(&real) {
        let folder = folder.display();
        skipped(format!("{folder}: a link to a folder above it, left out"));
        return Ok(());
    }
    above.push(real);
    for entry in entries {
        if entry.is_dir() {
            search(&entry, above, found, skipped)?;
        } else if !is_audio(&entry) {
            continue;
        } else if let Some(what) = special_file(&entry) {
            skipped(format!("{}: {what}, left out", entry.display()));
        } else {
            found.push(entry);
        }
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_a_dataset() {
        let inputs = ["music", "more/rock", "a/b.wav", "."].map(PathBuf::from);
        for (file, expected) in [
            ("music/blues/x.wav", "blues"),
            ("music/blues/album/x.wav", "blues"),
            ("music/x.wav", "music"),
            ("more/rock/x.wav", "rock"),
            ("a/b.wav", "a"),
            ("./jazz/x.wav", "jazz"),
            ("./x.wav", ""),
            ("x.wav", ""),
        ] {
            assert_eq!(label(&inputs, Path::new(file)), expected, "{file}");
        }
    }
}
