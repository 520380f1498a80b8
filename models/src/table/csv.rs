//! CSV: a table with a head of names, or a row for every band of every clip.
//!
//! ```text
//! filename,NAME,…,label      a clip of a table
//! filename,band,0,1,…        a band of a clip, with its frames
//! ```

use std::io;

use super::format::{Columns, Row, Writer};
use crate::base::files::WriteSeek;

pub(super) struct Csv<'w> {
    writer: &'w mut dyn WriteSeek,
    columns: Columns,
    /// Whether the head is still to be written.
    head: bool,
}

impl<'w> Csv<'w> {
    pub(super) fn new(writer: &'w mut dyn WriteSeek, columns: Columns, head: bool) -> Self {
        Csv {
            writer,
            columns,
            head,
        }
    }
}

impl Writer for Csv<'_> {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let cell = |text: &str| std::iter::once(text.to_string());
        let values = row.values.iter().map(f32::to_string);
        let head = std::mem::take(&mut self.head);
        let to = &mut *self.writer;
        match &self.columns {
            Columns::Named(names) => {
                if head {
                    let names = names.iter().cloned();
                    line(to, cell("filename").chain(names).chain(cell("label")))?;
                }
                line(to, cell(row.filename).chain(values).chain(cell(row.label)))
            }
            Columns::Frames => {
                if head {
                    let frames = (0..row.values.len()).map(|frame| frame.to_string());
                    line(to, cell("filename").chain(cell("band")).chain(frames))?;
                }
                let band = cell(&row.band.to_string());
                line(to, cell(row.filename).chain(band).chain(values))
            }
        }
    }

    fn end(self: Box<Self>, _shape: &[usize]) -> io::Result<()> {
        Ok(())
    }
}

fn line(to: &mut dyn WriteSeek, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let mut line = csv::Writer::from_writer(Vec::new());
    for cell in cells {
        line.write_field(cell)?;
    }
    line.write_record(None::<&[u8]>)?;
    to.write_all(&line.into_inner().map_err(|error| error.into_error())?)
}
