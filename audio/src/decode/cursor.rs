//! A part of a file as symphonia reads it.

use super::bytes::Bytes;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use symphonia::core::io::MediaSource;

/// A part of a file's bytes, as symphonia reads them.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    bytes: Arc<Mutex<Bytes<'a>>>,
    pub(super) range: Range<u64>,
    at: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &Arc<Mutex<Bytes<'a>>>, range: Range<u64>) -> Self {
        Cursor {
            bytes: Arc::clone(bytes),
            range,
            at: 0,
        }
    }

    fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len().saturating_sub(self.at);
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut bytes = self.bytes.lock().map_err(|_| io::ErrorKind::Other)?;
        let read = bytes.read_at(self.range.start + self.at, &mut buffer[..most])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Cursor<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}
