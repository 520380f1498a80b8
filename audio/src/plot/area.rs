//! Area of a picture within its axes.

use super::axis::Tick;
use super::canvas::{Align, Canvas, Colour};

/// Size of the letters, in pixels.
pub(super) const TEXT: f32 = 13.0;

/// Length of a tick, in pixels.
pub(super) const TICK: i32 = 5;

/// Where the picture proper stands.
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) ink: Colour,
}

impl Area {
    pub(super) fn right(&self) -> i32 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> i32 {
        self.top + self.height
    }

    /// The row of a share of the height, counted from below.
    pub(super) fn row(&self, share: f64) -> i32 {
        self.bottom() - 1 - (share * f64::from(self.height - 1)).round() as i32
    }

    pub(super) fn tick_below(&self, canvas: &mut Canvas, tick: &Tick) {
        let x = self.left + (tick.share * f64::from(self.width - 1)).round() as i32;
        canvas.fill(x, self.bottom(), 1, TICK, self.ink);
        let (y, align) = (self.bottom() + 15, Align::Centre);
        canvas.text(&tick.label, x, y, TEXT, align, self.ink);
    }

    pub(super) fn tick_left(&self, canvas: &mut Canvas, tick: &Tick) {
        let y = self.row(tick.share);
        canvas.fill(self.left - TICK, y, TICK, 1, self.ink);
        let (x, align) = (self.left - TICK - 4, Align::Right);
        canvas.text(&tick.label, x, y, TEXT, align, self.ink);
    }
}
