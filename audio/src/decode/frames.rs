//! The frames of MPEG audio: found in a file, one after the other, whatever stands between them.

use super::bytes::Bytes;
use super::mpeg::{Decoder, Header};
use crate::error::Result;
use std::ops::Range;

/// One frame.
pub(super) struct Frame<'d> {
    pub(super) header: Header,
    /// All of it, header first.
    pub(super) bytes: &'d [u8],
    /// The mean of its channels, full scale at 1; none where it was not decoded, or could not be, for want of the frames
    /// before it, for example.
    pub(super) samples: &'d [f32],
}

/// Walks the frames of a file.
pub(super) struct Frames<'a> {
    pub(super) bytes: Bytes<'a>,
    /// What was not read yet.
    rest: Range<u64>,
    /// What was read; its part before `start` is done with.
    buffer: Vec<u8>,
    start: usize,
    /// The header of the frame before, and its length without padding.
    before: Option<(Header, usize)>,
    /// Made where a stream begins to be decoded.
    decoder: Option<Decoder>,
}

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;

/// Bytes that must be seen ahead, but for the file's end: to be sure of a first header, that many frames behind it are
/// looked for, of at most 2.9 kB each.
const AHEAD: usize = 1 << 15;
const SURE: usize = 10;

/// Frames of free format that are looked for: not so short that one without padding could have no bytes.
const FREE: std::ops::Range<usize> = 24..2304;

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: Bytes<'a>, range: Range<u64>) -> Self {
        Frames {
            bytes,
            rest: range,
            buffer: Vec::new(),
            start: 0,
            before: None,
            decoder: None,
        }
    }

    /// The next frame, decoded if asked for; `None` at the end.
    pub(super) fn next(&mut self, decode: bool) -> Result<Option<Frame<'_>>> {
        let (header, length) = loop {
            if self.buffer.len() - self.start < AHEAD && !self.rest.is_empty() {
                self.read()?;
            }
            let window = &self.buffer[self.start..];
            if window.is_empty() {
                return Ok(None);
            }
            let whole = self.rest.is_empty();
            let goes_on = self
                .before
                .as_ref()
                .and_then(|before| follows(window, before));
            if let Some(frame) = goes_on {
                break frame;
            }
            self.before = None;
            match find(window, whole) {
                Some((at, header, length)) => {
                    // What comes after a gap does not go on with what came before it.
                    self.decoder = None;
                    self.start += at;
                    break (header, length);
                }
                None if whole => {
                    self.start = self.buffer.len();
                    return Ok(None);
                }
                // One may begin near the window's end.
                None => self.start += window.len().saturating_sub(AHEAD / 2).max(1),
            }
        };
        let frame = self.start..self.start + length;
        self.start = frame.end;
        self.before = Some((header, length - header.padding()));
        let bytes = &self.buffer[frame];
        let samples = match decode {
            true => (self.decoder)
                .get_or_insert_with(Decoder::new)
                .decode(&header, bytes),
            false => &[],
        };
        Ok(Some(Frame {
            header,
            bytes,
            samples,
        }))
    }

    /// Reads another block.
    fn read(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let to = self.rest.end.min(self.rest.start + BLOCK as u64);
        let before = self.buffer.len();
        self.bytes.append(self.rest.start..to, &mut self.buffer)?;
        // A file that ends before its length, because it was cut meanwhile, ends here.
        self.rest.start = match self.buffer.len() - before {
            0 => self.rest.end,
            _ => to,
        };
        Ok(())
    }
}

/// The header that `bytes` start with and its frame's length, if it goes on with the stream of `before` (a header and its
/// frame's length without padding).
fn follows(bytes: &[u8], (before, unpadded): &(Header, usize)) -> Option<(Header, usize)> {
    let header = Header::read(bytes).filter(|header| before.continues(header))?;
    let length = header.frame_bytes_or(*unpadded);
    let rest = bytes.get(length..)?;
    // Behind it comes another one, or too little to tell.
    let sure = rest.len() < 4 || Header::read(rest).is_some_and(|next| header.continues(&next));
    sure.then_some((header, length))
}

/// The first frame in `bytes` that others follow, up to the tenth or to the end: where it begins, its header and length.
/// A frame that is all there is (`whole`: nothing comes behind `bytes`) needs none.
fn find(bytes: &[u8], whole: bool) -> Option<(usize, Header, usize)> {
    (0..bytes.len()).find_map(|at| {
        let bytes = &bytes[at..];
        let header = Header::read(bytes)?;
        let length = match header.frame_bytes() {
            Some(length) => length,
            None => free_length(bytes, &header)?,
        };
        let alone = at == 0 && whole && length == bytes.len();
        (alone || followed(bytes, &header, length)).then_some((at, header, length))
    })
}

/// Whether another frame comes behind the one that `bytes` start with, and nine more or what the end leaves of them.
fn followed(bytes: &[u8], first: &Header, length: usize) -> bool {
    let unpadded = length - first.padding();
    let mut at = length;
    for found in 0..SURE {
        match bytes.get(at..).filter(|rest| rest.len() >= 4) {
            None => return found > 0,
            Some(rest) => match Header::read(rest).filter(|next| first.continues(next)) {
                Some(next) => at += next.frame_bytes_or(unpadded),
                None => return false,
            },
        }
    }
    true
}

/// The length of a frame of free format: where the next header of its kind stands, and one more at the same distance.
fn free_length(bytes: &[u8], first: &Header) -> Option<usize> {
    let same = |at: usize| Header::read(bytes.get(at..)?).filter(|next| first.continues(next));
    FREE.into_iter().find(|&length| {
        let unpadded = length - first.padding();
        same(length).is_some_and(|next| {
            let second = length + unpadded + next.padding();
            second + 4 > bytes.len() || same(second).is_some()
        })
    })
}
