//! The frames of MPEG audio: found in a file, one after the other, whatever stands between them.

use super::bytes::Bytes;
use super::mpeg::{Decoder, Header};
use super::tags::{self, Gapless};
use crate::error::Result;
use std::ops::Range;

/// One frame.
pub(super) struct Frame<'d> {
    pub(super) header: Header,
    /// Its bytes, header first: all of them, unless it is torn.
    pub(super) bytes: &'d [u8],
    /// The mean of its channels, full scale at 1: empty if it was not decoded or is a tag, else [`Header::samples`] of
    /// them, zeros where it could not be decoded.
    pub(super) samples: &'d [f32],
    /// What it says, if it is a tag and no sound.
    pub(super) tag: Option<Gapless>,
    /// Whether `samples` are sound, and not the silence of a frame that could not be decoded.
    pub(super) decoded: bool,
}

/// Walks the frames of a file.
pub(super) struct Frames<'a> {
    pub(super) bytes: Bytes<'a>,
    /// What was not read yet.
    rest: Range<u64>,
    /// What was read; its part before `start` is done with.
    buffer: Vec<u8>,
    start: usize,
    /// The header of the frame before, and its length without padding; none after a gap.
    before: Option<(Header, usize)>,
    /// Bytes between frames that belong to none, and those since the last frame.
    pub(super) skipped: u64,
    gap: Option<u64>,
    /// Made where a stream begins to be decoded, with the header that it decoded last.
    decoder: Option<(Header, Decoder)>,
}

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;

/// Bytes that must be seen ahead, but for the file's end: to be sure of a first header, that many frames behind it are
/// looked for, of at most 2.9 kB each. Random bytes hold such a row once in 10^18.
const AHEAD: usize = 1 << 15;
const SURE: usize = 3;

/// Frames of free format that are looked for: not so short that one without padding could have no bytes.
const FREE: std::ops::Range<usize> = 24..2304;

/// A frame's place in the window.
struct Found {
    header: Header,
    /// Its bytes that are there.
    length: usize,
    torn: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: Bytes<'a>, range: Range<u64>) -> Self {
        Frames {
            bytes,
            rest: range,
            buffer: Vec::new(),
            start: 0,
            before: None,
            skipped: 0,
            gap: None,
            decoder: None,
        }
    }

    /// The next frame, decoded if asked for; `None` at the end.
    pub(super) fn next(&mut self, decode: bool) -> Result<Option<Frame<'_>>> {
        let Some(found) = self.find()? else {
            return Ok(None);
        };
        let Found {
            header,
            length,
            torn,
        } = found;
        let frame = self.start..self.start + length;
        self.start = frame.end;
        self.skipped += self.gap.replace(0).unwrap_or(0);
        let unpadded = header.frame_bytes().unwrap_or(length) - header.padding();
        // Behind a torn frame of free format, its length is not known.
        self.before = (!torn || header.frame_bytes().is_some()).then_some((header, unpadded));
        let bytes = &self.buffer[frame];
        let tag = (!torn).then(|| tags::tag_frame(bytes, &header)).flatten();
        let (samples, decoded): (&[f32], _) = match (&tag, decode) {
            (Some(_), _) => {
                // A tag is not part of the main data, and what follows one is encoded anew.
                self.decoder = None;
                (&[], false)
            }
            (None, false) => (&[], false),
            (None, true) => {
                // What comes after a gap goes on with what came before it, if it is of the same kind.
                let kept = (self.decoder.take()).filter(|(last, _)| last.continues(&header));
                let decoder = kept.map_or_else(Decoder::new, |(_, decoder)| decoder);
                let (_, decoder) = self.decoder.insert((header, decoder));
                match torn {
                    true => decoder.torn(&header),
                    false => decoder.decode(&header, bytes),
                }
            }
        };
        Ok(Some(Frame {
            header,
            bytes,
            samples,
            tag,
            decoded,
        }))
    }

    /// Moves `start` to the next frame, and says what stands there.
    fn find(&mut self) -> Result<Option<Found>> {
        loop {
            if self.buffer.len() - self.start < AHEAD && !self.rest.is_empty() {
                self.read()?;
            }
            let window = &self.buffer[self.start..];
            if window.is_empty() {
                return Ok(None);
            }
            let whole = self.rest.is_empty();
            if let Some(before) = self.before.take() {
                if let Some((header, length)) = follows(window, &before) {
                    return Ok(Some(Found {
                        header,
                        length,
                        torn: false,
                    }));
                }
                if let Some(last) = last_before_gap(window, &before, whole) {
                    return Ok(Some(last));
                }
            }
            let (passed, found) = match find(window, whole) {
                Some((at, header, length)) => (at, Some((header, length))),
                None if whole => (window.len(), None),
                // One may begin near the window's end.
                None => (window.len().saturating_sub(AHEAD / 2).max(1), None),
            };
            self.start += passed;
            self.gap = self.gap.map(|gap| gap + passed as u64);
            if let Some((header, length)) = found {
                return Ok(Some(Found {
                    header,
                    length,
                    torn: false,
                }));
            }
        }
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

/// The frame that `bytes` start with and that goes on with the stream of `before`, where none comes right behind it: the
/// last one before garbage or the end. It is torn where the next frame begins inside of it, and counts only whole where
/// the file ends (`whole`: nothing comes behind `bytes`).
fn last_before_gap(
    bytes: &[u8],
    (before, unpadded): &(Header, usize),
    whole: bool,
) -> Option<Found> {
    let header = Header::read(bytes).filter(|header| before.continues(header))?;
    let length = header.frame_bytes_or(*unpadded);
    let next = find(&bytes[1..], whole).map(|(at, ..)| at + 1);
    let torn = next.filter(|&next| next < length);
    (torn.is_some() || length <= bytes.len()).then_some(Found {
        header,
        length: torn.unwrap_or(length),
        torn: torn.is_some(),
    })
}

/// The first frame in `bytes` that others follow, three or what the end leaves of them: where it begins, its header and length.
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

/// Whether another frame comes behind the one that `bytes` start with, and two more or what the end leaves of them.
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
