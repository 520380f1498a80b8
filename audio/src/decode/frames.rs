//! The frames of MPEG audio, found and decoded by minimp3: the crate's only unsafe code.

use super::bytes::Bytes;
use crate::error::Result;
use rmp3::ffi;
use std::ops::Range;

/// One frame.
pub(super) struct Frame<'d> {
    /// Its bytes, header first.
    pub(super) bytes: &'d [u8],
    /// Interleaved, full scale at 1; only where it was decoded.
    pub(super) pcm: &'d [f32],
    /// Of each channel; 0 where it could not be decoded, for want of the frames before it, for example.
    pub(super) samples: usize,
    /// One or two.
    pub(super) channels: usize,
    pub(super) rate: u32,
}

/// Walks the frames of a file.
pub(super) struct Frames<'a> {
    pub(super) bytes: Bytes<'a>,
    /// What was not read yet.
    rest: Range<u64>,
    /// What was read; its part before `start` is done with.
    buffer: Vec<u8>,
    start: usize,
    state: Box<ffi::mp3dec_t>,
    pcm: Vec<f32>,
}

/// Interleaved samples in the largest frame: two channels of 1152.
pub(super) const MOST_SAMPLES: usize = ffi::MINIMP3_MAX_SAMPLES_PER_FRAME as usize;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;

/// Bytes that minimp3 sees ahead, but for the file's end: to be sure of a sync word it looks at a dozen frames, of at
/// most 2.3 kB each.
const AHEAD: usize = 1 << 15;

impl<'a> Frames<'a> {
    pub(super) fn new(bytes: Bytes<'a>, range: Range<u64>) -> Self {
        // SAFETY: `mp3dec_t` is a C struct of floats, ints and bytes, for which zero is a value; all zero is also
        // the state from which minimp3 starts (`mp3dec_init` only clears one byte of it).
        let mut state: Box<ffi::mp3dec_t> = Box::new(unsafe { std::mem::zeroed() });
        // SAFETY: the pointer is to a live struct that nothing else refers to.
        unsafe { ffi::mp3dec_init(&raw mut *state) };
        Frames {
            bytes,
            rest: range,
            buffer: Vec::new(),
            start: 0,
            state,
            pcm: vec![0.0; MOST_SAMPLES],
        }
    }

    /// The next frame, decoded if asked for; `None` at the end.
    pub(super) fn next(&mut self, decode: bool) -> Result<Option<Frame<'_>>> {
        loop {
            if self.buffer.len() - self.start < AHEAD && !self.rest.is_empty() {
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
            }
            let window = &self.buffer[self.start..];
            if window.is_empty() {
                return Ok(None);
            }
            let mut info = ffi::mp3dec_frame_info_t {
                frame_bytes: 0,
                frame_offset: 0,
                channels: 0,
                hz: 0,
                layer: 0,
                bitrate_kbps: 0,
            };
            let pcm = match decode {
                true => self.pcm.as_mut_ptr(),
                false => std::ptr::null_mut(),
            };
            // SAFETY: `state` was initialised by `new` and is used by this walk alone. minimp3 reads `window.len()`
            // bytes (which fit a C int, being less than BLOCK + AHEAD) and writes at most
            // MINIMP3_MAX_SAMPLES_PER_FRAME samples to `pcm`, which holds as many, or none where it is null. It keeps
            // none of the pointers.
            let samples = unsafe {
                ffi::mp3dec_decode_frame(
                    &raw mut *self.state,
                    window.as_ptr(),
                    window.len() as i32,
                    pcm,
                    &raw mut info,
                )
            };
            let size = |n: i32| usize::try_from(n).unwrap_or(0);
            let used = size(info.frame_bytes).min(window.len());
            let (samples, channels) = (size(samples), size(info.channels));
            // Only where a frame was found does its header say how many channels it has.
            let found = channels > 0 && info.hz > 0 && samples * channels <= MOST_SAMPLES;
            let from = self.start + size(info.frame_offset).min(used);
            // Where none was found, one may begin before the window's end.
            let last = self.rest.is_empty();
            self.start += match found || last {
                true => used,
                false => used.saturating_sub(AHEAD / 2).max(1),
            };
            if found {
                return Ok(Some(Frame {
                    bytes: &self.buffer[from..self.start],
                    pcm: &self.pcm,
                    samples,
                    channels,
                    rate: info.hz.unsigned_abs(),
                }));
            }
            if used == 0 && last {
                return Ok(None);
            }
        }
    }
}
