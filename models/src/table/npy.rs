//! NumPy's array format, by hand.

use std::io::{self, SeekFrom};

use super::format::{Row, Writer};
use crate::base::files::{WriteSeek, le_bytes};

pub(super) struct Npy<'w> {
    writer: &'w mut dyn WriteSeek,
}

impl<'w> Npy<'w> {
    pub(super) fn new(writer: &'w mut dyn WriteSeek) -> io::Result<Self> {
        // The number of clips is not known yet.
        writer.write_all(&[b' '; NPY_HEAD])?;
        Ok(Npy { writer })
    }
}

impl Writer for Npy<'_> {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.writer.write_all(&le_bytes(row.values))
    }

    fn end(self: Box<Self>, shape: &[usize]) -> io::Result<()> {
        let head = npy_header(shape);
        if head.len() != NPY_HEAD {
            let reason = format!("{shape:?} is too large for a head");
            return Err(io::Error::other(reason));
        }
        self.writer.seek(SeekFrom::Start(0))?;
        self.writer.write_all(&head)
    }
}

/// Bytes of the head of every array: its numbers may have nineteen digits each.
pub(super) const NPY_HEAD: usize = 128;

/// Version 1.0 of NumPy's format: magic, length, a Python dictionary padded so that the numbers begin at a multiple
/// of 64.
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
        let largest = npy_header(&[9_999_999_999_999_999_999; 3]);
        assert_eq!(largest.len(), NPY_HEAD, "as long for any");
    }
}
