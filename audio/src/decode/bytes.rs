//! Where a file's bytes come from: the disk, read piece by piece, or memory.

use super::limits::Limits;
use super::special::special_file;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
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
        if let Some(what) = special_file(path) {
            return Err(Error::NotAFile { name, what });
        }
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let (source, len) = if metadata.is_file() {
            (Source::Disk(file), metadata.len())
        } else {
            // A pipe cannot be wound back, so it is held in memory, whatever the limits allow on disk. (A directory can
            // be opened on Unix; reading it is the error.)
            let max_bytes = limits.max_bytes.min(Limits::default().max_bytes);
            let mut bytes = Vec::new();
            file.take(max_bytes.saturating_add(1))
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            let len = bytes.len() as u64;
            let held = Limits {
                max_bytes,
                ..*limits
            };
            held.check_bytes(&name, len)?;
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

    /// Reads what stands from `at` on: as much as `buffer` holds or the file has, but at least a byte of it.
    pub(super) fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                bytes.get(from..).unwrap_or_default().read(buffer)
            }
            Source::Disk(file) => {
                file.seek(SeekFrom::Start(at))?;
                file.read(buffer)
            }
        }
    }

    /// Appends what stands in `range` to `to`: less where the file ends before.
    pub(super) fn append(&mut self, range: Range<u64>, to: &mut Vec<u8>) -> Result<()> {
        let wanted = range.end.min(self.len).saturating_sub(range.start);
        let (mut at, before) = (range.start, to.len());
        to.resize(before + usize::try_from(wanted).unwrap_or(0), 0);
        let mut rest = &mut to[before..];
        while !rest.is_empty() {
            match self.read_at(at, rest) {
                Ok(0) => break,
                Ok(read) => {
                    at += read as u64;
                    rest = &mut rest[read..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let name = self.name.clone();
                    return Err(Error::Read { name, source });
                }
            }
        }
        let missing = rest.len();
        to.truncate(to.len() - missing);
        Ok(())
    }

    /// The `N` bytes from `at` on; `None` where the file ends before.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Result<Option<[u8; N]>> {
        let mut bytes = Vec::with_capacity(N);
        self.append(at..at.saturating_add(N as u64), &mut bytes)?;
        Ok(bytes.try_into().ok())
    }
}
