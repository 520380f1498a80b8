//! Ogg's pages: what streams a file holds, and where one chain of them ends and the next begins.
//!
//! Internet radio is recorded as a chain: a link for each song, each a whole Ogg file of its own. The headers of all
//! pages are read once before anything is decoded.

use super::bytes::Bytes;
use crate::error::Result;
use std::ops::Range;

/// One link of a chain: streams that begin together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    /// Where its pages stand.
    pub(super) range: Range<u64>,
    /// What its streams are, by their first packets; `None` for unknown ones.
    pub(super) streams: Vec<Option<&'static str>>,
    /// Whether its last page says that it is the last.
    pub(super) ended: bool,
}

/// The links of a file, and how many bytes between pages are none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Survey {
    pub(super) links: Vec<Link>,
    pub(super) junk: u64,
}

/// First packets, and what they say the stream is.
const CODECS: [(&[u8], &str); 13] = [
    (b"\x01vorbis", "Vorbis"),
    (b"OpusHead", "Opus"),
    (b"\x7fFLAC", "FLAC"),
    (b"Speex   ", "Speex"),
    (b"CELT    ", "CELT"),
    (b"PCM     ", "PCM"),
    (b"\x80theora", "Theora"),
    (b"BBCD\0", "Dirac"),
    (b"\x01video\0\0\0", "video"),
    (b"\x80kate\0\0\0", "Kate"),
    (b"CMML\0\0\0\0", "CMML"),
    (b"fishead\0", "Skeleton"),
    (b"\x00\x00\x00\x00MIDI", "MIDI"),
];

/// Bytes of a page's header before its table of segments, which has at most 255.
const HEAD: u64 = 27;

/// Flags of a page.
const FIRST: u8 = 2;
const LAST: u8 = 4;

impl Survey {
    pub(super) fn of(bytes: &mut Bytes<'_>) -> Result<Self> {
        let mut survey = Survey::default();
        let mut at = 0;
        // Whether pages of sound have come since the last stream began.
        let mut begun = true;
        while at < bytes.len() {
            let Some(page) = Page::read(bytes, at)? else {
                let next = find(bytes, at + 1)?.unwrap_or(bytes.len());
                survey.junk += next - at;
                at = next;
                continue;
            };
            if page.flags & FIRST != 0 {
                if std::mem::take(&mut begun) {
                    survey.links.push(Link {
                        range: at..at,
                        streams: Vec::new(),
                        ended: false,
                    });
                }
                let mut packet = Vec::new();
                bytes.append(page.body..page.end, &mut packet)?;
                let codec = CODECS.iter().find(|(mark, _)| packet.starts_with(mark));
                if let Some(link) = survey.links.last_mut() {
                    link.streams.push(codec.map(|(_, name)| *name));
                }
            } else {
                begun = true;
            }
            at = page.end;
            if let Some(link) = survey.links.last_mut() {
                link.range.end = at.min(bytes.len());
                link.ended = page.flags & LAST != 0 && at <= bytes.len();
            }
        }
        Ok(survey)
    }
}

struct Page {
    flags: u8,
    /// Where its packets begin, and where it ends.
    body: u64,
    end: u64,
}

impl Page {
    fn read(bytes: &mut Bytes<'_>, at: u64) -> Result<Option<Page>> {
        let Some(head) = bytes.array::<{ HEAD as usize }>(at)? else {
            return Ok(None);
        };
        if !head.starts_with(b"OggS\0") {
            return Ok(None);
        }
        let table = at + HEAD..at + HEAD + u64::from(head[26]);
        let mut segments = Vec::with_capacity(255);
        bytes.append(table.clone(), &mut segments)?;
        let body: u64 = segments.iter().map(|&segment| u64::from(segment)).sum();
        Ok(Some(Page {
            flags: head[5],
            body: table.end,
            end: table.end + body,
        }))
    }
}

/// Where the next page begins, from `at` on.
fn find(bytes: &mut Bytes<'_>, mut at: u64) -> Result<Option<u64>> {
    const BLOCK: u64 = 1 << 16;
    let mark = b"OggS";
    let mut block = Vec::new();
    while at < bytes.len() {
        block.clear();
        bytes.append(at..at + BLOCK, &mut block)?;
        if let Some(found) = block.windows(mark.len()).position(|w| w == mark) {
            return Ok(Some(at + found as u64));
        }
        if block.len() < mark.len() {
            break;
        }
        // The mark may stand across two blocks.
        at += (block.len() - (mark.len() - 1)) as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::limits::Limits;

    fn page(flags: u8, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 20]);
        page.extend([1, body.len() as u8]);
        page.extend(body);
        page
    }

    #[test]
    fn links_are_told_apart() {
        let first = [
            page(FIRST, b"\x80theora"),
            page(FIRST, b"\x01vorbis and more"),
            page(0, b"sound"),
            page(LAST, b"sound"),
        ]
        .concat();
        let second = [page(FIRST, b"new"), page(0, b"OggS")].concat();
        let file = [&first[..], b"junk, and Og", &second].concat();
        let mut bytes = Bytes::of(&file, "x", &Limits::default()).unwrap();
        let survey = Survey::of(&mut bytes).unwrap();
        let (cut, end) = (first.len() as u64, file.len() as u64);
        let expected = [
            Link {
                range: 0..cut,
                streams: vec![Some("Theora"), Some("Vorbis")],
                ended: true,
            },
            Link {
                range: cut + 12..end,
                streams: vec![None],
                ended: false,
            },
        ];
        assert_eq!(survey.links, expected);
        assert_eq!(survey.junk, 12);
    }
}
