//! Temporary files in the folder that is written to. Each is locked while it is written. If a process is killed, its
//! files remain until the next process writes in the folder: that one removes all files that are not locked.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Suffix of the names of temporary files.
const ENDING: &str = ".melgrad.tmp";

/// Temporary file that is removed when it is dropped, unless it was renamed.
pub(crate) struct Temporary {
    /// Open for reading and writing, and locked.
    pub(crate) file: File,
    path: PathBuf,
}

impl Temporary {
    /// Creates a file in the folder of `path`, named `.NAME.PID-NUMBER.melgrad.tmp`. The first call for a folder
    /// removes the files of killed processes.
    ///
    /// # Errors
    /// [`Error::Io`] naming `path`.
    pub(crate) fn beside(path: &Path) -> Result<Self, Error> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
        let name = name.map_err(Error::io("write", path))?;
        if let Some(folder) = first_in(path) {
            remove_stale(folder);
        }
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{}{ENDING}", std::process::id(), number()));
            let made = Temporary::create(path.with_file_name(hidden));
            if let Some(made) = made.map_err(Error::io("write", path))? {
                return Ok(made);
            }
        }
    }

    /// Returns `None` if the name is taken, or another process removed the file before it was locked.
    fn create(path: PathBuf) -> io::Result<Option<Self>> {
        live().insert(path.clone());
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(&path);
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                live().remove(&path);
                return match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(None),
                    _ => Err(error),
                };
            }
        };
        // Some file systems have no locks. There, files of killed processes stay.
        let _ = file.lock();
        let made = Temporary { file, path };
        Ok(made.path.exists().then_some(made))
    }

    /// Renames the file to `path` and replaces the file there.
    pub(crate) fn rename(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)
        // What is removed now is no longer there.
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Errors cannot be reported here.
        let _ = fs::remove_file(&self.path);
        live().remove(&self.path);
    }
}

/// Returns the folder of a path, if this process writes there for the first time.
fn first_in(path: &Path) -> Option<&Path> {
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let folder = match path.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.insert(folder.into()).then_some(folder)
}

/// Returns a number that is unique in this process, so two writers of the same path use different names.
fn number() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// Returns the temporary files of this process.
fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes this process's temporary files, for a process that ends without unwinding. No thread makes another
/// afterwards.
pub fn remove_own() {
    let live = live();
    for path in live.iter() {
        let _ = fs::remove_file(path);
    }
    std::mem::forget(live);
}

/// Removes the temporary files in a folder that no running process holds. Files that cannot be removed stay.
fn remove_stale(folder: &Path) {
    let ours = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        file && name.starts_with(b".") && name.ends_with(ENDING.as_bytes())
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.filter(ours).map(|entry| entry.path()) {
        // If the lock is free, its process has ended. The lock is held until the file is removed.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let held = Temporary::beside(&dir.path().join("a")).unwrap();
        let stale = dir.path().join(".b.1-1.melgrad.tmp");
        let other = dir.path().join(".b.1-1.tmp");
        for path in [&stale, &other] {
            fs::write(path, "x").unwrap();
        }
        remove_stale(dir.path());
        assert!(held.path.exists() && other.exists() && !stale.exists());
        let path = held.path.clone();
        drop(held);
        assert!(!path.exists());
        let renamed = Temporary::beside(&dir.path().join("a")).unwrap();
        renamed.rename(&dir.path().join("a")).unwrap();
        assert!(dir.path().join("a").exists());
    }
}
