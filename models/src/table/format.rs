//! Formats of a table, and what stands in one.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::Error;

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
