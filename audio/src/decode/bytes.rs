//! Where a file's bytes come from: the disk, read piece by piece, or memory.

use super::Limits;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// The bytes of one file, read wherever they are wanted.
pub(super) struct Bytes<'a> {
    /// What errors call it.
    pub(super) name: String,
    source: Source<'a>,
    len: u64,
}

enum Source<'a> {
    Disk(File),
    Memory(Cow<'a, [u8]>),
}

impl<'a> Bytes<'a> {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Bytes<'static>> {
        let name = path.display().to_string();
        let failed = |source| Error::Read {
            name: name.clone(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let (source, len) = if metadata.is_file() {
            (Source::Disk(file), metadata.len())
        } else {
            // A pipe cannot be wound back. (A directory can be opened on Unix; reading it is the error.)
            let mut bytes = Vec::new();
            file.take(limits.max_bytes.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            let len = bytes.len() as u64;
            (Source::Memory(bytes.into()), len)
        };
        limits.check_bytes(&name, len)?;
        Ok(Bytes { name, source, len })
    }

    pub(super) fn of(bytes: &'a [u8], name: &str, limits: &Limits) -> Result<Bytes<'a>> {
        let len = bytes.len() as u64;
        limits.check_bytes(name, len)?;
        Ok(Bytes {
            name: name.into(),
            source: Source::Memory(bytes.into()),
            len,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends what stands in `range` to `to`: less where the file ends before.
    pub(super) fn append(&mut self, range: Range<u64>, to: &mut Vec<u8>) -> Result<()> {
        let wanted = range.end.saturating_sub(range.start);
        match &mut self.source {
            Source::Memory(bytes) => {
                let from = usize::try_from(range.start).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                to.extend_from_slice(&rest[..rest.len().min(wanted)]);
                Ok(())
            }
            Source::Disk(file) => file
                .seek(SeekFrom::Start(range.start))
                .and_then(|_| file.take(wanted).read_to_end(to))
                .map(drop)
                .map_err(|source| Error::Read {
                    name: self.name.clone(),
                    source,
                }),
        }
    }

    /// The `N` bytes from `at` on; `None` where the file ends before.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Result<Option<[u8; N]>> {
        let mut bytes = Vec::with_capacity(N);
        self.append(at..at.saturating_add(N as u64), &mut bytes)?;
        Ok(bytes.try_into().ok())
    }
}
