//! Layer III (ISO/IEC 11172-3, 2.4.2.7 and 2.4.3.4): a frame's main data become values of 32 subbands.

use super::aligned::Aligned;
use super::bands::{Bands, LINES, SUBBAND};
use super::bits::Bits;
use super::header::Header;
use super::huffman::Codes;
use super::imdct::{self, Subbands};
use super::scale_factors::ScaleFactors;
use super::side_info::{Granule, SideInfo};
use super::stereo;
use super::synthesis::{SUBBANDS, Synthesis};

/// What layer III carries from frame to frame.
pub(super) struct Layer3 {
    /// Main data of the frames before, as far as a frame can reach back, and then this frame's and zeros.
    main_data: Vec<u8>,
    /// Of each channel: a granule's spectrum, and what is to be added to the next one's values.
    lines: Aligned<[[f32; LINES]; 2]>,
    overlap: Aligned<[Subbands; 2]>,
    /// A granule's values.
    values: Aligned<[Subbands; 2]>,
    mean: Aligned<Subbands>,
    /// Of the last frame; 0 before the first.
    channels: usize,
}

/// Bytes that a frame can reach back.
const REACH: usize = 511;

/// The largest line that is taken for sound, in full scales. Damaged main data decode to lines of up to 2^90.
const LOUDEST: f32 = 64.0;

/// Zeros behind a frame's main data: as many as are read at once, because reading its last bytes one by one takes longer.
const ZEROS: usize = 8;

impl Layer3 {
    pub(super) fn new() -> Self {
        Layer3 {
            main_data: Vec::new(),
            lines: Aligned([[0.0; LINES]; 2]),
            overlap: Aligned([[[0.0; SUBBANDS]; SUBBAND]; 2]),
            values: Aligned([[[0.0; SUBBANDS]; SUBBAND]; 2]),
            mean: Aligned([[0.0; SUBBANDS]; SUBBAND]),
            channels: 0,
        }
    }

    /// Decodes a frame's `bytes`, those behind its header and checksum, and appends the mean of its channels.
    ///
    /// A frame that says what cannot be, or whose main data begins before what is there, is silent and as long as any, as is
    /// a granule louder than [`LOUDEST`]. `bytes` too short for side information are those of a torn frame: no frame can reach back over it. Says whether the
    /// frame was decoded whole.
    pub(super) fn decode(
        &mut self,
        header: &Header,
        bytes: &[u8],
        synthesis: &mut Synthesis,
        samples: &mut Vec<f32>,
    ) -> bool {
        let mut info = SideInfo::default();
        let readable = info.read(header, bytes).is_some();
        let data = &mut self.main_data;
        data.truncate(data.len().saturating_sub(ZEROS));
        data.drain(..data.len().saturating_sub(REACH));
        let before = data.len();
        match bytes.get(header.side_info_bytes()..) {
            Some(own) => data.extend_from_slice(own),
            None => data.clear(),
        }
        data.resize(data.len() + ZEROS, 0);
        let start = before.checked_sub(info.main_data_begin);
        let start = start.filter(|_| readable);
        if start.is_none() {
            // No bits: all lines are zero.
            info = SideInfo::default();
        }
        let mut bits = Bits::new(&data[start.unwrap_or(data.len())..]);
        if self.channels != header.channels {
            // Each channel goes on from what it was last, and a second one from where it ended.
            self.channels = header.channels;
            synthesis.rewind(heard(header.channels, &self.values.0, &mut self.mean.0));
        }
        let mut whole = start.is_some();
        let mut first = [ScaleFactors::default(); 2];
        for granules in &info.granules[..header.granules()] {
            let granules = &granules[..header.channels];
            for (channel, granule) in granules.iter().enumerate() {
                let end = bits.position() + granule.bits;
                let lines = &mut self.lines.0[channel];
                let earlier = &first[channel];
                let factors = ScaleFactors::read(header, granule, channel == 1, earlier, &mut bits);
                spectrum(header, granule, &factors, &mut bits, end, lines);
                bits.seek(end);
                if louder(lines, LOUDEST) {
                    lines.fill(0.0);
                    whole = false;
                }
                first[channel] = factors;
            }
            if let [_, granule] = granules {
                stereo::decode(header, granule, &first[1], &mut self.lines.0);
            }
            for (channel, granule) in granules.iter().enumerate() {
                let (lines, overlap) = (&mut self.lines.0[channel], &mut self.overlap.0[channel]);
                reorder(granule.bands(header), lines);
                imdct::run(lines, granule, overlap, &mut self.values.0[channel]);
            }
            synthesis.run(
                heard(header.channels, &self.values.0, &mut self.mean.0),
                samples,
            );
        }
        whole
    }
}

/// Whether any line is beyond `most` in magnitude, or NaN: by the bits, which compilers compare in vectors.
fn louder(lines: &[f32; LINES], most: f32) -> bool {
    let magnitudes = lines.iter().map(|line| line.to_bits() & !(1 << 31));
    magnitudes.fold(0, u32::max) > most.to_bits()
}

/// A granule's values: the mean of as many channels as there are.
fn heard<'v>(channels: usize, values: &'v [Subbands; 2], mean: &'v mut Subbands) -> &'v Subbands {
    let [left, right] = values;
    if channels == 1 {
        return left;
    }
    let both = left.as_flattened().iter().zip(right.as_flattened());
    for (mean, (l, r)) in mean.as_flattened_mut().iter_mut().zip(both) {
        *mean = (l + r) * 0.5;
    }
    mean
}

/// Reads a channel's lines, up to bit `end`, in the order of the stream.
fn spectrum(
    header: &Header,
    granule: &Granule,
    factors: &ScaleFactors,
    bits: &mut Bits<'_>,
    end: usize,
    lines: &mut [f32; LINES],
) {
    let codes = Codes::get();
    let mut start = 0;
    let ends = [granule.region_end[0], granule.region_end[1], LINES];
    for (table, region_end) in granule.table_select.into_iter().zip(ends) {
        let region_end = region_end.min(granule.big_values).max(start);
        codes.pairs(table, bits, &mut lines[start..region_end]);
        start = region_end;
    }
    let fours = codes.fours(granule.count1_table, bits, end, &mut lines[start..]);
    let end = start + fours;
    lines[end..].fill(0.0);
    let bands = granule.bands(header);
    for (band, from, width) in bands.iter().take_while(|(_, from, _)| *from < end) {
        let gain = factors.gain(granule, bands, band);
        for line in &mut lines[from..from + width] {
            *line *= gain;
        }
    }
}

/// Puts the lines of three short windows side by side that the stream has one after the other.
fn reorder(bands: &Bands, lines: &mut [f32; LINES]) {
    let mut block = [0.0; LINES];
    for (_, start, width) in bands.iter().skip(bands.long).step_by(3) {
        let lines = &mut lines[start..start + 3 * width];
        for (i, line) in lines.iter().enumerate() {
            block[i % width * 3 + i / width] = *line;
        }
        lines.copy_from_slice(&block[..3 * width]);
    }
}
