//! What stands around MPEG audio frames without being audio: ID3 and APE tags, and the Xing/LAME frame.

use super::bytes::Bytes;
use super::mpeg::Header;
use crate::error::Result;
use std::ops::Range;

/// `range` without the tags before and after the audio, however many there are (up to a hundred).
pub(super) fn strip(bytes: &mut Bytes<'_>, range: Range<u64>) -> Result<Range<u64>> {
    let Range { mut start, end } = range;
    let mut end = end.min(bytes.len()).max(start);
    for _ in 0..MOST_TAGS {
        if let Some(len) = front(bytes, start..end)?.filter(|&len| len > 0) {
            start += len.min(end - start);
        } else if let Some(len) = back(bytes, start..end)?.filter(|&len| len <= end - start) {
            end -= len;
        } else {
            break;
        }
    }
    Ok(start..end)
}

const MOST_TAGS: usize = 100;

/// Bytes of an APE tag's header, and of its footer.
const APE_FOOTER: u64 = 32;

/// The length of the tag that `range` starts with, as it says itself.
fn front(bytes: &mut Bytes<'_>, range: Range<u64>) -> Result<Option<u64>> {
    let mut head = Vec::new();
    let end = range.end.min(range.start.saturating_add(APE_FOOTER));
    bytes.append(range.start..end, &mut head)?;
    Ok(id3v2_len(&head).or_else(|| apev2_len(&head, true)))
}

/// The length of the tag that `range` ends with, as it says itself.
fn back(bytes: &mut Bytes<'_>, range: Range<u64>) -> Result<Option<u64>> {
    let mut tail = Vec::new();
    let start = range.start.max(range.end.saturating_sub(ID3V1));
    bytes.append(start..range.end, &mut tail)?;
    if tail.len() as u64 == ID3V1 && tail.starts_with(b"TAG") {
        return Ok(Some(ID3V1));
    }
    let footer = tail.len().checked_sub(APE_FOOTER as usize);
    Ok(footer.and_then(|at| apev2_len(&tail[at..], false)))
}

/// Bytes of an ID3v1 tag.
const ID3V1: u64 = 128;

/// The length of the ID3v2 tag that `bytes` starts with.
pub(super) fn id3v2_len(bytes: &[u8]) -> Option<u64> {
    let head = bytes
        .first_chunk::<10>()
        .filter(|h| h.starts_with(b"ID3"))?;
    let size = &head[6..];
    // Four times seven bits; the top bits are zero, or this is no tag.
    if head[3] == 0xff || head[4] == 0xff || size.iter().any(|b| b & 0x80 != 0) {
        return None;
    }
    let body = size.iter().fold(0, |n, &b| n << 7 | u64::from(b));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Some(10 + body + footer)
}

/// The length of the APE tag whose header (in `front` of the audio) or footer (after it) is `bytes`.
fn apev2_len(bytes: &[u8], front: bool) -> Option<u64> {
    let mark = bytes
        .first_chunk::<{ APE_FOOTER as usize }>()
        .filter(|m| m.starts_with(b"APETAGEX"))?;
    let word = |at: usize| u32::from_le_bytes([mark[at], mark[at + 1], mark[at + 2], mark[at + 3]]);
    // The size counts the items and the footer; a flag says whether a header stands before them.
    let (version, flags) = (word(8), word(20));
    let has_other = front || (version >= 2000 && flags >> 31 == 1);
    Some(u64::from(word(12)) + if has_other { APE_FOOTER } else { 0 })
}

/// What the Xing/LAME frame, the first of most MP3 files, says of the samples after it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Gapless {
    /// Samples that the encoder put before the sound.
    pub(super) skip: usize,
    /// Samples of sound, where known.
    pub(super) keep: Option<usize>,
}

/// What an encoder's and a decoder's filter banks delay the sound by, in samples.
const DECODER_DELAY: usize = 529;

/// Reads `frame`, whose header is `header`, as a Xing frame; `None` where it is an ordinary frame of sound.
pub(super) fn xing(frame: &[u8], header: &Header) -> Option<Gapless> {
    let (id, mut rest) = frame
        .get(header.side_info_end()..)?
        .split_first_chunk::<4>()?;
    if id != b"Xing" && id != b"Info" {
        return None;
    }
    let mut gapless = Gapless::default();
    let mut parse = || -> Option<()> {
        let mut take = |n: usize| -> Option<&[u8]> {
            let (head, tail) = rest.split_at_checked(n)?;
            rest = tail;
            Some(head)
        };
        let flags = take(4)?[3];
        let frames = if flags & 1 != 0 {
            take(4)?.first_chunk().map(|b| u32::from_be_bytes(*b))
        } else {
            None
        };
        for (flag, len) in [(2, 4), (4, 100), (8, 4)] {
            if flags & flag != 0 {
                take(len)?;
            }
        }
        // LAME's extension, which other encoders copy: 9 bytes of name, 12 of levels, then two 12-bit numbers.
        if take(21)?[0] == 0 {
            return None;
        }
        let (high, middle, low) = match take(3)? {
            &[a, b, c] => (usize::from(a), usize::from(b), usize::from(c)),
            _ => return None,
        };
        let (delay, padding) = (high << 4 | middle >> 4, (middle & 15) << 8 | low);
        gapless.skip = delay + DECODER_DELAY;
        gapless.keep = frames.and_then(|f| {
            usize::try_from(f)
                .ok()?
                .checked_mul(header.samples())?
                .checked_sub(delay + padding)
        });
        Some(())
    };
    // A tag cut short says no less than "this frame is no sound".
    let _ = parse();
    Some(gapless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Limits;

    fn stripped(file: &[u8]) -> &[u8] {
        let mut bytes = Bytes::of(file, "x", &Limits::default()).unwrap();
        let left = strip(&mut bytes, 0..u64::MAX).unwrap();
        &file[left.start as usize..left.end as usize]
    }

    fn ape(items: usize, flags: u32) -> Vec<u8> {
        let mut mark = b"APETAGEX".to_vec();
        mark.extend(2000u32.to_le_bytes());
        mark.extend((items as u32 + 32).to_le_bytes());
        mark.extend(0u32.to_le_bytes());
        mark.extend(flags.to_le_bytes());
        mark.extend([0; 8]);
        mark
    }

    #[test]
    fn every_tag_goes_and_the_audio_stays() {
        let mut file = b"ID3\x04\0\x10\0\0\x01\x02".to_vec();
        file.extend([7; 130 + 10]);
        file.extend(b"audio");
        file.extend(ape(3, 1 << 31));
        file.extend([9; 3]);
        file.extend(ape(3, 1 << 31));
        file.extend(b"TAG");
        file.extend([1; 125]);
        assert_eq!(stripped(&file), b"audio");
    }

    #[test]
    fn a_tag_in_front_may_be_ape() {
        let mut file = ape(3, 0xa000_0000);
        file.extend([9; 3]);
        file.extend(ape(3, 0x8000_0000));
        file.extend(b"audio");
        assert_eq!(stripped(&file), b"audio");
    }

    #[test]
    fn lengths_beyond_the_end_take_everything() {
        assert_eq!(stripped(b"ID3\x04\0\0\x7f\x7f\x7f\x7fabc"), b"");
        assert_eq!(
            stripped(b"ID3\x04\0\0\x80\0\0\0abc"),
            b"ID3\x04\0\0\x80\0\0\0abc",
            "no size, no tag"
        );
        assert_eq!(stripped(b"ID3"), b"ID3");
    }

    #[test]
    fn a_lame_frame_gives_delay_and_length() {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.extend([0; 32]);
        frame.extend(b"Info\0\0\0\x0f\0\0\0\x64");
        frame.extend([0; 4 + 100 + 4]);
        frame.extend(b"LAME3.100");
        frame.extend([0; 12]);
        frame.extend([0x24, 0x04, 0x72]); // delay 576, padding 1138
        frame.extend([0; 20]);
        let expected = Gapless {
            skip: 576 + 529,
            keep: Some(100 * 1152 - 576 - 1138),
        };
        let header = Header::read(&frame).unwrap();
        assert_eq!(xing(&frame, &header), Some(expected));
        assert_eq!(
            xing(&frame[..60], &header),
            Some(Gapless::default()),
            "cut short: still no sound"
        );
        frame[36] = b'x';
        assert_eq!(xing(&frame, &header), None);
    }
}
