//! Arrays and tables on disk, written row by row.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::Rows;
use super::csv::Csv;
use super::npy::Npy;
#[cfg(feature = "parquet")]
use super::parquet::Parquet;
use crate::Error;
use crate::base::files::WriteSeek;

/// How features can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NumPy's array format.
    Npy,
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an ending that is neither `.npy` nor `.csv` nor `.parquet`, or for the last where it is
    /// built without the feature `parquet`.
    pub fn of(path: &Path) -> Result<Format, Error> {
        let extension = path.extension().and_then(OsStr::to_str);
        let reason = match extension.map(str::to_lowercase).as_deref() {
            Some("npy") => return Ok(Format::Npy),
            Some("csv") => return Ok(Format::Csv),
            #[cfg(feature = "parquet")]
            Some("parquet") => return Ok(Format::Parquet),
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => "Parquet (built without the feature `parquet`)",
            _ => "the name must end in .npy, .csv or .parquet",
        };
        Err(Error::Malformed {
            path: path.into(),
            reason: reason.into(),
        })
    }
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Columns {
    /// A clip, with a number for each of these names.
    Named(Vec<String>),
    /// A band of a clip, with a number for each frame.
    Frames,
}

/// One row: where it comes from, and its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row<'a> {
    pub(super) filename: &'a str,
    /// Of a clip.
    pub(super) label: &'a str,
    /// Of a band.
    pub(super) band: usize,
    pub(super) values: &'a [f32],
}

/// A file that is being written in one of the formats; all rows hold as many numbers.
pub(super) trait Writer: Send {
    /// Writes a row behind the others.
    fn row(&mut self, row: &Row<'_>) -> io::Result<()>;
    /// Ends the file, whose array has this shape.
    fn end(self: Box<Self>, shape: &[usize]) -> io::Result<()>;
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_endings_are_refused() {
        assert!(Format::of(Path::new("a.NPY")).is_ok());
        let error = Format::of(Path::new("nowhere/a.txt"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.txt") && error.contains(".npy"), "{error}");
        let parquet = Format::of(Path::new("a.Parquet"));
        assert_eq!(parquet.is_ok(), cfg!(feature = "parquet"));
    }
}
