//! AU and SND, either way round.

use crate::{UNKNOWN_LENGTH, au, read, warned};
use audio::Clip;

#[test]
fn every_encoding_of_au_has_its_full_scale_at_one() {
    let be = |values: [i32; 3], width: usize| -> Vec<u8> {
        let shifted = values.map(|v| (v << (32 - 8 * width)).to_be_bytes());
        shifted.iter().flat_map(|b| b[..width].to_vec()).collect()
    };
    let floats = [0.5f32, -1.0, 0.25].map(f32::to_be_bytes).concat();
    let doubles = [0.5f64, -1.0, 0.25].map(f64::to_be_bytes).concat();
    let expected = Clip {
        samples: vec![0.5, -1.0, 0.25],
        sample_rate: 8000,
    };
    for (encoding, data) in [
        (2, be([64, -128, 32], 1)),
        (3, be([1 << 14, -(1 << 15), 1 << 13], 2)),
        (4, be([1 << 22, -(1 << 23), 1 << 21], 3)),
        (5, be([1 << 30, i32::MIN, 1 << 29], 4)),
        (6, floats),
        (7, doubles),
    ] {
        for (offset, size) in [(24, data.len() as u32), (24, u32::MAX), (57, u32::MAX)] {
            let file = au([offset, size, encoding, 8000, 1], &data);
            assert_eq!(read(&file).unwrap(), expected, "encoding {encoding}");
        }
    }
    let law = |encoding, byte| {
        read(&au([24, 1, encoding, 8000, 1], &[byte]))
            .unwrap()
            .samples[0]
    };
    assert_eq!(law(1, 128), 32124.0 / 32768.0);
    assert_eq!(law(27, 128), 5504.0 / 32768.0);

    let stereo = be([1 << 14, 1 << 13, 1 << 14], 2);
    let clip = read(&au([24, 6, 3, 44_100, 2], &stereo)).unwrap();
    assert_eq!(clip.samples, [0.375], "the mean; half a block is left out");

    let mut swapped = au([24, 4, 3, 8000, 1], &[0, 0x40, 0, 0x80]);
    swapped[..4].copy_from_slice(b"dns.");
    swapped[4..24].chunks_exact_mut(4).for_each(<[u8]>::reverse);
    assert_eq!(read(&swapped).unwrap().samples, [0.5, -1.0]);

    let (clip, warnings) = warned(&au([24, 0, 3, 8000, 1], &[0x40, 0, 0x80, 0]));
    assert_eq!(
        clip.samples,
        [0.5, -1.0],
        "a length of 0, as some recorders leave it"
    );
    assert_eq!(warnings, [UNKNOWN_LENGTH]);
}
