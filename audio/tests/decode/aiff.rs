//! AIFF and AIFF-C.

use crate::{UNKNOWN_LENGTH, read, warned};

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend((body.len() as u32).to_be_bytes());
    chunk.extend(body);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A file at 8 kHz; AIFF-C where there is a compression.
fn aiff(channels: u16, bits: u16, compression: Option<&[u8; 4]>, data: &[u8]) -> Vec<u8> {
    let mut comm = channels.to_be_bytes().to_vec();
    let block = u32::from(channels * bits.div_ceil(8)).max(1);
    comm.extend((data.len() as u32 / block).to_be_bytes());
    comm.extend(bits.to_be_bytes());
    comm.extend([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    comm.extend(compression.into_iter().flatten());
    let sound = [&[0; 8], data].concat();
    let body = [chunk(b"COMM", &comm), chunk(b"SSND", &sound)].concat();
    let kind = if compression.is_some() {
        b"AIFC"
    } else {
        b"AIFF"
    };
    [
        &b"FORM"[..],
        &(body.len() as u32 + 4).to_be_bytes(),
        kind,
        &body,
    ]
    .concat()
}

#[test]
fn every_kind_of_sample_has_its_full_scale_at_one() {
    let integers = |width: usize, big: bool| -> Vec<u8> {
        let values = [1i32 << 30, i32::MIN, 1 << 29].map(i32::to_be_bytes);
        let values = values.map(|mut bytes| {
            if !big {
                bytes[..width].reverse();
            }
            bytes[..width].to_vec()
        });
        values.concat()
    };
    let single = [0.5f32, -1.0, 0.25].map(f32::to_be_bytes).concat();
    let double = [0.5f64, -1.0, 0.25].map(f64::to_be_bytes).concat();
    let mut files = Vec::new();
    for bits in 1..=32u16 {
        let width = usize::from(bits.div_ceil(8));
        files.push((bits, None, integers(width, true)));
        files.push((bits, Some(b"NONE"), integers(width, true)));
        files.push((bits, Some(b"sowt"), integers(width, false)));
    }
    files.push((24, Some(b"in24"), integers(3, true)));
    files.push((24, Some(b"42ni"), integers(3, false)));
    files.push((32, Some(b"in32"), integers(4, true)));
    files.push((32, Some(b"23ni"), integers(4, false)));
    files.push((32, Some(b"fl32"), single.clone()));
    files.push((32, Some(b"FL32"), single));
    files.push((64, Some(b"fl64"), double));
    files.push((8, Some(b"raw "), vec![192, 0, 160]));
    for (bits, compression, data) in files {
        let what = format!("{bits} bits, {compression:?}");
        let clip =
            read(&aiff(1, bits, compression, &data)).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(
            (&clip.samples[..], clip.sample_rate),
            (&[0.5, -1.0, 0.25][..], 8000),
            "{what}"
        );
    }
    let law = |name| read(&aiff(1, 16, Some(name), &[128])).unwrap().samples[0];
    assert_eq!(law(b"ulaw"), 32_124.0 / 32_768.0);
    assert_eq!(law(b"ALAW"), 5504.0 / 32_768.0);
    let stereo = read(&aiff(2, 16, None, &integers(2, true)[..4])).unwrap();
    assert_eq!(stereo.samples, [-0.25]);
}

#[test]
fn a_length_that_was_never_written_reaches_to_the_end() {
    let data = [0x40, 0, 0x80, 0];
    let good = aiff(1, 16, None, &data);
    let at = good.windows(4).position(|w| w == b"SSND").unwrap() + 4;
    for length in [0, 8, u32::MAX] {
        let mut file = good.clone();
        file[at..at + 4].copy_from_slice(&u32::to_be_bytes(length));
        let (clip, warnings) = warned(&file);
        assert_eq!(clip.samples, [0.5, -1.0], "{length}");
        assert_eq!(warnings, [UNKNOWN_LENGTH], "{length}");
        // What the header counts ends the sound, where something else stands behind it.
        file.extend([7; 5]);
        assert_eq!(warned(&file).0.samples, [0.5, -1.0], "{length}");
    }
    let (clip, warnings) = warned(&good[..good.len() - 2]);
    assert_eq!(clip.samples, [0.5]);
    assert_eq!(
        warnings,
        ["x.wav: its header says 4 bytes of sound, the file ends after 2 of them"]
    );
}

/// A block of 64 samples: nine bits of the first predictor, seven of the step's index, then codes of four bits.
#[test]
fn ima_adpcm_of_quick_time() {
    let mut block = vec![0x01, 0x80];
    block.push(0xc4);
    block.resize(34, 0);
    let samples = read(&aiff(1, 16, Some(b"ima4"), &block)).unwrap().samples;
    assert_eq!(samples.len(), 64);
    let first: Vec<f32> = samples[..2].iter().map(|s| s * 32_768.0).collect();
    assert_eq!(
        first,
        [391.0, 381.0],
        "384 + 7, then a step of 8: 9 and 1 less"
    );
}

#[test]
fn what_is_broken_or_unknown_is_named() {
    let named = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let of = |bits, compression| named(&aiff(1, bits, compression, &[0; 8]));
    assert_eq!(of(0, None), "x.wav: broken AIFF file: samples of 0 bits");
    assert_eq!(of(33, None), "x.wav: broken AIFF file: samples of 33 bits");
    assert!(of(16, Some(b"QDM2")).contains("AIFF-C with compression `QDM2` is not supported"));
    assert!(named(&aiff(0, 16, None, &[0; 8])).contains("it has no channels"));
    let mut rate = aiff(1, 16, None, &[0; 8]);
    let at = rate.windows(2).position(|w| w == [0x40, 0x0b]).unwrap();
    rate[at] = 0x7f;
    assert!(named(&rate).contains("the sample rate is no number"));
}
