//! The definition: one sum per band and frame.

use super::Mel;

pub fn mel(s: &Mel, inputs: &[&[f64]], y: &mut [f64]) {
    let [x, filters, first] = [inputs[0], inputs[1], inputs[2]];
    for clip in 0..s.clips {
        for band in 0..s.bands {
            let start = (first[band] as usize).min(s.bins - s.width);
            for frame in 0..s.frames {
                let spectrum = &x[(clip * s.frames + frame) * s.bins..];
                y[(clip * s.bands + band) * s.frames + frame] = (0..s.width)
                    .map(|j| filters[band * s.width + j] * spectrum[start + j])
                    .sum();
            }
        }
    }
}
