//! TensorBoard's event files: scalars, one point per epoch.
//!
//! An event file is a row of records, each framed by its length and two masked
//! CRC-32C sums; a record is a protocol-buffer `Event`. TensorBoard follows a file
//! while it grows and skips a torn last record, so this one kind of file is
//! appended to, not replaced: a replaced one it would go on reading in its old form.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::base::files;
use crate::training::history::EpochRow;

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Begins a new event file in `dir`, which is made where it is missing.
    /// `seconds` is the time since 1970; it goes into the name, as TensorBoard reads files in that order.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn create(dir: &Path, seconds: f64) -> Result<EventFile, Error> {
        files::make_folder(dir)?;
        let path = dir.join(format!(
            "events.out.tfevents.{:010}.melgrad",
            seconds.max(0.0) as u64
        ));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::io("write", &path))?;
        let mut events = EventFile { path, file };
        events.append(&event(seconds, 0, 3, b"brain.Event:2"))?;
        Ok(events)
    }

    /// Adds one point to each of some curves.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn scalars(
        &mut self,
        step: usize,
        seconds: f64,
        values: &[(&str, f64)],
    ) -> Result<(), Error> {
        let mut summary = Vec::new();
        for (tag, value) in values {
            let mut one = Vec::new();
            bytes_field(&mut one, 1, tag.as_bytes());
            key(&mut one, 2, FIXED32);
            one.extend((*value as f32).to_le_bytes());
            bytes_field(&mut summary, 1, &one);
        }
        self.append(&event(seconds, step, 5, &summary))
    }

    fn append(&mut self, record: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(&framed(record))
            .map_err(Error::io("write", &self.path))
    }
}

/// The event files of a run: `train` and `validation`, which TensorBoard draws over each other.
#[derive(Debug)]
pub struct EventFiles {
    dir: PathBuf,
    files: BTreeMap<&'static str, EventFile>,
}

impl EventFiles {
    /// For event files below `dir`, which is made where it is missing. They begin with the first epoch that is added: a
    /// training that has nothing left to do leaves none.
    ///
    /// # Errors
    /// [`Error::Io`] naming the folder.
    pub fn create(dir: &Path) -> Result<EventFiles, Error> {
        files::make_folder(dir)?;
        Ok(EventFiles {
            dir: dir.into(),
            files: BTreeMap::new(),
        })
    }

    /// Adds an epoch to every curve.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn epoch(&mut self, row: &EpochRow, seconds: f64) -> Result<(), Error> {
        let train = [
            ("loss", Some(row.train_loss)),
            ("accuracy", Some(row.train_accuracy)),
            ("learning_rate", Some(row.learning_rate)),
        ];
        let validation = [
            ("loss", row.validation_loss),
            ("accuracy", row.validation_accuracy),
            ("f1", row.validation_f1),
        ];
        for (part, values) in [("train", train), ("validation", validation)] {
            let values = values.into_iter();
            let values: Vec<(&str, f64)> = values.filter_map(|(tag, v)| Some((tag, v?))).collect();
            if values.is_empty() {
                continue;
            }
            let file = match self.files.entry(part) {
                Entry::Occupied(file) => file.into_mut(),
                Entry::Vacant(none) => {
                    none.insert(EventFile::create(&self.dir.join(part), seconds)?)
                }
            };
            file.scalars(row.epoch, seconds, &values)?;
        }
        Ok(())
    }
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// `Event { wall_time = 1, step = 2, field: content }`.
fn event(seconds: f64, step: usize, field: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    key(&mut out, 1, FIXED64);
    out.extend(seconds.to_le_bytes());
    key(&mut out, 2, VARINT);
    varint(&mut out, step as u64);
    bytes_field(&mut out, field, content);
    out
}

fn key(out: &mut Vec<u8>, field: u64, kind: u64) {
    varint(out, field << 3 | kind);
}

fn bytes_field(out: &mut Vec<u8>, field: u64, content: &[u8]) {
    key(out, field, BYTES);
    varint(out, content.len() as u64);
    out.extend(content);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A record as TensorFlow frames it: length, its sum, the record, its sum.
fn framed(record: &[u8]) -> Vec<u8> {
    let length = (record.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(record.len() + 16);
    out.extend(length);
    out.extend(masked(crc32c(&length)).to_le_bytes());
    out.extend(record);
    out.extend(masked(crc32c(record)).to_le_bytes());
    out
}

/// TensorFlow rotates and shifts its sums, so that a sum of data that holds sums stays sound.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// CRC-32C (Castagnoli), bit by bit: event records are small.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc: u32, _| {
            (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn an_event_is_laid_out_as_the_protocol_says() {
        let mut expected = vec![9];
        expected.extend(1.5f64.to_le_bytes());
        expected.extend([16, 0xAC, 0x02, 26, 1, b'x']);
        assert_eq!(event(1.5, 300, 3, b"x"), expected);
    }

    #[test]
    fn records_are_framed_and_appended() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = EventFiles::create(dir.path()).unwrap();
        assert!(!dir.path().join("train").exists(), "nothing to tell yet");
        let row = EpochRow {
            epoch: 1,
            train_loss: 2.0,
            validation_loss: Some(3.0),
            ..Default::default()
        };
        files.epoch(&row, 13.0).unwrap();
        files.epoch(&EpochRow { epoch: 2, ..row }, 14.0).unwrap();
        for (part, records) in [("train", 3), ("validation", 3)] {
            let name = "events.out.tfevents.0000000013.melgrad";
            let bytes = std::fs::read(dir.path().join(part).join(name)).unwrap();
            let (mut at, mut seen) = (0, 0);
            while at < bytes.len() {
                let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
                assert_eq!(
                    bytes[at..at + 16 + length],
                    framed(&bytes[at + 12..at + 12 + length])
                );
                at += 16 + length;
                seen += 1;
            }
            assert_eq!(seen, records, "{part}");
        }
    }
}
