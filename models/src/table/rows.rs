//! Features of one clip, row by row.

use std::io;

use audio::Features;

/// The features of one clip, row by row.
pub(super) trait Rows {
    /// Bands and frames.
    fn shape(&self) -> [usize; 2];
    /// Reads one band into `to`.
    fn row(&mut self, band: usize, to: &mut Vec<f32>) -> io::Result<()>;
}

impl Rows for Features {
    fn shape(&self) -> [usize; 2] {
        [self.bands, self.frames]
    }

    fn row(&mut self, band: usize, to: &mut Vec<f32>) -> io::Result<()> {
        to.clear();
        to.extend_from_slice(&self.values[band * self.frames..][..self.frames]);
        Ok(())
    }
}
