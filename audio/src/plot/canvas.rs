//! Pixels, lines, text, and the way to PNG.

use crate::error::{Error, Result};
use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// DejaVu Sans, cut to ASCII and a few signs. See the licence beside it.
const FONT: &[u8] = include_bytes!("DejaVuSans-subset.ttf");

/// Which point of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// A picture being drawn. What falls outside is left out.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, background: Colour) -> Self {
        Canvas {
            width,
            height,
            pixels: vec![background; width * height],
        }
    }

    fn pixel(&mut self, x: i32, y: i32) -> Option<&mut Colour> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        if x >= self.width {
            return None;
        }
        self.pixels.get_mut(y * self.width + x)
    }

    pub(super) fn put(&mut self, x: i32, y: i32, colour: Colour) {
        if let Some(pixel) = self.pixel(x, y) {
            *pixel = colour;
        }
    }

    pub(super) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        for y in y..y + height {
            for x in x..x + width {
                self.put(x, y, colour);
            }
        }
    }

    /// A line of one pixel around an area.
    pub(super) fn frame(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        self.fill(x - 1, y - 1, width + 2, 1, colour);
        self.fill(x - 1, y + height, width + 2, 1, colour);
        self.fill(x - 1, y, 1, height, colour);
        self.fill(x + width, y, 1, height, colour);
    }

    /// A line of text, its middle at the height `y`.
    pub(super) fn text(
        &mut self,
        text: &str,
        x: i32,
        y: i32,
        size: f32,
        align: Align,
        colour: Colour,
    ) {
        let (cover, width) = Self::rasterise(text, size);
        let left = match align {
            Align::Left => x,
            Align::Centre => x - width / 2,
            Align::Right => x - width,
        };
        for (dx, dy, share) in cover {
            self.blend(left + dx, y + dy, colour, share);
        }
    }

    /// A line of text that runs upwards, centred on a point.
    pub(super) fn text_upwards(&mut self, text: &str, x: i32, y: i32, size: f32, colour: Colour) {
        let (cover, width) = Self::rasterise(text, size);
        for (dx, dy, share) in cover {
            self.blend(x + dy, y + width / 2 - dx, colour, share);
        }
    }

    /// The pixels of a text with how far each is covered, from its left end and its middle height; and its width.
    fn rasterise(text: &str, size: f32) -> (Vec<(i32, i32, f32)>, i32) {
        let mut cover = Vec::new();
        // The font is part of the program, and a test loads it.
        let Ok(font) = FontRef::try_from_slice(FONT) else {
            return (cover, 0);
        };
        let scaled = font.as_scaled(PxScale::from(size * 1.2));
        let base = (scaled.ascent() + scaled.descent()) / 2.0;
        let mut pen = 0.0;
        let mut last = None;
        for id in text
            .chars()
            .map(|c| font.glyph_id(c))
            .filter(|id| id.0 != 0)
        {
            if let Some(last) = last {
                pen += scaled.kern(last, id);
            }
            let glyph: Glyph = id.with_scale_and_position(scaled.scale(), point(pen, base));
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|x, y, share| {
                    cover.push((
                        corner.x as i32 + x as i32,
                        corner.y as i32 + y as i32,
                        share,
                    ))
                });
            }
            pen += scaled.h_advance(id);
            last = Some(id);
        }
        (cover, pen.ceil() as i32)
    }

    fn blend(&mut self, x: i32, y: i32, colour: Colour, share: f32) {
        if let Some(pixel) = self.pixel(x, y) {
            for (under, over) in pixel.iter_mut().zip(colour) {
                let value = f32::from(*under)
                    + (f32::from(over) - f32::from(*under)) * share.clamp(0.0, 1.0);
                *under = value.round() as u8;
            }
        }
    }

    /// The picture as the bytes of a PNG file.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let write = || -> Result<(), png::EncodingError> {
            let mut writer = encoder.write_header()?;
            writer.write_image_data(self.pixels.as_flattened())?;
            writer.finish()
        };
        write().map_err(|error| Error::Picture(error.to_string()))?;
        Ok(bytes)
    }
}

/// The colour map magma (S. van der Walt, N. Smith; CC0) at a share from 0 to 1, between nine of its colours.
pub(super) fn magma(share: f32) -> Colour {
    const ANCHORS: [Colour; 9] = [
        [0, 0, 4],
        [28, 16, 68],
        [79, 18, 123],
        [129, 37, 129],
        [181, 54, 122],
        [229, 80, 100],
        [251, 135, 97],
        [254, 194, 135],
        [252, 253, 191],
    ];
    let at = share.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f32;
    let low = (at as usize).min(ANCHORS.len() - 2);
    let mix = |a: u8, b: u8| {
        (f32::from(a) + (f32::from(b) - f32::from(a)) * (at - low as f32)).round() as u8
    };
    std::array::from_fn(|i| mix(ANCHORS[low][i], ANCHORS[low + 1][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_characters_that_labels_use() {
        let font = FontRef::try_from_slice(FONT).unwrap();
        for c in (' '..='~').chain(['\u{2212}']) {
            assert_ne!(font.glyph_id(c).0, 0, "{c}");
        }
        let (cover, width) = Canvas::rasterise("Time (s)", 13.0);
        assert!(
            width > 40 && width < 80 && cover.iter().any(|(_, _, share)| *share > 0.5),
            "{width}"
        );
    }

    #[test]
    fn colours_run_from_dark_to_light() {
        assert_eq!(
            (magma(0.0), magma(1.0), magma(-3.0)),
            ([0, 0, 4], [252, 253, 191], [0, 0, 4])
        );
        let light =
            |c: Colour| 0.3 * f32::from(c[0]) + 0.6 * f32::from(c[1]) + 0.1 * f32::from(c[2]);
        let lights: Vec<f32> = (0..=100).map(|i| light(magma(i as f32 / 100.0))).collect();
        assert!(lights.is_sorted());
    }

    #[test]
    fn what_falls_outside_is_left_out() {
        let mut canvas = Canvas::new(10, 10, [0; 3]);
        canvas.fill(-5, -5, 30, 7, [9; 3]);
        canvas.text("outside", 5, 500, 13.0, Align::Left, [255; 3]);
        assert_eq!(canvas.pixels.iter().filter(|p| **p == [9; 3]).count(), 20);
    }
}
