//! The parts that `--shard` made, put together.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::iter::repeat_n;
use std::path::{Path, PathBuf};

use super::format::Format;
use super::npy::{NPY_HEAD, npy_header};
use super::shard::{order, sequence};
use crate::Error;
use crate::base::files;
use crate::data::dataset::table::{record, records};

/// Puts the parts of one table together: byte for byte what one run over all files writes. The clips take the places
/// that
/// the files beside the parts give them; without such files, parts follow each other as they are named.
///
/// # Errors
/// [`Error::Malformed`] naming the part that is no table of the same shape; [`Error::Io`].
pub fn join(parts: &[PathBuf], out: &Path) -> Result<(), Error> {
    let format = Format::of(out)?;
    for part in parts {
        files::check_file(part)?;
        if Format::of(part)? != format {
            let reason = "not of the kind of file that is to be written".into();
            return Err(Error::Malformed {
                path: part.clone(),
                reason,
            });
        }
    }
    match format {
        Format::Npy => join_npy(parts, out),
        Format::Csv => join_csv(parts, out),
        #[cfg(feature = "parquet")]
        Format::Parquet => super::parquet::join(parts, out),
    }
}

fn join_csv(parts: &[PathBuf], out: &Path) -> Result<(), Error> {
    let mut width = None;
    let (mut open, mut rows) = (Vec::new(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        let refuse = |reason: String| {
            let path = part.clone();
            Err(Error::Malformed { path, reason })
        };
        let read = Error::io("read", part);
        if let Some(first) = record(part, records(part)?.next())? {
            let (own, before) = (first.len(), *width.get_or_insert(first.len()));
            if own != before {
                return refuse(format!("{own} columns, but the parts before have {before}"));
            }
            if number > 0 && first.get(0) == Some("filename") {
                return refuse("it begins with a head, as only the first part may".into());
            }
        }
        let mut file = BufReader::new(File::open(part).map_err(&read)?);
        let mut count = 0;
        while copy_record(&mut file, &mut io::sink()).map_err(&read)? {
            count += 1;
        }
        file.rewind().map_err(&read)?;
        open.push(file);
        rows.push(count);
    }
    files::write_atomic_by(out, |writer| {
        let write = Error::io("write", out);
        let head = usize::from(rows.first().is_some_and(|rows| *rows > 0));
        if let Some(rows) = rows.first_mut() {
            *rows -= head;
        }
        let order = order(parts, &rows)?;
        if head > 0 {
            copy_record(&mut open[0], writer).map_err(&write)?;
        }
        let each = order.rows_per_clip;
        for part in order
            .parts
            .iter()
            .flatten()
            .flat_map(|part| repeat_n(*part, each))
        {
            copy_record(&mut open[part], writer).map_err(&write)?;
        }
        // Without an order, one part after the other.
        for file in &mut open {
            io::copy(file, writer).map_err(&write)?;
        }
        Ok(())
    })
}

/// Copies the next record with its end of line as it stands; `false` at the end of the file.
fn copy_record(from: &mut impl BufRead, to: &mut (impl Write + ?Sized)) -> io::Result<bool> {
    let (mut line, mut quotes) = (Vec::new(), 0);
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(quotes > 0);
        }
        to.write_all(&line)?;
        quotes += line.iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 0 {
            return Ok(true);
        }
    }
}

fn join_npy(parts: &[PathBuf], out: &Path) -> Result<(), Error> {
    let mut total: Option<[usize; 3]> = None;
    let (mut open, mut clips) = (Vec::new(), Vec::new());
    for part in parts {
        let malformed = |reason: String| Error::Malformed {
            path: part.clone(),
            reason,
        };
        let mut file = BufReader::new(File::open(part).map_err(Error::io("read", part))?);
        let shape = read_npy_header(&mut file)
            .map_err(Error::io("read", part))?
            .ok_or_else(|| malformed("no array [clips, bands, frames] of features".into()))?;
        clips.push(shape[0]);
        if shape[0] == 0 {
            open.push(file);
            continue;
        }
        let values = shape.iter().try_fold(4u64, |n, &d| n.checked_mul(d as u64));
        let length = file.get_ref().metadata().map_err(Error::io("read", part))?;
        if values.and_then(|n| n.checked_add(NPY_HEAD as u64)) != Some(length.len()) {
            return Err(malformed(format!(
                "{} bytes do not fit {shape:?}",
                length.len()
            )));
        }
        match &mut total {
            None => total = Some(shape),
            Some(total) if total[1..] == shape[1..] => total[0] += shape[0],
            Some(total) => {
                let reason = format!(
                    "clips of {:?}, but the parts before have {:?}",
                    &shape[1..],
                    &total[1..]
                );
                return Err(malformed(reason));
            }
        }
        open.push(file);
    }
    let Some(total) = total else {
        let reason = "none of the parts holds a clip".into();
        return Err(Error::Malformed {
            path: out.into(),
            reason,
        });
    };
    let order = sequence(parts, &clips)?.unwrap_or_default();
    let bytes = (total[1] * total[2] * 4) as u64;
    files::write_atomic(out, |mut writer| {
        writer.write_all(&npy_header(&total))?;
        for part in order {
            io::copy(&mut (&mut open[part]).take(bytes), &mut writer)?;
        }
        // Without an order, one part after the other.
        open.iter_mut()
            .try_for_each(|part| io::copy(part, &mut writer).map(drop))
    })
}

/// The shape in a head as [`npy_header`] writes it; `None` for any other.
fn read_npy_header(file: &mut impl BufRead) -> io::Result<Option<[usize; 3]>> {
    let mut head = Vec::new();
    file.take(NPY_HEAD as u64).read_to_end(&mut head)?;
    let text = String::from_utf8_lossy(&head);
    let shape = text
        .split_once("'shape': (")
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(shape, _)| shape.split(", ").map(str::parse));
    let Some(shape) = shape.and_then(|sizes| sizes.collect::<Result<Vec<usize>, _>>().ok()) else {
        return Ok(None);
    };
    let shape: Option<[usize; 3]> = shape.try_into().ok();
    Ok(shape.filter(|shape| npy_header(shape) == head))
}
