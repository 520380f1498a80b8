//! Features of one clip.

/// Features of one clip: bands (frequency, lowest first) by frames (time).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Number of bands (rows).
    pub bands: usize,
    /// Number of frames (columns).
    pub frames: usize,
    /// Values, row-major, `[bands, frames]`.
    pub values: Vec<f32>,
}
