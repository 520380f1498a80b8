//! The four bytes before every frame (ISO/IEC 11172-3, 2.4.1.3; 13818-3 for the lower rates, and MPEG-2.5 as encoders
//! write it).

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Header {
    /// As in the file.
    four: [u8; 4],
    /// MPEG-1, not one of the lower rates' (MPEG-2, MPEG-2.5).
    pub(super) mpeg1: bool,
    /// 1 to 3.
    pub(super) layer: usize,
    /// Which of the nine rates: 44.1, 48 and 32 kHz, their halves, their quarters.
    pub(super) rate_index: usize,
    /// Whether two bytes of checksum follow.
    pub(super) checksum: bool,
    /// Thousand bits a second; 0 where the format is free, and the next header tells the length.
    pub(super) bitrate: usize,
    /// In Hz.
    pub(crate) rate: u32,
    /// One or two.
    pub(crate) channels: usize,
    /// Whether the channels are coded as sum and difference (layer III), or as one with two gains.
    pub(super) middle_side: bool,
    pub(super) intensity: bool,
    /// Subband from which layers I and II share samples between the channels.
    pub(super) bound: usize,
}

/// Thousand bits a second by code, for MPEG-1's layers I to III, and for the lower rates' layer I, and II and III.
const BITRATES: [[u16; 15]; 5] = [
    [
        0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

impl Header {
    /// Reads the header that `bytes` starts with; `None` where it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Header> {
        let &bytes = bytes.first_chunk::<4>()?;
        let [sync, kind, format, mode] = bytes;
        // Eleven bits of sync, two of version, two of layer. Version 01 and layer 00 are no codes.
        let (version, layer) = (kind >> 3 & 3, kind >> 1 & 3);
        if sync != 0xff || kind < 0xe0 || version == 1 || layer == 0 {
            return None;
        }
        let (mpeg1, layer) = (version == 3, 4 - usize::from(layer));
        let (bitrate, rate) = (usize::from(format >> 4), usize::from(format >> 2 & 3));
        // MPEG-2.5 has layer III only.
        if bitrate == 15 || rate == 3 || (version == 0 && layer != 3) {
            return None;
        }
        let octave = match version {
            3 => 0,
            2 => 1,
            _ => 2,
        };
        let row = if mpeg1 {
            layer - 1
        } else {
            3 + layer.min(2) - 1
        };
        let joint = mode >> 6 == 1;
        Some(Header {
            four: bytes,
            mpeg1,
            layer,
            rate_index: octave * 3 + rate,
            checksum: kind & 1 == 0,
            bitrate: usize::from(BITRATES[row][bitrate]),
            rate: [44_100, 48_000, 32_000][rate] >> octave,
            channels: if mode >> 6 == 3 { 1 } else { 2 },
            middle_side: joint && mode & 0x20 != 0,
            intensity: joint && mode & 0x10 != 0,
            bound: if joint {
                4 * (1 + usize::from(mode >> 4 & 3))
            } else {
                32
            },
        })
    }

    /// Samples of each channel in a frame.
    pub(crate) fn samples(&self) -> usize {
        match self.layer {
            1 => 384,
            3 if !self.mpeg1 => 576,
            _ => 1152,
        }
    }

    /// Layer III's granules in a frame.
    pub(super) fn granules(&self) -> usize {
        if self.mpeg1 { 2 } else { 1 }
    }

    /// Bytes of header and checksum.
    pub(super) fn bytes(&self) -> usize {
        if self.checksum { 6 } else { 4 }
    }

    /// Bytes of layer III's side information.
    pub(super) fn side_info_bytes(&self) -> usize {
        match (self.mpeg1, self.channels) {
            (true, 2) => 32,
            (false, 1) => 9,
            _ => 17,
        }
    }

    /// Where a tag frame's mark may stand: behind the side information, with or without the bytes of a checksum.
    pub(crate) fn tag_places(&self) -> [usize; 2] {
        let side_info = self.side_info_bytes();
        [4 + side_info, self.bytes() + side_info]
    }

    /// Bytes of a frame, header included; `None` where the format is free.
    pub(crate) fn frame_bytes(&self) -> Option<usize> {
        // A slot is four bytes in layer I, one in the others.
        let slot = if self.layer == 1 { 4 } else { 1 };
        let slots = self.samples() / 8 / slot * self.bitrate * 1000 / self.rate as usize;
        (self.bitrate > 0).then_some(slots * slot + self.padding())
    }

    /// Bytes of a frame, in a stream whose frames of free format have `free` without padding.
    pub(crate) fn frame_bytes_or(&self, free: usize) -> usize {
        self.frame_bytes().unwrap_or(free + self.padding())
    }

    /// Bytes by which this frame is longer than others of its stream.
    pub(crate) fn padding(&self) -> usize {
        match (self.four[2] & 2 != 0, self.layer) {
            (false, _) => 0,
            (true, 1) => 4,
            (true, _) => 1,
        }
    }

    /// Whether `other` can be a header of the same stream: version, layer and rate stay, and so does a free format.
    pub(crate) fn continues(&self, other: &Header) -> bool {
        (self.four[1] | 1) == (other.four[1] | 1)
            && self.rate_index == other.rate_index
            && (self.bitrate == 0) == (other.bitrate == 0)
    }
}
