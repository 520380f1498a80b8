//! The edit list of an MP4 file: which part of its first track of sound is to be heard.
//!
//! AAC encoders put a thousand samples or two before the sound and fill the last frame behind it.

use super::bytes::Bytes;
use super::trim::Trim;
use crate::error::Result;
use std::ops::Range;

/// What the file's first track of sound leaves out; nothing where there is no list, or one of several pieces.
pub(super) fn trim(bytes: &mut Bytes<'_>) -> Result<Trim> {
    Ok(first_edit(bytes)?.unwrap_or_default())
}

fn first_edit(bytes: &mut Bytes<'_>) -> Result<Option<Trim>> {
    let whole = 0..bytes.len();
    let Some(movie) = child(bytes, &whole, b"moov")? else {
        return Ok(None);
    };
    let movie_rate = timescale(bytes, &movie, b"mvhd")?;
    for track in children(bytes, &movie, b"trak")? {
        let Some(media) = child(bytes, &track, b"mdia")? else {
            continue;
        };
        let handler = match child(bytes, &media, b"hdlr")? {
            Some(hdlr) => bytes.array(hdlr.start + 8)?,
            None => None,
        };
        if handler != Some(*b"soun") {
            continue;
        }
        let rate = timescale(bytes, &media, b"mdhd")?;
        let (Some(movie_rate), Some(rate)) = (movie_rate, rate) else {
            return Ok(None);
        };
        let Some(edits) = child(bytes, &track, b"edts")? else {
            return Ok(None);
        };
        let Some(list) = child(bytes, &edits, b"elst")? else {
            return Ok(None);
        };
        let Some((duration, start)) = only_edit(bytes, list.start)? else {
            return Ok(None);
        };
        let samples = u128::from(duration) * u128::from(rate);
        let keep = u64::try_from(samples.div_ceil(movie_rate.into())).ok();
        return Ok(Some(Trim {
            skip: start,
            keep: keep.filter(|&n| n > 0),
        }));
    }
    Ok(None)
}

/// The duration (in the movie's time) and the start (in the track's) of an edit list's only edit.
fn only_edit(bytes: &mut Bytes<'_>, at: u64) -> Result<Option<(u64, u64)>> {
    let Some([version, _, _, _, count @ ..]) = bytes.array::<8>(at)? else {
        return Ok(None);
    };
    if u32::from_be_bytes(count) != 1 {
        return Ok(None);
    }
    let edit = match version {
        0 => bytes.array::<8>(at + 8)?.map(|[a, b, c, d, start @ ..]| {
            let start = i32::from_be_bytes(start);
            (u32::from_be_bytes([a, b, c, d]).into(), start.into())
        }),
        _ => {
            let duration = bytes.array(at + 8)?.map(u64::from_be_bytes);
            duration.zip(bytes.array(at + 16)?.map(i64::from_be_bytes))
        }
    };
    Ok(edit.and_then(|(duration, start)| Some((duration, u64::try_from(start).ok()?))))
}

/// Units a second, from the atom `name` in `parent`.
fn timescale(bytes: &mut Bytes<'_>, parent: &Range<u64>, name: &[u8; 4]) -> Result<Option<u32>> {
    let Some(header) = child(bytes, parent, name)? else {
        return Ok(None);
    };
    let version = bytes
        .array(header.start)?
        .map_or(0, |[version]: [u8; 1]| version);
    // Behind the version, the flags and two times.
    let at = header.start + if version == 0 { 12 } else { 20 };
    let scale = bytes.array(at)?.map(u32::from_be_bytes);
    Ok(scale.filter(|&scale| scale > 0))
}

fn child(bytes: &mut Bytes<'_>, parent: &Range<u64>, name: &[u8; 4]) -> Result<Option<Range<u64>>> {
    Ok(children(bytes, parent, name)?.into_iter().next())
}

/// More atoms than a file has.
const MOST: usize = 1 << 12;

/// What the atoms `name` in `parent` hold.
fn children(bytes: &mut Bytes<'_>, parent: &Range<u64>, name: &[u8; 4]) -> Result<Vec<Range<u64>>> {
    let mut found = Vec::new();
    let mut at = parent.start;
    for _ in 0..MOST {
        let Some([a, b, c, d, own @ ..]) = bytes.array::<8>(at)? else {
            break;
        };
        let (body, size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (at + 8, parent.end.saturating_sub(at)),
            1 => {
                let size = bytes.array(at + 8)?.map_or(0, u64::from_be_bytes);
                (at + 16, size)
            }
            size => (at + 8, size.into()),
        };
        let end = at.saturating_add(size);
        if end < body || end > parent.end {
            break;
        }
        if own == *name {
            found.push(body..end);
        }
        at = end;
    }
    Ok(found)
}
