//! What the targets share.

use audio::{Limits, Segment, Stream};

/// Decodes bytes whole and in part, within small limits: an answer or an error, as it comes.
pub fn decode(bytes: &[u8]) {
    let limits = Limits {
        max_seconds: 600.0,
        max_bytes: 1 << 20,
        ..Limits::default()
    };
    let whole = Stream::from_bytes(bytes, "x", &limits).and_then(|s| s.clip(&Segment::default()));
    if let Ok(clip) = &whole {
        assert!(!clip.samples.is_empty());
        clip.check("x").expect("decoding has checked it");
    }
    let middle = Segment {
        offset: 0.1,
        duration: Some(0.05),
    };
    let part = Stream::from_bytes(bytes, "x", &limits).and_then(|s| s.clip(&middle));
    if let (Ok(whole), Ok(part)) = (whole, part) {
        let at = (0.1 * f64::from(whole.sample_rate)).round() as usize;
        assert!(whole.samples[at..].starts_with(&part.samples));
    }
}

/// The same for a file that begins with `signature`, so that no time goes into finding it.
pub fn decode_as(signature: &[u8], rest: &[u8]) {
    decode(&[signature, rest].concat());
}
