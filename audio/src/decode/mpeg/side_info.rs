//! What stands before layer III's main data (ISO/IEC 11172-3, 2.4.1.7; 13818-3, 2.4.1.7): how each granule of each
//! channel is coded.

use super::bands::{Bands, LINES, Windows};
use super::bits::Bits;
use super::header::Header;

/// The side information of one frame.
#[derive(Default)]
pub(super) struct SideInfo {
    /// Where the main data begins: so many bytes before the frame, in what others before it left free.
    pub(super) main_data_begin: usize,
    /// By granule (MPEG-1 has two, the lower rates one) and channel.
    pub(super) granules: [[Granule; 2]; 2],
}

/// How one granule of one channel is coded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Granule {
    /// Bits of scale factors and spectrum.
    pub(super) bits: usize,
    /// Lines coded in pairs.
    pub(super) big_values: usize,
    pub(super) global_gain: i32,
    /// Says of how many bits the scale factors are.
    pub(super) scalefac_compress: u32,
    pub(super) windows: Windows,
    /// Whether the two lowest subbands have an ordinary long window, whatever the others have.
    pub(super) mixed: bool,
    /// 0 for a long window like its neighbours, 1 before and 3 after short ones, 2 for those.
    pub(super) block_type: usize,
    /// The Huffman tables of up to three regions, and the lines where the first two end.
    pub(super) table_select: [usize; 3],
    pub(super) region_end: [usize; 2],
    pub(super) subblock_gain: [i32; 3],
    pub(super) preflag: bool,
    /// Whether a scale factor counts for twice as much.
    pub(super) scalefac_scale: bool,
    /// Whether fours are coded by table B.
    pub(super) count1_table: bool,
    /// Which of the four groups of scale factors are the first granule's, from the top bit on.
    pub(super) scfsi: u32,
}

impl SideInfo {
    /// Reads it, into what is all zero, from the start of `bytes`; `None` where it says what cannot be.
    pub(super) fn read(&mut self, header: &Header, bytes: &[u8]) -> Option<()> {
        if bytes.len() < header.side_info_bytes() {
            return None;
        }
        let mut bits = Bits::new(bytes);
        self.main_data_begin = bits.read(if header.mpeg1 { 9 } else { 8 }) as usize;
        // Private bits.
        bits.read(match (header.mpeg1, header.channels) {
            (true, 1) => 5,
            (true, _) => 3,
            (false, channels) => channels as u32,
        });
        if header.mpeg1 {
            for channel in 0..header.channels {
                self.granules[1][channel].scfsi = bits.read(4);
            }
        }
        for granule in self.granules.iter_mut().take(header.granules()) {
            for channel in granule.iter_mut().take(header.channels) {
                channel.read(header, &mut bits)?;
            }
        }
        Some(())
    }
}

impl Granule {
    /// The bands of its spectrum.
    pub(super) fn bands(&self, header: &Header) -> &'static Bands {
        Bands::of(header.rate_index, self.windows)
    }

    fn read(&mut self, header: &Header, bits: &mut Bits<'_>) -> Option<()> {
        self.bits = bits.read(12) as usize;
        self.big_values = bits.read(9) as usize * 2;
        self.global_gain = bits.read(8) as i32;
        self.scalefac_compress = bits.read(if header.mpeg1 { 4 } else { 9 });
        if bits.flag() {
            self.block_type = bits.read(2) as usize;
            self.mixed = bits.flag();
            self.table_select[0] = bits.read(5) as usize;
            self.table_select[1] = bits.read(5) as usize;
            self.subblock_gain = std::array::from_fn(|_| bits.read(3) as i32);
            self.windows = match (self.block_type, self.mixed) {
                (2, true) => Windows::Mixed,
                (2, false) => Windows::Short,
                _ => Windows::Long,
            };
            if self.block_type == 0 {
                return None;
            }
            // Two regions only: nine short bands, or eight long ones, and the rest.
            let first = match self.windows {
                Windows::Long => Bands::of(header.rate_index, Windows::Long).line(8),
                _ => Bands::of(header.rate_index, Windows::Short).line(9),
            };
            self.region_end = [first, LINES];
        } else {
            self.table_select = std::array::from_fn(|_| bits.read(5) as usize);
            let first = bits.read(4) as usize + 1;
            let second = first + bits.read(3) as usize + 1;
            let bands = Bands::of(header.rate_index, Windows::Long);
            self.region_end = [bands.line(first), bands.line(second)];
        }
        self.preflag = header.mpeg1 && bits.flag();
        self.scalefac_scale = bits.flag();
        self.count1_table = bits.flag();
        (self.big_values <= LINES).then_some(())
    }
}
