//! Chunks, of which WAV and AIFF files consist: a name of four bytes, a length of four, what they hold.

use super::bytes::Bytes;
use crate::error::Result;

/// Whether nothing but whole chunks stands from `at` to the end (or nothing at all): then a length of 0 before them is
/// meant so, else it is one that was never written.
pub(super) fn follow(
    bytes: &mut Bytes<'_>,
    mut at: u64,
    length: impl Fn([u8; 4]) -> u32,
) -> Result<bool> {
    let end = bytes.len();
    // Sound that looks like a chunk or two is not to be walked for ever.
    for _ in 0..MOST {
        if at >= end {
            return Ok(true);
        }
        let Some([a, b, c, d, size @ ..]) = bytes.array::<8>(at)? else {
            return Ok(false);
        };
        if ![a, b, c, d].iter().all(|b| (b' '..=b'~').contains(b)) {
            return Ok(false);
        }
        let size = u64::from(length(size));
        at = at.saturating_add(8 + size);
        if at > end {
            return Ok(false);
        }
        at += size % 2;
    }
    Ok(false)
}

const MOST: usize = 4096;
