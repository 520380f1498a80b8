//! Bands by frames as colours, with their bar.

use super::area::{Area, TEXT, TICK};
use super::axis::steps;
use super::canvas::{Align, Canvas, magma};
use crate::error::Result;
use crate::features::{FeatureSettings, Features, Kind, Preset};

/// The colour bar: its distance from the picture, and its width.
const BAR: [i32; 2] = [18, 16];
/// The decibels shown where the settings name no floor.
const DEPTH: f32 = 80.0;

/// What is drawn, and the range that the colours span.
pub(super) struct Heat {
    pub(super) values: Features,
    low: f32,
    high: f32,
    unit: &'static str,
}

impl Heat {
    /// Powers and magnitudes become decibels below their maximum. Not empty.
    pub(super) fn of(features: &Features, settings: &FeatureSettings) -> Self {
        let largest = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let smallest = |values: &[f32]| values.iter().copied().fold(f32::INFINITY, f32::min);
        let mut values = features.clone();
        let htk = settings.preset == Preset::Htk;
        let (low, high) = match settings.kind {
            Kind::Stft | Kind::Mel => {
                let factor = if settings.power == 1 { 20.0 } else { 10.0 };
                let loudest = largest(&features.values).max(f32::MIN_POSITIVE);
                for v in &mut values.values {
                    *v = factor * (*v / loudest).max(1e-20).log10();
                }
                (-DEPTH, 0.0)
            }
            Kind::LogMel if !htk => {
                let high = largest(&features.values);
                let depth = if settings.top_db > 0.0 {
                    settings.top_db
                } else {
                    DEPTH
                };
                (high - depth, high)
            }
            Kind::Chroma => (0.0, 1.0),
            _ => {
                let (low, high) = (smallest(&features.values), largest(&features.values));
                let level = if high > low { 0.0 } else { 1.0 };
                (low - level, high + level)
            }
        };
        let unit = match settings.kind {
            Kind::Stft | Kind::Mel => "dB",
            Kind::LogMel if htk => "ln",
            kind => kind.unit(),
        };
        Heat {
            values,
            low,
            high,
            unit,
        }
    }

    /// Larger pictures repeat values, smaller ones average them.
    pub(super) fn draw(&self, canvas: &mut Canvas, area: &Area) -> Result<()> {
        let (width, height) = (area.width as usize, area.height as usize);
        let (bands, frames) = (self.values.bands.min(height), self.values.frames.min(width));
        let shown = self.values.resize(bands, frames)?;
        for y in 0..height {
            let band = (height - 1 - y) * bands / height;
            let row = &shown.values[band * frames..][..frames];
            for x in 0..width {
                let share = (row[x * frames / width] - self.low) / (self.high - self.low);
                canvas.put(area.left + x as i32, area.top + y as i32, magma(share));
            }
        }
        Ok(())
    }

    pub(super) fn draw_bar(&self, canvas: &mut Canvas, plot: &Area) {
        let bar = Area {
            left: plot.right() + BAR[0],
            width: BAR[1],
            ..*plot
        };
        for y in 0..bar.height {
            let share = 1.0 - (y as f32 + 0.5) / bar.height as f32;
            canvas.fill(bar.left, bar.top + y, bar.width, 1, magma(share));
        }
        canvas.frame(bar.left, bar.top, bar.width, bar.height, bar.ink);
        let most = (bar.height / 40).max(2) as usize;
        for tick in steps(self.low.into(), self.high.into(), most) {
            let y = bar.row(tick.share);
            canvas.fill(bar.right(), y, TICK, 1, bar.ink);
            let x = bar.right() + TICK + 4;
            canvas.text(&tick.label, x, y, TEXT, Align::Left, bar.ink);
        }
        let middle = bar.left + bar.width / 2;
        let below = bar.bottom() + 15;
        canvas.text(self.unit, middle, below, TEXT, Align::Centre, bar.ink);
    }
}
