//! Features of one clip.

/// One clip as a picture: bands (frequency, lowest first) by frames (time).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Rows.
    pub bands: usize,
    /// Columns.
    pub frames: usize,
    /// Row-major, `[bands, frames]`.
    pub values: Vec<f32>,
}
