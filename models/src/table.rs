//! Features of files as one array: what `melgrad features` writes.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use audio::{Clip, FeatureSettings, Features, Limits};
use kernels::Device;

use crate::control::{Control, Event};
use crate::dataset::is_audio;
use crate::{Error, files};

/// What is to become an array.
#[derive(Debug, Clone)]
pub struct Tabling<'a> {
    /// Files as they are; folders for the audio below them.
    pub inputs: &'a [PathBuf],
    /// Which features.
    pub settings: &'a FeatureSettings,
    /// Every clip is cut, or filled up with silence at its end, to this length.
    pub seconds: Option<f64>,
}

/// Features of one or more clips, all of one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file of each clip.
    pub files: Vec<PathBuf>,
    /// Rows of a clip.
    pub bands: usize,
    /// Columns of a clip.
    pub frames: usize,
    /// `[clips, bands, frames]`, row-major.
    pub values: Vec<f32>,
    /// Whether the one input was a file: then the array has no axis for clips.
    single: bool,
}

/// The audio that some arguments mean: files as they are, folders for the files below them that are named like audio,
/// sorted by name.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be listed; [`Error::Malformed`] for one without audio.
pub fn audio_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let before = found.len();
        search(input, &mut Vec::new(), &mut found)?;
        if found.len() == before {
            let reason = "no file in it is named like audio (.wav, .wave, .mp3)".into();
            return Err(Error::Malformed {
                path: input.clone(),
                reason,
            });
        }
    }
    Ok(found)
}

/// `above` holds the real folders on the way here, so that a link which leads back ends.
fn search(folder: &Path, above: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let list = || -> io::Result<(PathBuf, Vec<PathBuf>)> {
        let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect();
        Ok((fs::canonicalize(folder)?, entries?))
    };
    let (real, mut entries) = list().map_err(Error::io("list", folder))?;
    if above.contains(&real) {
        return Ok(());
    }
    above.push(real);
    entries.retain(|entry| {
        !entry
            .file_name()
            .unwrap_or_default()
            .as_encoded_bytes()
            .starts_with(b".")
    });
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            search(&entry, above, found)?;
        } else if is_audio(&entry) {
            found.push(entry);
        }
    }
    above.pop();
    Ok(())
}

/// The features of all clips, one clip per thread. A file that cannot be used costs a warning.
///
/// # Errors
/// [`Error::Stopped`]; [`Error::Malformed`] naming two files whose features differ in length; where nothing could be
/// used, what was wrong with the last file.
pub fn tabulate(
    tabling: &Tabling<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Table, Error> {
    tabling.settings.check()?;
    if let Some(seconds) = tabling.seconds
        && !(seconds > 0.0 && seconds <= Limits::default().max_seconds)
    {
        let limit = Limits::default().max_seconds;
        return Err(Error::setting(
            "seconds",
            format!("{seconds} is not above 0 and at most {limit}"),
        ));
    }
    let paths = audio_files(tabling.inputs)?;
    let slots: Vec<Mutex<Option<Result<Features, Error>>>> =
        paths.iter().map(|_| Mutex::new(None)).collect();
    let done = AtomicUsize::new(0);
    kernels::cpu::for_each(paths.len(), |i| {
        if control.check().is_err() {
            return;
        }
        let features = features(&paths[i], tabling, device);
        *slots[i]
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(features);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        control.tell(Event::Features {
            done,
            total: paths.len(),
        });
    });
    control.check()?;
    let single = matches!(tabling.inputs, [one] if !one.is_dir());
    let mut table = Table {
        files: Vec::new(),
        bands: 0,
        frames: 0,
        values: Vec::new(),
        single,
    };
    let mut failed = None;
    for (path, slot) in paths.into_iter().zip(slots) {
        let result = slot
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match result {
            Some(Ok(features)) => table.push(path, features)?,
            Some(Err(error)) => {
                // Of several bad files, the last is told by the error that is returned.
                if let Some(error) = failed.replace(error) {
                    control.tell(Event::Warning(&error.to_string()));
                }
            }
            None => {}
        }
    }
    match failed {
        Some(error) if table.files.is_empty() => return Err(error),
        Some(error) => control.tell(Event::Warning(&error.to_string())),
        None => {}
    }
    Ok(table)
}

fn features(path: &Path, tabling: &Tabling<'_>, device: &Device) -> Result<Features, Error> {
    let mut clip: Clip = audio::decode(path, &Limits::default())?;
    if let Some(seconds) = tabling.seconds {
        let samples = (seconds * f64::from(clip.sample_rate)).round().max(1.0) as usize;
        clip.samples.resize(samples, 0.0);
    }
    audio::extract(device, tabling.settings, &clip).map_err(|source| Error::Features {
        name: path.display().to_string(),
        source,
    })
}

impl Table {
    fn push(&mut self, path: PathBuf, features: Features) -> Result<(), Error> {
        match self.files.first() {
            None => (self.bands, self.frames) = (features.bands, features.frames),
            Some(first) if (self.bands, self.frames) != (features.bands, features.frames) => {
                let (first, frames) = (first.display(), self.frames);
                let reason = format!(
                    "{} frames, but {first} has {frames}; one array needs one length",
                    features.frames
                );
                return Err(Error::Malformed { path, reason });
            }
            Some(_) => {}
        }
        self.files.push(path);
        self.values.extend(features.values);
        Ok(())
    }

    /// The array's shape: `[clips, bands, frames]`, or `[bands, frames]` for one file.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        let shape = [self.files.len(), self.bands, self.frames];
        shape[usize::from(self.single)..].to_vec()
    }

    /// Writes the array as NumPy's `.npy`, or as `.csv` with the columns `file`, `band`, `0`, `1`, … and one row for
    /// every band of every clip.
    ///
    /// # Errors
    /// [`Error::Malformed`] for another ending; [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        match Format::of(path)? {
            Format::Npy => files::write_atomic(path, |writer| {
                writer.write_all(&npy_header(&self.shape()))?;
                self.values
                    .iter()
                    .try_for_each(|value| writer.write_all(&value.to_le_bytes()))
            }),
            Format::Csv => files::write_atomic(path, |writer| self.write_csv(writer)),
        }
    }

    fn write_csv(&self, writer: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(writer);
        let head = ["file".to_string(), "band".to_string()].into_iter();
        csv.write_record(head.chain((0..self.frames).map(|frame| frame.to_string())))?;
        let rows = self.values.chunks_exact(self.frames.max(1));
        let names = self
            .files
            .iter()
            .flat_map(|file| (0..self.bands).map(move |band| (file, band)));
        for ((file, band), row) in names.zip(rows) {
            csv.write_field(file.as_os_str().as_encoded_bytes())?;
            csv.write_field(band.to_string())?;
            row.iter()
                .try_for_each(|value| csv.write_field(value.to_string()))?;
            csv.write_record(None::<&[u8]>)?;
        }
        csv.flush()
    }
}

/// How a [`Table`] can be written.
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

/// Version 1.0 of NumPy's format: magic, length, a Python dictionary padded so that the numbers begin at a multiple of 64.
fn npy_header(shape: &[usize]) -> Vec<u8> {
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

    fn table(clips: usize) -> Table {
        Table {
            files: (0..clips)
                .map(|i| PathBuf::from(format!("a,{i}.wav")))
                .collect(),
            bands: 2,
            frames: 3,
            values: (0..clips * 6).map(|v| v as f32 / 2.0).collect(),
            single: clips == 1,
        }
    }

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
    }

    #[test]
    fn one_file_has_no_axis_for_clips() {
        assert_eq!(table(1).shape(), [2, 3]);
        assert_eq!(table(2).shape(), [2, 2, 3]);
    }

    #[test]
    fn csv_has_a_row_per_band() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.csv");
        table(2).write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "file,band,0,1,2");
        assert_eq!(lines[2], "\"a,0.wav\",1,1.5,2,2.5");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn different_lengths_are_told_with_both_names() {
        let mut table = table(1);
        let other = Features {
            bands: 2,
            frames: 4,
            values: vec![0.0; 8],
        };
        let error = table.push("b.wav".into(), other).unwrap_err().to_string();
        assert!(
            error.contains("b.wav: 4 frames") && error.contains("a,0.wav has 3"),
            "{error}"
        );
    }

    #[test]
    fn other_endings_are_refused() {
        assert!(Format::of(Path::new("a.NPY")).is_ok());
        let error = table(1)
            .write(Path::new("nowhere/a.txt"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.txt") && error.contains(".npy"), "{error}");
    }
}
