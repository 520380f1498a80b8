//! Every form of sound file that is read, sample by sample.

mod aiff;
mod au;
mod mp3;
mod segments;
mod wav;
mod wav_table;

use audio::{Clip, Error, Limits, Segment, Stream, decode_bytes};

/// A WAV file with this `fmt ` chunk and this data.
fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, content) in chunks {
        body.extend(*id);
        body.extend((content.len() as u32).to_le_bytes());
        body.extend(content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}

fn fmt(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let mut chunk = Vec::new();
    chunk.extend(tag.to_le_bytes());
    chunk.extend(channels.to_le_bytes());
    chunk.extend(rate.to_le_bytes());
    chunk.extend((rate * u32::from(block)).to_le_bytes());
    chunk.extend(block.to_le_bytes());
    chunk.extend(bits.to_le_bytes());
    chunk
}

fn read(bytes: &[u8]) -> Result<Clip, Error> {
    decode_bytes(bytes, "x.wav", &Limits::default())
}

/// A file's sound, and what is wrong with it.
fn warned(bytes: &[u8]) -> (Clip, Vec<String>) {
    let mut stream = Stream::from_bytes(bytes, "x.wav", &Limits::default()).unwrap();
    let clip = stream.clip(&Segment::default()).unwrap();
    (clip, stream.warnings())
}

/// The warning of a length that was never written.
const UNKNOWN_LENGTH: &str =
    "x.wav: the length of its sound was never written; it is read to the end of the file";

fn le<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

/// An AU file; `words` are data offset, size, encoding, rate, channels.
fn au(words: [u32; 5], data: &[u8]) -> Vec<u8> {
    let mut file = b".snd".to_vec();
    file.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    file.resize(words[0] as usize, b'n');
    file.extend(data);
    file
}
