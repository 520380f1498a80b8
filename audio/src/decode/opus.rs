//! Opus packets, through opus-pure.

use opus_pure::{OpusDecoder, OpusMSDecoder};

/// Opus is decoded at this rate, whatever the rate of what was encoded.
pub(super) const RATE: u32 = 48_000;

/// A decoder of one Opus stream, or of several that make up surround sound.
pub(super) struct Opus {
    decoder: Decoder,
    channels: usize,
    /// Samples at the start that the encoder put there.
    pub(super) pre_skip: u64,
    interleaved: Vec<f32>,
}

enum Decoder {
    One(Box<OpusDecoder>),
    Several(OpusMSDecoder),
}

impl Opus {
    /// A decoder for the stream that `head`, an `OpusHead` packet (RFC 7845, 5.1), describes; `None` for channel mappings
    /// that have no fixed order of channels.
    pub(super) fn new(head: &[u8]) -> Option<Opus> {
        let (fixed, table) = head.split_first_chunk::<19>()?;
        let (channels, family) = (usize::from(fixed[9]), fixed[18]);
        let gain = i32::from(i16::from_le_bytes([fixed[16], fixed[17]]));
        let decoder = if family == 0 {
            let mut decoder = OpusDecoder::new(RATE as i32, channels).ok()?;
            decoder.gain_q8 = gain;
            Decoder::One(Box::new(decoder))
        } else {
            let mut decoder = OpusMSDecoder::new(RATE as i32, channels, family).ok()?;
            // The file's own table has to be the one that belongs to its family.
            let layout = decoder.layout();
            let counts = [layout.nb_streams, layout.nb_coupled_streams].map(|n| n as u8);
            let (own, mapping) = table.split_first_chunk::<2>()?;
            if *own != counts || mapping.get(..channels)? != layout.mapping {
                return None;
            }
            (decoder.streams_mut().iter_mut()).for_each(|stream| stream.gain_q8 = gain);
            Decoder::Several(decoder)
        };
        Some(Opus {
            decoder,
            channels,
            pre_skip: u16::from_le_bytes([fixed[10], fixed[11]]).into(),
            interleaved: vec![0.0; opus_pure::MAX_PACKET_SAMPLES * channels],
        })
    }

    /// The number of channels.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The samples of all channels in turn; `None` for a packet that is none.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Option<&[f32]> {
        // An empty packet stands for a lost one; nothing was lost here.
        if packet.is_empty() {
            return None;
        }
        let most = opus_pure::MAX_PACKET_SAMPLES;
        let count = match &mut self.decoder {
            Decoder::One(decoder) => decoder.decode(packet, most, &mut self.interleaved),
            Decoder::Several(decoder) => decoder.decode(packet, most, &mut self.interleaved),
        };
        self.interleaved.get(..count.ok()? * self.channels)
    }
}
