//! Parquet, through Apache's crate: a table with its columns, or a list of numbers for every band of every clip.
//!
//! ```text
//! filename: string, NAME: float, …, label: string           a clip of a table
//! filename: string, band: int32, values: list of floats     a band of a clip, with its frames
//! ```
//!
//! A row group ends behind the row that brings its numbers to [`GROUP`], whatever part of the table is written: parts that
//! are read and written again are the whole, byte for byte.

use std::fs::File;
use std::io;
use std::iter::repeat_n;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Encoding, Type as Physical};
use ::parquet::column::page::Page;
use ::parquet::column::reader::ColumnReader;
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use ::parquet::schema::types::Type;

use super::format::{Columns, Row, Writer};
use super::shard::order;
use crate::Error;
use crate::base::files::{self, WriteSeek};

/// Numbers in a row group.
const GROUP: usize = 1 << 20;

/// The schema of a file with these columns.
fn schema(columns: &Columns) -> Result<Type, ParquetError> {
    let columns = match columns {
        Columns::Named(names) => {
            let float = |name: &String| format!("required float {name};");
            let floats: String = names.iter().map(float).collect();
            format!("{floats} required binary label (STRING);")
        }
        Columns::Frames => {
            let list =
                "required group values (LIST) { repeated group list { required float element; } }";
            format!("required int32 band; {list}")
        }
    };
    parse_message_type(&format!(
        "message features {{ required binary filename (STRING); {columns} }}"
    ))
}

/// The error beneath, where it is the disk's.
fn disk(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

pub(super) struct Parquet<'w> {
    file: SerializedFileWriter<&'w mut dyn WriteSeek>,
    group: Group,
}

/// The rows of a group, by columns; `values` row by row.
#[derive(Default)]
struct Group {
    filenames: Vec<ByteArray>,
    labels: Vec<ByteArray>,
    bands: Vec<i32>,
    values: Vec<f32>,
}

impl<'w> Parquet<'w> {
    pub(super) fn new(writer: &'w mut dyn WriteSeek, columns: &Columns) -> io::Result<Self> {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let schema = Arc::new(schema(columns).map_err(disk)?);
        let file = SerializedFileWriter::new(writer, schema, Arc::new(properties.build()));
        Ok(Parquet {
            file: file.map_err(disk)?,
            group: Group::default(),
        })
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.group);
        if rows.filenames.is_empty() {
            return Ok(());
        }
        let width = rows.values.len() / rows.filenames.len();
        let mut group = self.file.next_row_group()?;
        let mut at = 0;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    let texts = if at == 0 {
                        &rows.filenames
                    } else {
                        &rows.labels
                    };
                    to.write_batch(texts, None, None)?;
                }
                ColumnWriter::Int32ColumnWriter(to) => {
                    to.write_batch(&rows.bands, None, None)?;
                }
                // Lists: level 1 is a number that is there; 0 begins a row's, 1 goes on.
                ColumnWriter::FloatColumnWriter(to) if to.get_descriptor().max_rep_level() == 1 => {
                    let there = vec![1; rows.values.len()];
                    let mut goes_on = there.clone();
                    goes_on
                        .iter_mut()
                        .step_by(width.max(1))
                        .for_each(|first| *first = 0);
                    to.write_batch(&rows.values, Some(&there), Some(&goes_on))?;
                }
                ColumnWriter::FloatColumnWriter(to) => {
                    let own = rows.values.iter().skip(at - 1).step_by(width.max(1));
                    to.write_batch(&own.copied().collect::<Vec<f32>>(), None, None)?;
                }
                _ => return Err(ParquetError::General("a column of another type".into())),
            }
            column.close()?;
            at += 1;
        }
        group.close().map(drop)
    }
}

impl Writer for Parquet<'_> {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.group.filenames.push(row.filename.into());
        self.group.labels.push(row.label.into());
        self.group
            .bands
            .push(i32::try_from(row.band).map_err(io::Error::other)?);
        self.group.values.extend_from_slice(row.values);
        match self.group.values.len() >= GROUP {
            true => self.flush().map_err(disk),
            false => Ok(()),
        }
    }

    fn end(mut self: Box<Self>, _shape: &[usize]) -> io::Result<()> {
        self.flush()
            .and_then(|()| self.file.finish())
            .map_err(disk)?;
        Ok(())
    }
}

/// One of the parts.
struct Part<'a> {
    path: &'a Path,
    file: SerializedFileReader<File>,
    columns: Columns,
    /// Of the file.
    bytes: u64,
}

impl Part<'_> {
    /// Number of rows.
    fn rows(&self) -> usize {
        let groups = self.file.metadata().row_groups().iter();
        let rows = groups.map(|group| usize::try_from(group.num_rows()).unwrap_or(0));
        rows.map(|rows| rows.min(GROUP)).sum()
    }

    fn malformed(&self, reason: impl ToString) -> Error {
        malformed(self.path, reason)
    }

    fn text<'t>(&self, texts: &'t [ByteArray], at: usize) -> Result<&'t str, Error> {
        let text = texts.get(at).map(ByteArray::as_utf8);
        text.unwrap_or(Ok(""))
            .map_err(|error| self.malformed(error))
    }

    /// A row group, refused before memory is asked for where it claims more numbers than the file has room for.
    fn group(&self, index: usize) -> Result<Group, ParquetError> {
        let bad = |reason: &str| Err(ParquetError::General(reason.into()));
        let group = self.file.get_row_group(index)?;
        let about = group.metadata();
        let count = usize::try_from(about.num_rows()).unwrap_or(0);
        if !(1..=GROUP).contains(&count) {
            return bad("a row group of no rows or too many");
        }
        let lists = self.columns == Columns::Frames;
        let mut numbers = 0u64;
        for (at, chunk) in about.columns().iter().enumerate() {
            let inside = |n: i64| u64::try_from(n).is_ok_and(|n| n <= self.bytes);
            if !inside(chunk.data_page_offset()) || !inside(chunk.compressed_size()) {
                return bad("a column outside of the file");
            }
            let texts = chunk.column_type() == Physical::BYTE_ARRAY;
            if chunk.dictionary_page_offset().is_some() || !plain(&*group, at, texts)? {
                return bad("a column that is not plain");
            }
        }
        for chunk in about
            .columns()
            .iter()
            .filter(|c| c.column_type() == Physical::FLOAT)
        {
            let own = u64::try_from(chunk.num_values()).unwrap_or(u64::MAX);
            if !lists && own != count as u64 {
                return bad("a column of another length");
            }
            numbers = numbers.saturating_add(own);
        }
        if numbers.saturating_mul(4) > self.bytes {
            return bad("more numbers than bytes");
        }
        let mut rows = Group::default();
        let mut columns: Vec<Vec<f32>> = Vec::new();
        for at in 0..about.num_columns() {
            match group.get_column_reader(at)? {
                ColumnReader::ByteArrayColumnReader(mut from) => {
                    let texts = match at {
                        0 => &mut rows.filenames,
                        _ => &mut rows.labels,
                    };
                    from.read_records(count, None, None, texts)?;
                }
                ColumnReader::Int32ColumnReader(mut from) => {
                    from.read_records(count, None, None, &mut rows.bands)?;
                }
                ColumnReader::FloatColumnReader(mut from) if lists => {
                    let (mut there, mut goes_on) = (Vec::new(), Vec::new());
                    let levels = (Some(&mut there), Some(&mut goes_on));
                    from.read_records(count, levels.0, levels.1, &mut rows.values)?;
                    let width = (rows.values.len() / count).max(1);
                    let even = |(at, goes_on): (usize, &i16)| (*goes_on == 0) == (at % width == 0);
                    if !goes_on.iter().enumerate().all(even) {
                        return bad("rows of different lengths");
                    }
                }
                ColumnReader::FloatColumnReader(mut from) => {
                    let mut own = Vec::new();
                    from.read_records(count, None, None, &mut own)?;
                    columns.push(own);
                }
                _ => return bad("a column of another type"),
            }
        }
        if lists && rows.values.is_empty() {
            return bad("rows without numbers");
        }
        if columns.iter().any(|column| column.len() != count) {
            return bad("a column of another length");
        }
        for row in 0..if lists { 0 } else { count } {
            rows.values.extend(columns.iter().map(|column| column[row]));
        }
        let (labels, bands) = (rows.labels.len(), rows.bands.len());
        let others = if lists { bands } else { labels };
        match rows.filenames.len() == count && others == count && rows.values.len() % count == 0 {
            true => Ok(rows),
            false => bad("a column of another length"),
        }
    }
}

/// Whether all pages of a column are as they are written here and hold what they claim: the crate meets others with a
/// panic, where they are damaged.
fn plain(group: &dyn RowGroupReader, at: usize, texts: bool) -> Result<bool, ParquetError> {
    let mut pages = group.get_column_page_reader(at)?;
    while let Some(page) = pages.get_next_page()? {
        let (Page::DataPage { .. }, Encoding::PLAIN) = (&page, page.encoding()) else {
            return Ok(false);
        };
        let (bytes, mut rest) = (page.buffer(), &page.buffer()[..]);
        let whole = match texts {
            false => bytes.len() / 4 >= page.num_values() as usize,
            true => (0..page.num_values()).all(|_| {
                let Some((len, text)) = rest.split_first_chunk::<4>() else {
                    return false;
                };
                let after = text.get(u32::from_le_bytes(*len) as usize..);
                rest = after.unwrap_or_default();
                after.is_some()
            }),
        };
        if !whole {
            return Ok(false);
        }
    }
    Ok(true)
}

fn malformed(path: &Path, reason: impl ToString) -> Error {
    Error::Malformed {
        path: path.into(),
        reason: reason.to_string(),
    }
}

/// What a file's columns are, if they are as they are written here.
fn columns(file: &SerializedFileReader<File>) -> Result<Columns, ParquetError> {
    let own = file.metadata().file_metadata().schema();
    let names: Vec<String> = own
        .get_fields()
        .iter()
        .map(|f| f.name().to_string())
        .collect();
    let columns = match names.as_slice() {
        [_, names @ .., last] if last == "label" => Columns::Named(names.to_vec()),
        _ => Columns::Frames,
    };
    match schema(&columns) {
        Ok(expected) if expected == *own => Ok(columns),
        _ => Err(ParquetError::General(
            "other columns than features have".into(),
        )),
    }
}

/// Puts parts together, as [`super::join()`] says.
pub(super) fn join(parts: &[PathBuf], out: &Path) -> Result<(), Error> {
    let mut open: Vec<Part<'_>> = Vec::new();
    for path in parts {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let bytes = file.metadata().map_err(Error::io("read", path))?.len();
        let file = SerializedFileReader::new(file).map_err(|error| malformed(path, error))?;
        let columns = columns(&file).map_err(|error| malformed(path, error))?;
        if open.first().is_some_and(|first| first.columns != columns) {
            return Err(malformed(path, "other columns than the parts before"));
        }
        open.push(Part {
            path,
            file,
            columns,
            bytes,
        });
    }
    let rows: Vec<usize> = open.iter().map(Part::rows).collect();
    let order = order(parts, &rows)?;
    let each = order.rows_per_clip;
    let one_by_one = || (rows.iter().enumerate()).flat_map(|(part, rows)| repeat_n(part, *rows));
    let mut sequence: Box<dyn Iterator<Item = usize>> = match order.parts {
        Some(clips) => Box::new(clips.into_iter().flat_map(move |part| repeat_n(part, each))),
        None => Box::new(one_by_one()),
    };
    files::write_atomic_by(out, |writer| copy(&open, &mut sequence, writer, out))
}

/// Where reading a part has come to.
#[derive(Default)]
struct Cursor {
    next_group: usize,
    group: Group,
    at: usize,
}

/// Copies the rows of parts, one from each part that `sequence` names.
fn copy(
    parts: &[Part<'_>],
    sequence: &mut dyn Iterator<Item = usize>,
    writer: &mut dyn WriteSeek,
    out: &Path,
) -> Result<(), Error> {
    let write = |error| Error::io("write", out)(error);
    let nothing = || malformed(out, "none of the parts holds a clip");
    let columns = &parts.first().ok_or_else(nothing)?.columns;
    let mut to = Box::new(Parquet::new(writer, columns).map_err(write)?);
    let mut cursors: Vec<Cursor> = parts.iter().map(|_| Cursor::default()).collect();
    let mut width = None;
    for number in sequence {
        let (part, cursor) = (&parts[number], &mut cursors[number]);
        while cursor.at == cursor.group.filenames.len() {
            if cursor.next_group >= part.file.num_row_groups() {
                return Err(part.malformed("fewer rows than it declares"));
            }
            let group = part.group(cursor.next_group);
            cursor.group = group.map_err(|error| part.malformed(error))?;
            cursor.next_group += 1;
            cursor.at = 0;
        }
        let (rows, at) = (&cursor.group, cursor.at);
        cursor.at += 1;
        let own = rows.values.len() / rows.filenames.len();
        if *width.get_or_insert(own) != own {
            let before = width.unwrap_or_default();
            let reason = format!("rows of {own} numbers, but the parts before have {before}");
            return Err(part.malformed(reason));
        }
        let band = rows.bands.get(at);
        let band = band.map_or(Ok(0), |band| usize::try_from(*band));
        let row = Row {
            filename: part.text(&rows.filenames, at)?,
            label: part.text(&rows.labels, at)?,
            band: band.map_err(|error| part.malformed(error))?,
            values: &rows.values[at * own..][..own],
        };
        to.row(&row).map_err(write)?;
    }
    if width.is_none() {
        return Err(nothing());
    }
    to.end(&[]).map_err(write)
}

#[cfg(test)]
mod tests;
