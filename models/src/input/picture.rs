//! Pictures of sound as features: PNG files, grey or RGB, of any size.
//!
//! Rows are bands and columns are frames. A picture has the highest frequency on top, features have the lowest band
//! first, so its rows are turned over. Numbers are brightness from 0 (black) to 1 (white). Colours become grey as
//! PIL and torchvision do it (ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B); transparency is left out of account.

use std::io::Cursor;
use std::path::Path;

use audio::Features;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use crate::Error;
use crate::input::{Input, Windows, cuts};

/// Larger pictures are refused: 64 million pixels.
const MAX_PIXELS: u64 = 1 << 26;

/// Whether these bytes are a PNG file's.
#[must_use]
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// The planes of a picture, each `[height, width]` with its lowest row first: one of grey, or red, green and blue.
///
/// # Errors
/// [`Error::Malformed`] naming `path` and what is wrong with the picture.
pub fn planes(bytes: &[u8], path: &Path) -> Result<Vec<Features>, Error> {
    let refuse = |reason: String| Error::Malformed {
        path: path.into(),
        reason,
    };
    let wrong = |error: png::DecodingError| refuse(format!("no sound PNG picture: {error}"));
    let limits = Limits {
        bytes: 8 * MAX_PIXELS as usize,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    // Palettes become colours, 1, 2 and 4 bits become 8.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(wrong)?;
    let (width, height) = reader.info().size();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(refuse(format!(
            "{width}×{height} pixels, the limit is {MAX_PIXELS} in all"
        )));
    }
    let size = reader.output_buffer_size();
    let size = size.ok_or_else(|| refuse(format!("{width}×{height} pixels are too many")))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(wrong)?;
    let (samples, colours) = match info.color_type {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (2, 1),
        ColorType::Rgb => (3, 3),
        ColorType::Rgba => (4, 3),
        ColorType::Indexed => return Err(refuse("its palette was not resolved".into())),
    };
    let wide = info.bit_depth == BitDepth::Sixteen;
    let number = |bytes: &[u8]| match *bytes {
        [high, low] => f32::from(u16::from_be_bytes([high, low])) / 65535.0,
        [one] => f32::from(one) / 255.0,
        _ => 0.0,
    };
    let bytes_each = 1 + usize::from(wide);
    let (bands, frames) = (info.height as usize, info.width as usize);
    let plane = |colour: usize| Features {
        bands,
        frames,
        values: pixels[..info.buffer_size()]
            .chunks_exact(info.line_size)
            .rev()
            .flat_map(|row| row.chunks_exact(samples * bytes_each))
            .map(|pixel| number(&pixel[colour * bytes_each..][..bytes_each]))
            .collect(),
    };
    Ok((0..colours).map(plane).collect())
}

impl Input {
    /// The network's input for a picture: windows of the recipe's bands and frames, as many as
    /// [`Input::picture_seconds`]
    /// hold, else one; with 3 channels its colours one after the other, with 1 its grey. `path` goes into errors.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no sound PNG.
    pub fn picture(&self, bytes: &[u8], path: &Path) -> Result<Windows, Error> {
        let mut planes = planes(bytes, path)?;
        if let ([red, green, blue], 1) = (&mut planes[..], self.channels) {
            for ((r, g), b) in red.values.iter_mut().zip(&green.values).zip(&blue.values) {
                *r = 0.299 * *r + 0.587 * g + 0.114 * b;
            }
            planes.truncate(1);
        }
        let named = |source| Error::Features {
            name: path.display().to_string(),
            source,
        };
        let bands = self.bands();
        let shown = match (self.picture_seconds, self.seconds) {
            (Some(shown), Some(window)) => (self.frames as f64 * shown / window).round() as usize,
            _ => self.frames,
        };
        let resized = |plane: &Features| plane.resize(bands, shown.max(1)).map_err(named);
        let planes = planes.iter().map(resized).collect::<Result<Vec<_>, _>>()?;
        let cuts = cuts(shown.max(1), self.frames);
        let mut values = Vec::with_capacity(cuts.len() * self.rows() * self.frames);
        for &(from, to) in &cuts {
            let mut window = Vec::with_capacity(self.rows() * self.frames);
            for plane in &planes {
                let cut = plane.values.chunks_exact(plane.frames);
                let cut = cut.flat_map(|row| &row[from..to]).copied().collect();
                let (bands, frames) = (plane.bands, to - from);
                // A picture that shows less than a window is spread over it.
                let cut = Features {
                    bands,
                    frames,
                    values: cut,
                };
                window.extend(cut.resize_frames(self.frames).map_err(named)?.values);
            }
            self.repeat_channels(&mut window);
            values.extend(window);
        }
        Ok(Windows {
            windows: cuts.len(),
            bands: self.rows(),
            frames: self.frames,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    fn encode(width: u32, height: u32, colour: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(vec![0, 0, 0, 255, 0, 51]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn input(channels: usize, bands: usize, frames: usize) -> Input {
        let mut input = Recipe::load("demo").unwrap().input;
        (input.channels, input.frames, input.features.n_mels) = (channels, frames, bands);
        input
    }

    fn values(input: &Input, bytes: &[u8]) -> Vec<f32> {
        let windows = input.picture(bytes, Path::new("x.png")).unwrap();
        assert_eq!((windows.windows, windows.bands), (1, input.rows()));
        windows.values
    }

    #[test]
    fn the_lowest_row_comes_first_in_every_kind_of_picture() {
        use {BitDepth::*, ColorType::*};
        let grey = |top: [f32; 2], bottom: [f32; 2]| [bottom, top].concat();
        let (one, three) = (input(1, 2, 2), input(3, 2, 2));
        for (colour, depth, data) in [
            (Grayscale, Eight, vec![255, 0, 51, 102]),
            (Grayscale, Sixteen, vec![255, 255, 0, 0, 51, 51, 102, 102]),
            (GrayscaleAlpha, Eight, vec![255, 9, 0, 0, 51, 255, 102, 7]),
        ] {
            let bytes = encode(2, 2, colour, depth, &data);
            let expected = grey([1.0, 0.0], [0.2, 0.4]);
            assert_eq!(values(&one, &bytes), expected);
            assert_eq!(values(&three, &bytes), expected.repeat(3));
        }
        let bits = encode(2, 2, Grayscale, One, &[0b1000_0000, 0b0100_0000]);
        assert_eq!(values(&one, &bits), grey([1.0, 0.0], [0.0, 1.0]));
        for (colour, data) in [
            (Rgb, vec![0, 0, 0, 255, 0, 51]),
            (Rgba, vec![0, 0, 0, 3, 255, 0, 51, 0]),
            (Indexed, vec![0, 1]),
        ] {
            let bytes = encode(2, 1, colour, Eight, &data);
            assert_eq!(
                values(&input(3, 1, 2), &bytes),
                [0.0, 1.0, 0.0, 0.0, 0.0, 0.2]
            );
            let grey = values(&input(1, 1, 2), &bytes);
            assert!(
                abs_diff_eq!(grey[1], (0.299 + 0.2 * 0.114), epsilon = 1e-6),
                "{grey:?}"
            );
        }
    }

    #[test]
    fn resized_to_what_the_recipe_asks_for() {
        let data: Vec<u8> = (0..4 * 6)
            .map(|i| if i % 6 < 3 { 0 } else { 255 })
            .collect();
        let bytes = encode(6, 4, ColorType::Grayscale, BitDepth::Eight, &data);
        let small = values(&input(1, 3, 2), &bytes);
        for (small, expected) in small.iter().zip([0.0, 1.0].repeat(3)) {
            assert!(
                abs_diff_eq!(*small, expected, epsilon = 1e-6),
                "{small} {expected}"
            );
        }
        assert_eq!(values(&input(1, 7, 9), &bytes).len(), 63);
    }

    #[test]
    fn a_picture_of_many_seconds_is_cut_into_windows() {
        let data: Vec<u8> = (0..8 * 2).map(|i| 16 * (i % 8)).collect();
        let bytes = encode(8, 2, ColorType::Grayscale, BitDepth::Eight, &data);
        let mut input = input(1, 2, 2);
        (input.seconds, input.picture_seconds) = (Some(7.5), Some(30.0));
        let windows = input.picture(&bytes, Path::new("x.png")).unwrap();
        assert_eq!((windows.windows, windows.frames), (4, 2));
        let first: Vec<f32> = windows.values.chunks(4).map(|w| 255.0 * w[0]).collect();
        let far = first
            .iter()
            .zip([0.0, 32.0, 64.0, 96.0])
            .map(|(a, b)| (a - b).abs());
        assert!(far.fold(0.0, f32::max) < 1e-3, "{first:?}");
        for (shown, count) in [(1.0, 1), (7.5, 1), (15.0, 2), (16.0, 2)] {
            input.picture_seconds = Some(shown);
            let windows = input.picture(&bytes, Path::new("x.png")).unwrap();
            assert_eq!((windows.windows, windows.values.len()), (count, 4 * count));
        }
        for (seconds, shown) in [(1e-9, 1e9), (1e-300, 1e300)] {
            (input.seconds, input.picture_seconds) = (Some(seconds), Some(shown));
            assert!(input.picture(&bytes, Path::new("x.png")).is_err());
        }
    }

    #[test]
    fn no_picture_is_an_error_that_names_it() {
        let good = encode(2, 1, ColorType::Grayscale, BitDepth::Eight, &[1, 2]);
        let mut huge = good.clone();
        huge[16..20].copy_from_slice(&0x7fff_ffffu32.to_be_bytes());
        for bytes in [&b""[..], b"no picture", &good[..20], &good[..45], &huge] {
            let error = input(1, 2, 2).picture(bytes, Path::new("x.png"));
            assert!(error.unwrap_err().to_string().starts_with("x.png: "));
        }
        assert!(is_picture(&good) && !is_picture(b"RIFF"));
    }

    proptest! {
        #[test]
        fn any_damage_is_survived(at in 0usize..60, byte: u8, cut in 0usize..90) {
            let mut bytes = encode(3, 2, ColorType::Rgb, BitDepth::Eight, &[7; 18]);
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(len.min(cut + 10));
            if let Ok(windows) = input(1, 2, 2).picture(&bytes, Path::new("x.png")) {
                prop_assert_eq!(windows.values.len(), 4);
            }
        }
    }
}
