//! MPEG audio (ISO/IEC 11172-3 and 13818-3): layers I to III of MPEG-1, MPEG-2's lower rates and MPEG-2.5.
//!
//! | file | holds |
//! | --- | --- |
//! | `header.rs` | the four bytes before every frame |
//! | `bits.rs` | reading bits |
//! | `layers12.rs` | layers I and II: allotments, scale factors, numbers |
//! | `layer3.rs` | layer III, step by step: |
//! | `side_info.rs` | how each granule is coded |
//! | `bands.rs`, `scale_factors.rs` | what lines are multiplied by |
//! | `huffman.rs`, `codes.rs` | the lines themselves |
//! | `stereo.rs` | sum, difference and intensity |
//! | `imdct.rs` | lines into subbands' values in time |
//! | `synthesis.rs` | values of 32 subbands, of both channels' mean, into samples |

mod aligned;
mod bands;
mod bits;
mod codes;
mod header;
mod huffman;
mod imdct;
mod layer3;
mod layers12;
mod scale_factors;
mod side_info;
mod stereo;
mod synthesis;

pub(super) use header::Header;
use layer3::Layer3;
use synthesis::{MOST_SLOTS, SUBBANDS, Synthesis};

/// Decodes the frames of one stream, one after the other, to one channel: the mean of two is taken before the last filter
/// bank, which so runs once.
pub(super) struct Decoder {
    layer3: Layer3,
    synthesis: Synthesis,
    /// What the last frame gave.
    samples: Vec<f32>,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Decoder {
            layer3: Layer3::new(),
            synthesis: Synthesis::new(),
            samples: Vec::new(),
        }
    }

    /// The samples of a frame that begins with `header`, full scale at 1, and whether it was decoded. There are always
    /// [`Header::samples`] of them: a frame that cannot be decoded, for want of the frames before it, for example, is silent.
    pub(super) fn decode(&mut self, header: &Header, frame: &[u8]) -> (&[f32], bool) {
        let (samples, synthesis) = (&mut self.samples, &mut self.synthesis);
        samples.clear();
        let bytes = frame.get(header.bytes()..).unwrap_or_default();
        let decoded = if header.layer == 3 {
            (self.layer3).decode(header, bytes, synthesis, samples)
        } else {
            let mut values = [[0.0; SUBBANDS]; MOST_SLOTS];
            let slots = layers12::decode(header, bytes, &mut values);
            if slots.is_none() {
                values = [[0.0; SUBBANDS]; MOST_SLOTS];
            }
            let all = header.samples() / SUBBANDS;
            synthesis.run(&values[..slots.unwrap_or(all)], samples);
            slots.is_some()
        };
        (samples, decoded)
    }

    /// The samples of a torn frame: silence. The frames behind it cannot reach back over it.
    pub(super) fn torn(&mut self, header: &Header) -> (&[f32], bool) {
        self.decode(header, &[])
    }
}
