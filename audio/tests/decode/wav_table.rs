//! Every container of WAV's samples, with every number of bits that are used of it.

use crate::{fmt, read, riff};

/// Twenty-four bytes of samples.
const DATA: [u8; 24] = [
    0x40, 0x01, 0x80, 0x7f, 0x80, 0xfe, 0xff, 0xc0, 0x00, 0x10, 0x20, 0x30, 0xff, 0xff, 0x7f, 0x80,
    0, 0, 0, 0x80, 0x11, 0x22, 0x33, 0x44,
];

/// Their first three samples, as libsndfile 1.2.2 reads them (`soundfile.read` of a file that holds `DATA`) in one to
/// four bytes and as floats of 4 and 8 bytes. It gives the same for every number of valid bits, 0 included.
const IN_BYTES: [[f64; 3]; 4] = [
    [-0.5, -0.9921875, 0.0],
    [0.009765625, 0.99609375, -0.01171875],
    [
        -0.9999618530273438,
        -0.01170361042022705,
        0.005889773368835449,
    ],
    [0.9960938980802894, -0.49218767741695046, 0.3759784698486328],
];

fn sound(format: Vec<u8>, data: &[u8]) -> Result<Vec<f32>, String> {
    let file = riff(&[(b"fmt ", format), (b"data", data.to_vec())]);
    let clip = read(&file).map_err(|error| error.to_string())?;
    Ok(clip.samples)
}

fn extensible(width: u16, bits: u16, valid: u16, tag: u16) -> Vec<u8> {
    let mut chunk = plain(0xfffe, width, bits);
    chunk.extend(22u16.to_le_bytes());
    chunk.extend(valid.to_le_bytes());
    chunk.extend(4u32.to_le_bytes());
    chunk.extend(tag.to_le_bytes());
    chunk.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    chunk
}

fn plain(tag: u16, width: u16, bits: u16) -> Vec<u8> {
    let mut chunk = fmt(tag, 1, 8000, 8);
    chunk[12..14].copy_from_slice(&width.to_le_bytes());
    chunk[14..16].copy_from_slice(&bits.to_le_bytes());
    chunk
}

#[test]
fn integers_are_what_libsndfile_reads() {
    let mut seen = 0;
    for width in 1..=4u16 {
        let expected = IN_BYTES[usize::from(width) - 1].map(|sample| sample as f32);
        for bits in 8 * width - 7..=8 * width {
            let what = format!("{bits} bits in {width} bytes");
            let found = sound(plain(1, width, bits), &DATA).unwrap();
            assert_eq!(
                (&found[..3], found.len()),
                (&expected[..], 24 / usize::from(width)),
                "{what}"
            );
            for valid in 0..=bits {
                let found = sound(extensible(width, bits, valid, 1), &DATA).unwrap();
                assert_eq!(found[..3], expected, "{what}, {valid} valid");
                seen += 1;
            }
        }
    }
    assert!(seen > 500, "{seen} combinations");
}

#[test]
fn floats_are_what_libsndfile_reads() {
    let samples = [0.5, -0.25, 1.0, -1.0];
    let single = samples.map(|s| (s as f32).to_le_bytes()).concat();
    let double = samples.map(f64::to_le_bytes).concat();
    for (width, bits, data) in [(4, 32, &single), (8, 64, &double)] {
        let expected = Ok(samples.map(|s| s as f32).to_vec());
        assert_eq!(sound(plain(3, width, bits), data), expected);
        for valid in [0, 24, bits] {
            assert_eq!(sound(extensible(width, bits, valid, 3), data), expected);
        }
    }
}

/// Containers larger than the bits ask for: libsndfile reads them as if they were not (noise), so they are refused; but
/// 24 bits at the bottom of four bytes are a form that hound's collection of odd files has.
#[test]
fn containers_that_do_not_fit_are_refused() {
    for width in [1u16, 2, 3, 4, 5, 8] {
        for bits in [0u16, 1, 8, 12, 16, 20, 24, 32, 40, 64] {
            for tag in [1, 3] {
                let fits = match tag {
                    1 => bits > 0 && bits.div_ceil(8) == width && width <= 4,
                    _ => (width, bits) == (4, 32) || (width, bits) == (8, 64),
                };
                if fits || (tag, width, bits) == (1, 4, 24) {
                    continue;
                }
                for format in [plain(tag, width, bits), extensible(width, bits, bits, tag)] {
                    let error = sound(format, &DATA).unwrap_err();
                    let named = error.contains("is not supported") || error.contains("broken WAV");
                    assert!(named, "{bits} bits in {width} bytes: {error}");
                }
            }
        }
    }
    let low = [0x60, 0, 0, 0, 0xa0, 0xff, 0xff, 0, 0xff, 0xff, 0x7f, 0];
    let expected = [96, -96, 8_388_607].map(|sample| sample as f32 / 8_388_608.0);
    assert_eq!(sound(plain(1, 4, 24), &low).unwrap(), expected);
}
