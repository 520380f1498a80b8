//! One value a frame as a line; where many frames share a column of pixels, all that they span.

use super::area::Area;
use super::canvas::{Canvas, Colour};
use crate::features::{FeatureSettings, Features, Kind};

/// A line, and the range of its axis.
pub(super) struct Curve<'a> {
    values: &'a [f32],
    pub(super) low: f64,
    pub(super) high: f64,
}

impl<'a> Curve<'a> {
    /// Not empty, all finite. A waveform's axis reaches as far below 0 as above it, others' from the least value, or 0
    /// where none is negative.
    pub(super) fn of(features: &'a Features, settings: &FeatureSettings) -> Self {
        let values = &features.values;
        let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let low = values.iter().copied().fold(f32::INFINITY, f32::min);
        let loudest = f64::from(high.max(-low));
        let (low, high) = match settings.kind {
            Kind::Waveform | Kind::Harmonic | Kind::Percussive => (-loudest, loudest),
            _ => (f64::from(low.min(0.0)), f64::from(high.max(0.0))),
        };
        // A flat line at 0 has room on both sides.
        let room = if high > low { 0.0 } else { 1.0 };
        Curve {
            values,
            low: low - room,
            high: high + room,
        }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, area: &Area, colour: Colour) {
        let row = |value: f32| area.row((f64::from(value) - self.low) / (self.high - self.low));
        let (frames, width) = (self.values.len(), area.width as usize);
        let mut last: Option<(i32, i32)> = None;
        for x in 0..width {
            let from = x * frames / width;
            let to = ((x + 1) * frames / width).max(from + 1);
            let rows = self.values[from..to].iter().map(|v| row(*v));
            let (mut top, mut bottom) = rows.fold((i32::MAX, i32::MIN), |(top, bottom), row| {
                (top.min(row), bottom.max(row))
            });
            let own = (top, bottom);
            if let Some((above, below)) = last {
                // Columns touch.
                top = top.min(below);
                bottom = bottom.max(above);
            }
            last = Some(own);
            let height = (bottom - top + 1).max(2);
            canvas.fill(area.left + x as i32, top, 1, height, colour);
        }
    }
}
