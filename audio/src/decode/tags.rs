//! Tags around MPEG audio frames: ID3, APE and Lyrics3 in front and behind, and the tag frames of Xing, LAME and VBRI.

use super::bytes::Bytes;
use super::mpeg::Header;
use crate::error::Result;
use std::ops::Range;

/// The part of a file that tags surround.
pub(super) struct Stripped {
    /// Where the audio stands.
    pub(super) range: Range<u64>,
    /// What iTunes' comment in an ID3v2 tag (`iTunSMPB`) says of it.
    pub(super) gapless: Option<Gapless>,
}

/// `range` without the tags before and after the audio, however many there are (up to a hundred).
pub(super) fn strip(bytes: &mut Bytes<'_>, range: Range<u64>) -> Result<Stripped> {
    let Range { mut start, end } = range;
    let mut end = end.min(bytes.len()).max(start);
    let mut gapless = None;
    for _ in 0..MOST_TAGS {
        if let Some(len) = front(bytes, start..end)?.filter(|&len| len > 0) {
            let tag = start..start + len.min(end - start);
            if gapless.is_none() {
                gapless = itunes(bytes, tag.clone())?;
            }
            start = tag.end;
        } else if let Some(len) = back(bytes, start..end)?.filter(|&len| len <= end - start) {
            end -= len;
        } else {
            break;
        }
    }
    Ok(Stripped {
        range: start..end,
        gapless,
    })
}

const MOST_TAGS: usize = 100;

/// Bytes of an ID3v2 tag that are searched for iTunes' comment: pictures stand behind it or make it too long.
const SEARCHED: u64 = 1 << 20;

/// Reads iTunes' comment in the ID3v2 tag at `tag`: numbers in hexadecimal, the second the encoder's delay, the third
/// its padding, the fourth the count of samples.
fn itunes(bytes: &mut Bytes<'_>, tag: Range<u64>) -> Result<Option<Gapless>> {
    let mut text = Vec::new();
    let end = tag.end.min(tag.start.saturating_add(SEARCHED));
    bytes.append(tag.start..end, &mut text)?;
    if !text.starts_with(b"ID3") {
        return Ok(None);
    }
    // Latin-1, UTF-8 or UTF-16: without zeros and byte order marks it is the same text.
    text.retain(|byte| !matches!(byte, 0 | 0xfe | 0xff));
    Ok(gapless_comment(&text))
}

/// Finds the comment in an ID3v2 tag's text.
fn gapless_comment(text: &[u8]) -> Option<Gapless> {
    const NAME: &[u8] = b"iTunSMPB";
    let at = text.windows(NAME.len()).position(|bytes| bytes == NAME)? + NAME.len();
    let hexadecimal = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b' ';
    let numbers = text[at..].split(|byte| !hexadecimal(byte)).next()?;
    let mut numbers = std::str::from_utf8(numbers).ok()?.split_ascii_whitespace();
    let mut number = |nth: usize| u64::from_str_radix(numbers.nth(nth)?, 16).ok();
    let mut size = |nth| usize::try_from(number(nth)?).ok();
    let (delay, padding, samples) = (size(1)?, size(0)?, size(0)?);
    Some(Gapless {
        skip: delay.checked_add(DECODER_DELAY)?,
        keep: Some(samples).filter(|&n| n > 0),
        total: delay.checked_add(padding)?.checked_add(samples),
    })
}

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
    if tail.ends_with(b"LYRICS200") {
        return Ok(lyrics_len(&tail));
    }
    if tail.ends_with(b"LYRICSEND") {
        tail.clear();
        let start = range.start.max(range.end.saturating_sub(OLD_LYRICS));
        bytes.append(start..range.end, &mut tail)?;
        let begin = tail.windows(11).rposition(|bytes| bytes == b"LYRICSBEGIN");
        return Ok(begin.map(|at| (tail.len() - at) as u64));
    }
    let footer = tail.len().checked_sub(APE_FOOTER as usize);
    Ok(footer.and_then(|at| apev2_len(&tail[at..], false)))
}

/// The most bytes of a Lyrics3 tag of version 1, its two marks included.
const OLD_LYRICS: u64 = 5100 + 11 + 9;

/// The length of the Lyrics3 tag of version 2 that `tail` ends with: six digits and nine letters stand behind the bytes
/// that they count.
fn lyrics_len(tail: &[u8]) -> Option<u64> {
    let digits = tail.get(tail.len().checked_sub(15)?..)?.get(..6)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let counted = digits.bytes().all(|digit| digit.is_ascii_digit());
    Some(digits.parse::<u64>().ok().filter(|_| counted)? + 15)
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

/// What a tag frame, the first of most MP3 files, says of the samples after it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Gapless {
    /// Samples that the encoder put before the sound.
    pub(super) skip: usize,
    /// Samples of sound, where known, and all that were encoded, padding included.
    pub(super) keep: Option<usize>,
    pub(super) total: Option<usize>,
}

/// Where a VBRI tag stands in its frame.
const VBRI: usize = 36;

/// What an encoder's and a decoder's filter banks delay the sound by, in samples.
const DECODER_DELAY: usize = 529;

/// Reads `frame`, whose header is `header`, as the tag frame of Xing, LAME or VBRI; `None` where it is an ordinary frame.
pub(super) fn tag_frame(frame: &[u8], header: &Header) -> Option<Gapless> {
    let at = |start: usize, marks: &[&[u8; 4]]| {
        let (mark, rest) = frame.get(start..)?.split_first_chunk::<4>()?;
        marks.contains(&mark).then_some(rest)
    };
    if at(VBRI, &[b"VBRI"]).is_some() {
        return Some(Gapless::default());
    }
    // Encoders that write a checksum disagree on whether it moves the tag.
    let [plain, moved] = header.tag_places();
    let xing = |start| at(start, &[b"Xing", b"Info"]);
    let mut rest = xing(plain).or_else(|| xing(moved))?;
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
        gapless.total = frames.and_then(|frames| {
            let frames = usize::try_from(frames).ok()?;
            frames.checked_mul(header.samples())
        });
        gapless.keep = (gapless.total).and_then(|total| total.checked_sub(delay + padding));
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
        &file[left.range.start as usize..left.range.end as usize]
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
            total: Some(100 * 1152),
        };
        let header = Header::read(&frame).unwrap();
        assert_eq!(tag_frame(&frame, &header), Some(expected.clone()));
        let checksum = Header::read(&[0xff, 0xfa, 0x90, 0x00]).unwrap();
        assert_eq!(
            tag_frame(&frame, &checksum),
            Some(expected.clone()),
            "where it would stand without a checksum"
        );
        let mut moved = frame.clone();
        moved.splice(4..4, [0, 0]);
        assert_eq!(
            tag_frame(&moved, &checksum),
            Some(expected),
            "behind the checksum"
        );
        assert_eq!(
            tag_frame(&frame[..60], &header),
            Some(Gapless::default()),
            "cut short: still no sound"
        );
        frame[36] = b'x';
        assert_eq!(tag_frame(&frame, &header), None);
        frame[36..40].copy_from_slice(b"VBRI");
        assert_eq!(tag_frame(&frame, &header), Some(Gapless::default()));
    }

    #[test]
    fn lyrics_of_both_versions_go_before_an_id3v1_tag() {
        let lyrics = [
            &b"LYRICSBEGININD0000200EAL00003abc000023LYRICS200"[..],
            b"LYRICSBEGIN la la la LYRICSEND",
        ];
        for text in lyrics {
            let mut text = text.to_vec();
            // The size counts what stands before itself.
            if let Some(at) = text.ends_with(b"200").then(|| text.len() - 15) {
                text.splice(at..at + 6, format!("{at:06}").into_bytes());
            }
            let id3 = [&b"TAG"[..], &[1; 125]].concat();
            for tail in [text.clone(), [text, id3].concat()] {
                assert_eq!(stripped(&[&b"audio"[..], &tail].concat()), b"audio");
            }
        }
        for broken in [
            &b"audio00x023LYRICS200"[..],
            b"LYRICS200",
            b"audioLYRICSEND",
        ] {
            assert_eq!(stripped(broken), broken);
        }
    }

    #[test]
    fn itunes_says_delay_and_length_in_a_comment() {
        let comment = " 00000000 00000210 000009E4 000000000000AC44 00000000 0001A5B6";
        let wide = |text: &str| -> Vec<u8> { text.bytes().flat_map(|b| [b, 0]).collect() };
        let texts = [
            [&b"\0engiTunSMPB\0"[..], comment.as_bytes(), b"\0TIT2"].concat(),
            [
                &b"\x01eng\xff\xfe"[..],
                &wide("iTunSMPB"),
                b"\0\0\xff\xfe",
                &wide(comment),
                b"TIT2",
            ]
            .concat(),
        ];
        for text in texts {
            let mut file = b"ID3\x03\0\0\0\0".to_vec();
            file.extend([(text.len() >> 7) as u8, text.len() as u8 & 127]);
            file.extend(&text);
            file.extend(b"audio");
            let mut bytes = Bytes::of(&file, "x", &Limits::default()).unwrap();
            let stripped = strip(&mut bytes, 0..u64::MAX).unwrap();
            let expected = Gapless {
                skip: 0x210 + 529,
                keep: Some(44_100),
                total: Some(0x210 + 0x9e4 + 44_100),
            };
            assert_eq!(stripped.gapless, Some(expected));
            assert_eq!(stripped.range.end - stripped.range.start, 5);
        }
        for broken in ["iTunSMPB", "iTunSMPB 0 x", "iTunSMPB 0 1 2"] {
            assert_eq!(gapless_comment(broken.as_bytes()), None);
        }
    }
}
