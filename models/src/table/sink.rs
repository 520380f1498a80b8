//! Arrays and tables on disk, written row by row.

use std::io;
use std::path::Path;

use super::csv::Csv;
use super::format::{Columns, Format, Row, Writer};
use super::npy::Npy;
#[cfg(feature = "parquet")]
use super::parquet::Parquet;
use super::rows::Rows;
use crate::base::files::WriteSeek;

/// An array that is being written: clips of one shape, one after another.
pub(super) struct Sink<'w> {
    to: Box<dyn Writer + 'w>,
    /// Whether a clip is one row.
    table: bool,
    /// Whether the array has an axis for clips.
    pub(super) clips_axis: bool,
    /// Clips so far.
    clips: usize,
}

impl<'w> Sink<'w> {
    /// `head` is whether a CSV file begins with its head.
    pub(super) fn new(
        writer: &'w mut dyn WriteSeek,
        format: Format,
        columns: Columns,
        head: bool,
    ) -> io::Result<Self> {
        let table = columns != Columns::Frames;
        let to: Box<dyn Writer + 'w> = match format {
            Format::Npy => Box::new(Npy::new(writer)?),
            Format::Csv => Box::new(Csv::new(writer, columns, head)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(Parquet::new(writer, &columns)?),
        };
        Ok(Sink {
            to,
            table,
            clips_axis: true,
            clips: 0,
        })
    }

    /// Writes one clip's rows.
    pub(super) fn clip(&mut self, file: &Path, label: &str, clip: &mut dyn Rows) -> io::Result<()> {
        self.clips += 1;
        let (mut values, mut whole) = (Vec::new(), Vec::new());
        let filename = &*file.to_string_lossy();
        let row = Row {
            filename,
            label,
            band: 0,
            values: &[],
        };
        for band in 0..clip.shape()[0] {
            clip.row(band, &mut values)?;
            if self.table {
                whole.append(&mut values);
                continue;
            }
            let values = &values;
            self.to.row(&Row {
                band,
                values,
                ..row
            })?;
        }
        if self.table {
            let values = &whole;
            self.to.row(&Row { values, ..row })?;
        }
        Ok(())
    }

    /// Ends the array, whose clips had this shape.
    pub(super) fn end(self, shape: [usize; 2]) -> io::Result<Vec<usize>> {
        let shape = [self.clips, shape[0], shape[1]];
        let shape = shape[usize::from(!self.clips_axis)..].to_vec();
        self.to.end(&shape)?;
        Ok(shape)
    }
}
