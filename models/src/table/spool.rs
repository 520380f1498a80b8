//! The features of a long sound, laid down on disk piece by piece: memory does not grow with its length.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use audio::features::extract_pieces;
use audio::{FeatureSettings, Features, Segment, Stream};
use kernels::{Device, block_on};

use super::rows::Rows;
use crate::Error;
use crate::base::control::Control;
use crate::base::files::{from_le_bytes, le_bytes};
use crate::base::temporary::Temporary;

/// Pieces `[bands, frames]`, one after another.
pub(super) struct Spool {
    temporary: Temporary,
    bands: usize,
    /// Where each begins, in bytes, and its frames.
    pieces: Vec<(u64, usize)>,
}

impl Spool {
    /// The features of what is left of `stream`; the file lies beside `out` until it is done with.
    pub(super) fn of(
        stream: &mut Stream<'_>,
        segment: &Segment,
        settings: &FeatureSettings,
        device: &Device,
        out: &Path,
        name: &Path,
        control: Control<'_>,
    ) -> Result<Spool, Error> {
        let mut spool = Spool {
            temporary: Temporary::beside(out)?,
            bands: 0,
            pieces: Vec::new(),
        };
        let failed = |source| Error::Features {
            name: name.display().to_string(),
            source,
        };
        stream.limit_to(segment).map_err(Error::Audio)?;
        // What goes wrong outside of the extraction ends it through its own error.
        let mut outside = None;
        let finisher = block_on(extract_pieces(device, settings, stream, &mut |piece| {
            let kept = control.check().and_then(|()| {
                let end = io::SeekFrom::End(0);
                let at = spool.file().seek(end);
                let at = at.and_then(|at| spool.write(at, &piece).map(|()| at));
                spool.bands = piece.bands;
                spool
                    .pieces
                    .push((at.map_err(Error::io("write", out))?, piece.frames));
                Ok(())
            });
            kept.map_err(|error| {
                outside = Some(error);
                audio::Error::Settings("stopped".into())
            })
        }));
        if let Some(error) = outside {
            return Err(error);
        }
        let finisher = finisher.map_err(failed)?;
        // In place: what a kind makes of a piece is never larger.
        for index in 0..spool.pieces.len() {
            control.check()?;
            let piece = spool.read(index).map_err(Error::io("read", out))?;
            let piece = block_on(finisher.finish(piece)).map_err(failed)?;
            if piece.values.iter().any(|value| !value.is_finite()) {
                let what = format!("{}: features", name.display());
                return Err(Error::NotFinite { what });
            }
            let at = spool.pieces[index].0;
            spool.write(at, &piece).map_err(Error::io("write", out))?;
            if index + 1 == spool.pieces.len() {
                spool.bands = piece.bands;
            }
        }
        Ok(spool)
    }

    fn file(&mut self) -> &mut File {
        &mut self.temporary.file
    }

    fn write(&mut self, at: u64, piece: &Features) -> io::Result<()> {
        self.file().seek(SeekFrom::Start(at))?;
        self.file().write_all(&le_bytes(&piece.values))
    }

    /// A piece as it was written first.
    fn read(&mut self, index: usize) -> io::Result<Features> {
        let (at, frames) = self.pieces[index];
        let bands = self.bands;
        let mut values = Vec::new();
        self.read_values(at, bands * frames, &mut values)?;
        Ok(Features {
            bands,
            frames,
            values,
        })
    }

    fn read_values(&mut self, at: u64, count: usize, to: &mut Vec<f32>) -> io::Result<()> {
        let mut bytes = vec![0; 4 * count];
        self.file().seek(SeekFrom::Start(at))?;
        self.file().read_exact(&mut bytes)?;
        to.extend(from_le_bytes(&bytes));
        Ok(())
    }
}

impl Rows for Spool {
    fn shape(&self) -> [usize; 2] {
        let frames = self.pieces.iter().map(|(_, frames)| frames).sum();
        [self.bands, frames]
    }

    fn row(&mut self, band: usize, to: &mut Vec<f32>) -> io::Result<()> {
        to.clear();
        for index in 0..self.pieces.len() {
            let (at, frames) = self.pieces[index];
            self.read_values(at + 4 * (band * frames) as u64, frames, to)?;
        }
        Ok(())
    }
}
