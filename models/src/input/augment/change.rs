//! What was drawn for a batch, done on the host or on the device: the same change either way.

#[cfg(not(target_arch = "wasm32"))]
use engine::Tensor;

/// One change of `n` examples `[bands, frames]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Every frame comes from this place among the example's, `[n, frames]`; in between, from the line between two.
    Frames(Vec<f32>),
    /// Every band comes from this place, `[n, bands]`.
    Bands(Vec<f32>),
    /// Frames that stay by 1 and become 0 by 0, `[n, frames]`.
    KeepFrames(Vec<f32>),
    /// Bands that do, `[n, bands]`.
    KeepBands(Vec<f32>),
    /// This is added to all of an example, `[n]`.
    Add(Vec<f32>),
    /// Normal noise `[n, bands, frames]` of this deviation, counted in the root of the example's mean square.
    Noise(Vec<f32>, f64),
    /// Each example is mixed with the one of this number: this share of itself and the rest of the other.
    Mix(Vec<u32>, f32),
}

impl Change {
    /// Changes a batch `[n, bands, frames]` in memory.
    pub(crate) fn on_host(&self, [bands, frames]: [usize; 2], values: &mut [f32]) {
        let size = bands * frames;
        if size == 0 {
            return;
        }
        let examples = values.chunks_exact_mut(size);
        match self {
            Change::Frames(places) => {
                let mut source = vec![0.0; frames];
                for (example, places) in examples.zip(places.chunks_exact(frames)) {
                    for row in example.chunks_exact_mut(frames) {
                        source.copy_from_slice(row);
                        for (value, at) in row.iter_mut().zip(places) {
                            let (low, high, part) = between(*at, frames);
                            *value = source[low] + part * (source[high] - source[low]);
                        }
                    }
                }
            }
            Change::Bands(places) => {
                for (example, places) in examples.zip(places.chunks_exact(bands)) {
                    let source = example.to_vec();
                    for (row, at) in example.chunks_exact_mut(frames).zip(places) {
                        let (low, high, part) = between(*at, bands);
                        let (low, high) = (&source[low * frames..], &source[high * frames..]);
                        for ((value, low), high) in row.iter_mut().zip(low).zip(high) {
                            *value = low + part * (high - low);
                        }
                    }
                }
            }
            Change::KeepFrames(kept) => {
                for (example, kept) in examples.zip(kept.chunks_exact(frames)) {
                    for row in example.chunks_exact_mut(frames) {
                        row.iter_mut().zip(kept).for_each(|(v, keep)| *v *= keep);
                    }
                }
            }
            Change::KeepBands(kept) => {
                for (example, kept) in examples.zip(kept.chunks_exact(bands)) {
                    for (row, keep) in example.chunks_exact_mut(frames).zip(kept) {
                        row.iter_mut().for_each(|value| *value *= keep);
                    }
                }
            }
            Change::Add(gains) => {
                for (example, gain) in examples.zip(gains) {
                    example.iter_mut().for_each(|value| *value += gain);
                }
            }
            Change::Noise(noise, level) => {
                for (example, noise) in examples.zip(noise.chunks_exact(size)) {
                    let power = example.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
                    let deviation = ((power / size as f64).sqrt() * level) as f32;
                    for (value, noise) in example.iter_mut().zip(noise) {
                        *value += deviation * noise;
                    }
                }
            }
            Change::Mix(order, share) => {
                let source: Vec<Vec<f32>> = examples.map(|example| example.to_vec()).collect();
                for (example, other) in values.chunks_exact_mut(size).zip(order) {
                    for (value, other) in example.iter_mut().zip(&source[*other as usize]) {
                        *value = share * *value + (1.0 - share) * other;
                    }
                }
            }
        }
    }

    /// A batch `[n, bands, frames]`, changed.
    ///
    /// # Errors
    /// Whatever the device refuses.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn on_device(&self, x: &Tensor) -> engine::Result<Tensor> {
        let device = x.device();
        let [n, bands, frames] = [x.shape()[0], x.shape()[1], x.shape()[2]];
        let tensor = |values: &[f32], shape: [usize; 3]| Tensor::from_vec(device, values, shape);
        match self {
            Change::Frames(places) => {
                let rows = x.permute(&[1, 0, 2])?.reshape([bands, n * frames])?;
                let rows = picked(&rows, 1, places, frames)?;
                rows.reshape([bands, n, frames])?.permute(&[1, 0, 2])
            }
            Change::Bands(places) => {
                let rows = x.reshape([n * bands, frames])?;
                picked(&rows, 0, places, bands)?.reshape([n, bands, frames])
            }
            Change::KeepFrames(kept) => x.mul(&tensor(kept, [n, 1, frames])?),
            Change::KeepBands(kept) => x.mul(&tensor(kept, [n, bands, 1])?),
            Change::Add(gains) => x.add(&tensor(gains, [n, 1, 1])?),
            Change::Noise(noise, level) => {
                let power = x.mul(x)?.reshape([n, bands * frames])?.mean(1)?;
                let deviation = power.map(|power| power.sqrt() * *level as f32)?;
                let noise = tensor(noise, [n, bands, frames])?;
                x.add(&noise.mul(&deviation.reshape([n, 1, 1])?)?)
            }
            Change::Mix(order, share) => {
                let other = x.index_select(0, &device.upload_u32(order)?)?;
                x.scale(*share)?.add(&other.scale(1.0 - share)?)
            }
        }
    }
}

/// Of every block of `len` along `axis`, what lies at these places of it.
#[cfg(not(target_arch = "wasm32"))]
fn picked(x: &Tensor, axis: usize, places: &[f32], len: usize) -> engine::Result<Tensor> {
    let each = places.iter().enumerate().map(|(i, at)| {
        let (low, high, part) = between(*at, len);
        let first = i / len * len;
        ((first + low) as u32, (first + high) as u32, part)
    });
    let (mut lows, mut highs, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for (low, high, part) in each {
        lows.push(low);
        highs.push(high);
        parts.push(part);
    }
    let pick = |index: &[u32]| x.index_select(axis, &x.device().upload_u32(index)?);
    let (low, high) = (pick(&lows)?, pick(&highs)?);
    let mut shape = [1, 1];
    shape[axis] = parts.len();
    let part = Tensor::from_vec(x.device(), &parts, shape)?;
    low.add(&high.sub(&low)?.mul(&part)?)
}

/// The two neighbours of a place among `len`, and how far it lies from the first to the second; beyond an end, the end.
fn between(at: f32, len: usize) -> (usize, usize, f32) {
    let at = at.clamp(0.0, (len - 1) as f32);
    let low = at as usize;
    (low, (low + 1).min(len - 1), at.fract())
}
