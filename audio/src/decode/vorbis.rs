//! Vorbis packets, through lewton.
//!
//! symphonia 0.6 decodes three channels and more wrongly: where a residue's partitions do not fill the last codeword,
//! classes read for one channel are written over the next one's; and it undoes chained couplings in the wrong order.

use lewton::audio::{PreviousWindowRight, read_audio_packet_generic};
use lewton::header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup};
use lewton::samples::InterleavedSamples;

/// Bytes of the first header.
const IDENT: usize = 30;

/// A decoder of one Vorbis stream.
pub(super) struct Vorbis {
    ident: IdentHeader,
    setup: SetupHeader,
    /// The half of the last window that overlaps with the next one.
    last: PreviousWindowRight,
}

impl Vorbis {
    /// A decoder for the stream whose first and third header are `headers`, one behind the other.
    pub(super) fn new(headers: &[u8]) -> Option<Vorbis> {
        let (ident, setup) = headers.split_at_checked(IDENT)?;
        let ident = read_header_ident(ident).ok()?;
        let blocks = (ident.blocksize_0, ident.blocksize_1);
        let setup = read_header_setup(setup, ident.audio_channels, blocks).ok()?;
        Some(Vorbis {
            ident,
            setup,
            last: PreviousWindowRight::new(),
        })
    }

    /// The number of channels.
    pub(super) fn channels(&self) -> usize {
        self.ident.audio_channels.into()
    }

    /// The samples of all channels in turn, none for the first packet; `None` for a packet that is none.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Option<Vec<f32>> {
        let decoded: InterleavedSamples<f32> =
            read_audio_packet_generic(&self.ident, &self.setup, packet, &mut self.last).ok()?;
        Some(decoded.samples)
    }
}
