//! Lock of a run folder: only one process at a time may write there.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::Error;
use crate::base::files;

/// Name of the lock file. It stays in the folder, empty; the lock is released when its process ends.
const NAME: &str = ".lock";

/// A run folder that only this process writes. The lock is released on drop.
#[derive(Debug)]
#[must_use]
pub struct RunLock {
    file: File,
}

impl RunLock {
    /// Locks a folder; creates it if it is missing.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process holds the lock; [`Error::Io`].
    pub fn take(dir: &Path) -> Result<RunLock, Error> {
        files::make_folder(dir)?;
        let path = dir.join(NAME);
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(&path).map_err(Error::io("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let dir = dir.into();
                let process = holder(&mut file);
                return Err(Error::Locked { dir, process });
            }
            // Some file systems have no locks: the run is then trained without one.
            Err(TryLockError::Error(_)) => {}
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(std::process::id().to_string().as_bytes())
        };
        write(&mut file).map_err(Error::io("write", &path))?;
        Ok(RunLock { file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The process id is outdated now. If it cannot be removed, that error cannot be reported.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Returns the id of the process that holds the lock, from the lock file. On Windows others cannot read it.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("deep/run");
        let lock = RunLock::take(&run).unwrap();
        let error = RunLock::take(&run).unwrap_err();
        let words = [
            run.to_str().unwrap(),
            &format!("process {}", std::process::id()),
        ];
        for word in words {
            assert!(error.to_string().contains(word), "{error}");
        }
        drop(lock);
        let _lock = RunLock::take(&run).unwrap();
    }
}
