//! Writing WAV files.

use crate::clip::Clip;

/// A clip as the bytes of a WAV file: one channel of 16-bit PCM. What is beyond full scale is clipped; NaN becomes 0.
pub fn encode(clip: &Clip) -> Vec<u8> {
    // A RIFF file's lengths are 32-bit numbers: what would not fit is left out (more than 13 hours at 44.1 kHz).
    let most = (u32::MAX as usize - 36) / 2;
    let samples = &clip.samples[..clip.samples.len().min(most)];
    let data = samples.len() as u32 * 2;
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    bytes.extend(b"RIFF");
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes()); // PCM
    bytes.extend(1u16.to_le_bytes()); // channels
    bytes.extend(clip.sample_rate.to_le_bytes());
    bytes.extend(clip.sample_rate.saturating_mul(2).to_le_bytes());
    bytes.extend(2u16.to_le_bytes()); // bytes per block
    bytes.extend(16u16.to_le_bytes()); // bits
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(
        samples
            .iter()
            .flat_map(|s| ((s * 32768.0).round() as i16).to_le_bytes()),
    );
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode_bytes};

    #[test]
    fn what_is_written_is_read_back_to_half_a_bit() {
        let samples: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin() * 0.9).collect();
        let clip = Clip {
            samples,
            sample_rate: 22_050,
        };
        let back = decode_bytes(&encode(&clip), "clip", &Limits::default()).unwrap();
        assert_eq!(back.sample_rate, 22_050);
        assert_eq!(back.samples.len(), clip.samples.len());
        let worst = back
            .samples
            .iter()
            .zip(&clip.samples)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 0.5 / 32768.0, "{worst}");
    }

    #[test]
    fn loud_and_broken_samples_are_clipped() {
        let clip = Clip {
            samples: vec![2.0, -2.0, f32::NAN, f32::INFINITY],
            sample_rate: 8000,
        };
        let back = decode_bytes(&encode(&clip), "clip", &Limits::default()).unwrap();
        assert_eq!(
            back.samples,
            [32767.0 / 32768.0, -1.0, 0.0, 32767.0 / 32768.0]
        );
    }
}
