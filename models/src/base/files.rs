//! Reading and writing files. Writes are atomic; errors name the path.

#[cfg(feature = "report")]
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use crate::Error;
use crate::base::temporary::Temporary;
pub use crate::base::temporary::remove_own as remove_temporary_files;

/// A writable file that supports seeking.
pub trait WriteSeek: Write + Seek + Send {}

impl<T: Write + Seek + Send> WriteSeek for T {}

/// Writes a file so that `path` holds either its old content or all of the new.
///
/// `fill` writes into a temporary file in the same folder, which is flushed,
/// forced to the disk and renamed over `path`. On any error (a full disk, a
/// `fill` that fails) the temporary file is removed and `path` is untouched.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write_atomic_seek(path, |writer| fill(writer))
}

/// [`write_atomic`] for a `fill` that seeks back.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write_atomic_seek(
    path: &Path,
    fill: impl FnOnce(&mut dyn WriteSeek) -> io::Result<()>,
) -> Result<(), Error> {
    let temporary = Temporary::beside(path)?;
    let write = || -> io::Result<()> {
        let mut writer = BufWriter::new(&temporary.file);
        fill(&mut writer)?;
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        temporary.rename(path)
    };
    write().map_err(Error::io("write", path))?;
    sync_folder_of(path);
    Ok(())
}

/// [`write_atomic_seek`] for a `fill` that has its own errors and returns a value.
///
/// # Errors
/// Those of `fill`; [`Error::Io`] naming `path`.
#[cfg(feature = "report")]
pub(crate) fn write_atomic_by<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn WriteSeek) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut outcome = None;
    let written = write_atomic_seek(path, |writer| match outcome.insert(fill(writer)) {
        Ok(_) => Ok(()),
        Err(_) => Err(io::Error::other("not written")),
    });
    match outcome {
        Some(Err(error)) => Err(error),
        Some(Ok(answer)) => written.map(|()| answer),
        None => written.and(Err(Error::Stopped)),
    }
}

/// [`write_atomic`] for content that is already in memory.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, |writer| writer.write_all(bytes))
}

/// Returns the numbers as little-endian bytes.
#[cfg(feature = "report")]
pub(crate) fn le_bytes(values: &[f32]) -> Cow<'_, [u8]> {
    match cfg!(target_endian = "little") {
        true => Cow::Borrowed(bytemuck::cast_slice(values)),
        false => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// Returns the numbers in little-endian bytes; an incomplete number at the end is ignored.
#[cfg(feature = "report")]
pub(crate) fn from_le_bytes(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let words = bytes.as_chunks::<4>().0.iter();
    words.map(|word| f32::from_le_bytes(*word))
}

/// Reads a whole file.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    check_file(path)?;
    fs::read(path).map_err(Error::io("read", path))
}

/// Reads a whole text file.
///
/// # Errors
/// [`Error::Io`] naming `path`, also when the file is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    check_file(path)?;
    fs::read_to_string(path).map_err(Error::io("read", path))
}

/// Rejects pipes, sockets and devices, because reading from them may block for ever.
pub(crate) fn check_file(path: &Path) -> Result<(), Error> {
    match audio::decode::special_file(path) {
        Some(what) => Err(Error::Malformed {
            path: path.into(),
            reason: format!("{what}, not a file"),
        }),
        None => Ok(()),
    }
}

/// Reads a JSON file.
///
/// # Errors
/// [`Error::Io`] or [`Error::Malformed`] naming `path`.
#[cfg(feature = "report")]
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&read_bytes(path)?).map_err(|error| Error::Malformed {
        path: path.into(),
        reason: error.to_string(),
    })
}

/// Writes a JSON file.
///
/// # Errors
/// [`Error::Io`] naming `path`.
#[cfg(feature = "report")]
pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Error> {
    write_atomic(path, |writer| {
        serde_json::to_writer_pretty(&mut *writer, value)?;
        writer.write_all(b"\n")
    })
}

/// Creates a folder and its parents, if they do not exist.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io("make the folder", path))
}

/// Makes the rename durable. Systems that cannot open a folder do not need this.
fn sync_folder_of(path: &Path) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn names(dir: &Path) -> Vec<OsString> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn writes_and_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_bytes(&path, b"one").unwrap();
        write_bytes(&path, b"two").unwrap();
        assert_eq!(read_text(&path).unwrap(), "two");
        assert_eq!(names(dir.path()), ["a.txt"]);
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_bytes(&path, b"old").unwrap();
        let error = write_atomic(&path, |writer| {
            writer.write_all(&vec![7; 100_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert!(error.to_string().contains("a.txt"), "{error}");
        assert!(error.hint().unwrap().contains("space"));
        assert_eq!(read_text(&path).unwrap(), "old");
        assert_eq!(names(dir.path()), ["a.txt"]);
    }

    #[test]
    fn a_path_that_cannot_be_replaced_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        fs::create_dir(&path).unwrap();
        let error = write_bytes(&path, b"x").unwrap_err();
        assert!(error.to_string().contains("folder"), "{error}");
        assert_eq!(names(dir.path()), ["folder"]);
    }

    #[test]
    fn errors_name_the_path() {
        let missing = Path::new("no/such/folder/a.txt");
        assert!(
            write_bytes(missing, b"x")
                .unwrap_err()
                .to_string()
                .contains("no/such/folder/a.txt")
        );
        assert!(
            read_bytes(missing)
                .unwrap_err()
                .to_string()
                .contains("no/such/folder/a.txt")
        );
        assert!(write_bytes(Path::new(".."), b"x").is_err());
    }
}
