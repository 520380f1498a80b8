//! Arrays on disk, written clip by clip.

use std::ffi::OsStr;
use std::io::{self, SeekFrom};
use std::path::Path;

use super::Rows;
use crate::Error;
use crate::files::WriteSeek;

/// How features can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NumPy's array format.
    Npy,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an ending that is neither `.npy` nor `.csv`.
    pub fn of(path: &Path) -> Result<Format, Error> {
        match path
            .extension()
            .and_then(OsStr::to_str)
            .map(str::to_lowercase)
            .as_deref()
        {
            Some("npy") => Ok(Format::Npy),
            Some("csv") => Ok(Format::Csv),
            _ => Err(Error::Malformed {
                path: path.into(),
                reason: "the name must end in .npy or .csv".into(),
            }),
        }
    }
}

/// An array that is being written: clips of one shape, one after another.
pub(super) struct Sink<'w> {
    writer: &'w mut dyn WriteSeek,
    format: Format,
    /// Whether the array has an axis for clips, and CSV a head.
    pub(super) clips_axis: bool,
    pub(super) head: bool,
    /// Clips so far.
    clips: usize,
    row: Vec<f32>,
}

impl<'w> Sink<'w> {
    pub(super) fn new(writer: &'w mut dyn WriteSeek, format: Format) -> Self {
        Sink {
            writer,
            format,
            clips_axis: true,
            head: true,
            clips: 0,
            row: Vec::new(),
        }
    }

    /// Writes one clip's rows.
    pub(super) fn clip(&mut self, file: &Path, clip: &mut dyn Rows) -> io::Result<()> {
        let [bands, frames] = clip.shape();
        if self.clips == 0 {
            match self.format {
                // The number of clips is not known yet.
                Format::Npy => self.writer.write_all(&[b' '; NPY_HEAD])?,
                Format::Csv if self.head => self.csv_head(frames)?,
                Format::Csv => {}
            }
        }
        self.clips += 1;
        for band in 0..bands {
            let mut row = std::mem::take(&mut self.row);
            clip.row(band, &mut row)?;
            match self.format {
                Format::Npy => {
                    let bytes: Vec<u8> = row.iter().flat_map(|v| v.to_le_bytes()).collect();
                    self.writer.write_all(&bytes)?;
                }
                Format::Csv => {
                    let mut csv = csv::Writer::from_writer(Vec::new());
                    csv.write_field(file.as_os_str().as_encoded_bytes())?;
                    csv.write_field(band.to_string())?;
                    row.iter()
                        .try_for_each(|value| csv.write_field(value.to_string()))?;
                    csv.write_record(None::<&[u8]>)?;
                    self.writer
                        .write_all(&csv.into_inner().map_err(|e| e.into_error())?)?;
                }
            }
            self.row = row;
        }
        Ok(())
    }

    fn csv_head(&mut self, frames: usize) -> io::Result<()> {
        let head: Vec<String> = (0..frames).map(|frame| format!(",{frame}")).collect();
        writeln!(self.writer, "file,band{}", head.concat())
    }

    /// Ends the array, whose clips had this shape.
    pub(super) fn end(self, shape: [usize; 2]) -> io::Result<Vec<usize>> {
        let shape = [self.clips, shape[0], shape[1]];
        let shape = shape[usize::from(!self.clips_axis)..].to_vec();
        if self.format == Format::Npy {
            let head = npy_header(&shape);
            if head.len() != NPY_HEAD {
                return Err(io::Error::other(format!(
                    "{shape:?} is too large for a head"
                )));
            }
            self.writer.seek(SeekFrom::Start(0))?;
            self.writer.write_all(&head)?;
        }
        Ok(shape)
    }
}

/// Bytes of the head of every array: its numbers may have twenty digits each.
pub(super) const NPY_HEAD: usize = 128;

/// Version 1.0 of NumPy's format: magic, length, a Python dictionary padded so that the numbers begin at a multiple of 64.
pub(super) fn npy_header(shape: &[usize]) -> Vec<u8> {
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}{comma}), }}");
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(format!("{dictionary:<width$}\n", width = length - 1).into_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_is_what_numpy_writes() {
        // The first 128 bytes of `numpy.save(F, numpy.zeros((2, 3), "<f4"))`, numpy 2.
        let mut expected =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
                .to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        let header = npy_header(&[2, 3]);
        assert!(
            header.len() == 128 && header == expected,
            "{}",
            header.escape_ascii()
        );
        assert!(
            npy_header(&[7]).escape_ascii().to_string().contains("(7,)"),
            "Python's tuple of one"
        );
        let largest = npy_header(&[99_999_999_999_999_999; 3]);
        assert_eq!(largest.len(), NPY_HEAD, "as long for any");
    }

    #[test]
    fn other_endings_are_refused() {
        assert!(Format::of(Path::new("a.NPY")).is_ok());
        let error = Format::of(Path::new("nowhere/a.txt"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.txt") && error.contains(".npy"), "{error}");
    }
}
