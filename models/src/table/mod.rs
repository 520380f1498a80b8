//! Features of files as one array: what `melgrad features` writes.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`tabulate`]: files to an array on disk, some at a time |
//! | `find.rs` | [`audio_files`]: which files some arguments mean |
//! | `sink.rs` | clips as rows of a file, in any of the formats |
//! | `npy.rs`, `csv.rs`, `parquet.rs` | the formats (Parquet: feature `parquet`) |
//! | `spool.rs` | long sounds, whose features wait on disk |
//! | `shard.rs` | [`Shard`]: parts of equal work for several machines |
//! | `join.rs` | [`join`]: the parts of several machines put together |

mod csv;
mod find;
mod format;
mod join;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod shard;
mod sink;
mod spool;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use audio::{FeatureSettings, Features, Limits, Segment, Stream};
use kernels::Device;

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::base::parallel::in_order;
use crate::input::Windows;
use crate::input::cache::{Cache, ContentHash};
use format::Columns;
use rows::Rows;
use sink::Sink;
use spool::Spool;

pub use find::audio_files;
pub use format::Format;
pub use join::join;
pub use shard::Shard;

/// What is to become an array.
#[derive(Debug, Clone)]
pub struct Tabling<'a> {
    /// Files as they are; folders for the audio below them.
    pub inputs: &'a [PathBuf],
    /// Which features.
    pub settings: &'a FeatureSettings,
    /// Which part of every file.
    pub segment: Segment,
    /// Every clip is cut, or filled up with silence at its end, to this length.
    pub seconds: Option<f64>,
    /// Which of the files.
    pub shard: Shard,
    /// Where features are kept, so that work which was stopped goes on where it was.
    pub cache: Option<&'a Path>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Tabled {
    /// The file of each clip.
    pub files: Vec<PathBuf>,
    /// The array's: `[clips, bands, frames]`, or `[bands, frames]` where the one input is a file.
    pub shape: Vec<usize>,
}

/// Files whose features are made or wait to be written, for each thread.
const WAITING: usize = 4;

/// Sounds of more samples than this are never whole in memory, where the kind of features allows it.
const LONG: u64 = 1 << 22;

/// Writes the features of all clips as `out`, one clip per thread.
///
/// `.npy` is NumPy's array. `.csv` has a row for each clip of a table ([`FeatureSettings::is_table`]) under
/// `filename`, the
/// columns' names and `label` (the folder), as [`crate::data::dataset::Dataset::open`] reads it; of other features a
/// row for every band
/// of every clip under `filename`, `band`, `0`, `1`, …; and no head where it is a part but the first. `.parquet` has
/// the
/// same columns, but the frames of a band are one column, `values`, of lists.
///
/// Beside a part, `out` with `.order` behind its name says which of all files its clips are; [`join`] reads it.
///
/// A file that cannot be used costs a warning. Memory depends neither on the number of files nor on their length.
///
/// # Errors
/// [`Error::Stopped`]; [`Error::Malformed`] naming two files whose features differ in length; where nothing could be
/// used, what was wrong with the last file; [`Error::Io`]. Then nothing is written.
pub fn tabulate(
    tabling: &Tabling<'_>,
    device: &Device,
    out: &Path,
    control: Control<'_>,
) -> Result<Tabled, Error> {
    tabling.check()?;
    let format = Format::of(out)?;
    let paths = audio_files(tabling.inputs, &mut |skipped| {
        control.tell(Event::Warning(&skipped));
    })?;
    let chosen = tabling.shard.choose(&paths);
    let cache = match tabling.cache {
        Some(dir) => Cache::open(
            dir,
            &(
                "table",
                device.is_gpu(),
                tabling.settings,
                tabling.seconds,
                tabling.segment.offset,
                tabling.segment.duration,
            ),
        ),
        None => Cache::off(),
    };
    let work = Work {
        tabling,
        device,
        cache,
        out,
        control,
        done: AtomicUsize::new(0),
        total: chosen.len(),
    };
    let columns = match tabling.settings.is_table() {
        true => Columns::Named(tabling.settings.names()),
        false => Columns::Frames,
    };
    let (tabled, places) = files::write_atomic_by(out, |writer| {
        let sink = Sink::new(writer, format, columns, tabling.shard.index == 1);
        let mut sink = sink.map_err(Error::io("write", out))?;
        sink.clips_axis =
            tabling.shard != Shard::WHOLE || !matches!(tabling.inputs, [one] if !one.is_dir());
        work.write(&paths, &chosen, sink)
    })?;
    if tabling.shard != Shard::WHOLE {
        shard::write_places(out, &places)?;
    }
    Ok(tabled)
}

impl Tabling<'_> {
    fn check(&self) -> Result<(), Error> {
        self.settings.check()?;
        self.segment.check()?;
        let Shard { index, count } = self.shard;
        if !(1..=count).contains(&index) {
            let reason =
                format!("{index}/{count} is none of the parts 1/{count} to {count}/{count}");
            return Err(Error::setting("shard", reason));
        }
        let limit = Limits::default().max_seconds;
        match self.seconds {
            Some(seconds) if !(seconds > 0.0 && seconds <= limit) => Err(Error::setting(
                "seconds",
                format!("{seconds} is not above 0 and at most {limit}"),
            )),
            _ => Ok(()),
        }
    }
}

/// The features of a file, or what is wrong with it.
type Found = Result<Box<dyn Rows + Send>, Error>;

struct Work<'a> {
    tabling: &'a Tabling<'a>,
    device: &'a Device,
    cache: Cache,
    out: &'a Path,
    control: Control<'a>,
    done: AtomicUsize,
    total: usize,
}

impl Work<'_> {
    /// Writes the features of the chosen files; returns with them which of all files the clips are.
    fn write(
        &self,
        paths: &[PathBuf],
        chosen: &[usize],
        mut sink: Sink<'_>,
    ) -> Result<(Tabled, Vec<usize>), Error> {
        let mut places = Vec::new();
        let mut files: Vec<PathBuf> = Vec::new();
        let mut shape = [self.tabling.settings.bands(), 0];
        let mut failed: Option<Error> = None;
        let ahead = WAITING * kernels::cpu::threads();
        let one = |at: usize| Ok((chosen[at], self.one(&paths[chosen[at]])?));
        in_order(chosen.len(), ahead, one, |(at, found)| {
            let path = &paths[at];
            let mut rows = match found {
                Ok(rows) => rows,
                Err(error) => {
                    // Of several bad files, the last is told by the error that is returned.
                    if let Some(error) = failed.replace(error) {
                        self.control.tell(Event::Warning(&error.to_string()));
                    }
                    return Ok(());
                }
            };
            match files.first() {
                None => shape = rows.shape(),
                Some(first) if shape != rows.shape() => {
                    return Err(differ(path, rows.shape(), first, shape));
                }
                Some(_) => {}
            }
            let label = find::label(self.tabling.inputs, path);
            let written = sink.clip(path, &label, rows.as_mut());
            files.push(path.clone());
            places.push(at);
            written.map_err(Error::io("write", self.out))
        })?;
        match failed {
            // A part but the first may be empty.
            Some(error) if files.is_empty() && self.tabling.shard.index == 1 => return Err(error),
            Some(error) => self.control.tell(Event::Warning(&error.to_string())),
            None => {}
        }
        let shape = sink.end(shape).map_err(Error::io("write", self.out))?;
        Ok((Tabled { files, shape }, places))
    }

    /// The features of one file, as part of them all.
    fn one(&self, path: &Path) -> Result<Found, Error> {
        self.control.check()?;
        let found = self.features(path);
        // A long sound that was not heard to its end is no bad file.
        self.control.check()?;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.control.tell(Event::Features {
            done,
            total: self.total,
        });
        Ok(found)
    }

    fn features(&self, path: &Path) -> Found {
        let settings = self.tabling.settings;
        let mut stream = Stream::open(path, &Limits::LONG)?;
        let long = stream.about().is_none_or(|samples| samples > LONG);
        if long && self.tabling.seconds.is_none() && audio::features::in_pieces(settings) {
            let segment = &self.tabling.segment;
            let spool = Spool::of(
                &mut stream,
                segment,
                settings,
                self.device,
                self.out,
                path,
                self.control,
            )?;
            self.warn(&stream);
            return Ok(Box::new(spool));
        }
        // A pipe cannot be read twice.
        let content = match self.tabling.cache {
            Some(_) if path.is_file() => Some(ContentHash::of_file(path)?),
            _ => None,
        };
        if let Some(kept) = content.and_then(|content| self.cache.get(content)) {
            return Ok(Box::new(Features {
                bands: kept.bands,
                frames: kept.frames,
                values: kept.values,
            }));
        }
        stream.set_limits(&Limits::default());
        let mut clip = stream.clip(&self.tabling.segment)?;
        self.warn(&stream);
        if let Some(seconds) = self.tabling.seconds {
            let samples = (seconds * f64::from(clip.sample_rate)).round().max(1.0) as usize;
            clip.samples.resize(samples, 0.0);
        }
        let features =
            audio::extract(self.device, settings, &clip).map_err(|source| Error::Features {
                name: path.display().to_string(),
                source,
            })?;
        let entry = Windows {
            windows: 1,
            bands: features.bands,
            frames: features.frames,
            values: features.values,
        };
        if let Some(warning) = content.and_then(|content| self.cache.put(content, &entry)) {
            self.control.tell(Event::Warning(&warning));
        }
        Ok(Box::new(Features {
            bands: entry.bands,
            frames: entry.frames,
            values: entry.values,
        }))
    }

    /// Says what of a file was left out, or is shorter than its header says.
    fn warn(&self, stream: &Stream<'_>) {
        for warning in stream.warnings() {
            self.control.tell(Event::Warning(&warning));
        }
    }
}

fn differ(path: &Path, own: [usize; 2], first: &Path, shape: [usize; 2]) -> Error {
    let reason = format!(
        "{} frames, but {} has {}; one array needs one length",
        own[1],
        first.display(),
        shape[1]
    );
    Error::Malformed {
        path: path.into(),
        reason,
    }
}
