//! Features of sound of any length, piece by piece: memory does not grow with it.
//!
//! Frames are handed over as soon as the samples under them are there; what sees all of them (decibels below the
//! loudest) is done in a second pass over the pieces, by [`Finisher`]. The numbers are those of [`super::extract`].

use super::definition::Finish;
use super::definition::How;
use super::output::Features;
use super::settings::FeatureSettings;
use super::spectra::Pipeline;
use crate::decode::Stream;
use crate::error::{Error, Result};
use crate::resample::Resampler;
use kernels::Device;

/// Frames of a piece: even, because the STFT transforms two at once.
const PIECE: usize = 2048;

/// What [`extract_pieces`] leaves to be done to every piece.
pub struct Finisher {
    pipeline: Pipeline,
    loudest: f32,
}

/// Whether [`extract_pieces`] can compute these features: spectra through a bank of filters (stft, mel, logmel, mfcc),
/// without slopes and statistics.
pub fn in_pieces(settings: &FeatureSettings) -> bool {
    let plain = settings.deltas == 0 && settings.statistics.is_empty();
    plain && matches!(settings.kind.definition().how, How::Bank(_))
}

/// Hands over all frames of a sound in order, some thousand at a time, each piece still to be finished.
///
/// # Errors
/// As [`super::extract`]; [`Error::Settings`] where not [`in_pieces`]; whatever the stream and `take` refuse.
pub async fn extract_pieces(
    device: &Device,
    settings: &FeatureSettings,
    stream: &mut Stream<'_>,
    take: &mut dyn FnMut(Features) -> Result<()>,
) -> Result<Finisher> {
    settings.check()?;
    let How::Bank(bank) = &settings.kind.definition().how else {
        let what = format!("{} needs the whole sound", settings.kind);
        return Err(Error::Settings(what));
    };
    let mut frames = Frames {
        pipeline: Pipeline::new(device, settings, bank)?,
        settings,
        samples: Vec::new(),
        next: 0,
        loudest: 0.0,
    };
    let (from, to) = (stream.sample_rate(), settings.sample_rate);
    let mut resampler = match from == to {
        true => None,
        false => Some(
            Resampler::with(settings.preset.resampling(), from, to)
                .ok_or(Error::Rate { from, to })?,
        ),
    };
    let mut decoded = Vec::new();
    loop {
        decoded.clear();
        let more = stream.read(&mut decoded)?;
        match &mut resampler {
            None => frames.samples.extend_from_slice(&decoded),
            Some(resampler) => resampler.push(&decoded, &mut frames.samples),
        }
        if !more {
            break;
        }
        while let Some(piece) = frames.piece().await? {
            take(piece)?;
        }
    }
    if let Some(resampler) = resampler {
        resampler.finish(&mut frames.samples);
    }
    if frames.samples.is_empty() {
        return Err(Error::Settings("the clip holds no samples".into()));
    }
    while let Some(piece) = frames.piece().await? {
        take(piece)?;
    }
    let rest = settings.stft(frames.samples.len()).frames();
    if let Some(piece) = frames.compute(rest).await? {
        take(piece)?;
    }
    Ok(Finisher {
        pipeline: frames.pipeline,
        loudest: frames.loudest,
    })
}

/// Samples whose frames are still to come, beginning at the middle of some frame (or its start, where frames are not
/// centred).
struct Frames<'a> {
    pipeline: Pipeline,
    settings: &'a FeatureSettings,
    samples: Vec<f32>,
    /// The first frame of `samples` that was not handed over.
    next: usize,
    loudest: f32,
}

impl Frames<'_> {
    /// A full piece, where the samples under it are there.
    async fn piece(&mut self) -> Result<Option<Features>> {
        let end = self.next + PIECE;
        // Half a frame ahead of the last one's middle, or all of it ahead of its start.
        if self.samples.len() < (end - 1) * self.settings.hop + self.settings.n_fft {
            return Ok(None);
        }
        self.compute(end).await
    }

    /// The frames up to `end`.
    async fn compute(&mut self, end: usize) -> Result<Option<Features>> {
        let count = end.saturating_sub(self.next);
        if count == 0 {
            return Ok(None);
        }
        let bands = self.pipeline.bands_of(&self.samples, self.next, count)?;
        let values = bands.read().await?;
        self.loudest = values.iter().fold(self.loudest, |a, &b| a.max(b));
        self.next = end;
        // The next frame reaches back by at most a frame's length.
        let hop = self.settings.hop;
        let done = self.next.saturating_sub(self.settings.n_fft.div_ceil(hop));
        self.samples.drain(..(done * hop).min(self.samples.len()));
        self.next -= done;
        Ok(Some(Features {
            bands: values.len() / count,
            frames: count,
            values,
        }))
    }
}

impl Finisher {
    /// What the kind makes of a piece, once the loudest of all is known.
    ///
    /// # Errors
    /// Whatever the device refuses.
    pub async fn finish(&self, piece: Features) -> Result<Features> {
        if self.pipeline.finish == Finish::Bands {
            return Ok(piece);
        }
        // The loudest of all comes along as one more frame, so that the piece's decibels are below it.
        let (bands, frames) = (piece.bands, piece.frames);
        let mut values = Vec::with_capacity(bands * (frames + 1));
        for row in piece.values.chunks_exact(frames.max(1)) {
            values.extend_from_slice(row);
            values.push(self.loudest);
        }
        let device = &self.pipeline.device;
        let result = self
            .pipeline
            .finish(device.upload(&values)?, 1, frames + 1)?;
        let mut values = result.read().await?;
        self.pipeline.polish(&mut values, frames + 1);
        let rows = values.chunks_exact(frames + 1);
        Ok(Features {
            bands: rows.len(),
            frames,
            values: rows.flat_map(|row| &row[..frames]).copied().collect(),
        })
    }
}

impl std::fmt::Debug for Finisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finisher")
            .field("loudest", &self.loudest)
            .finish_non_exhaustive()
    }
}
