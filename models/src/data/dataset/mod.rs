//! Labelled clips: a folder per label, scanned into a list of files.
//!
//! ```text
//! DIR/blues/blues.00000.wav        label "blues"
//! DIR/rock/artist/album/song.mp3   label "rock": folders inside a label's folder are searched too
//! DIR/blues/blues.00000.png        a picture of a clip: where there is no sound in DIR
//! ```
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`Dataset`], [`Item`] |
//! | `layout.rs` | [`Layout`]: layout of a dataset on disk; [`Opening`]: how it is read |
//! | `open.rs` | detects the layout and reads the dataset (feature `report`) |
//! | `folders.rs` | a folder per label, searched |
//! | `evidence.rs` | whether clips with GTZAN's names are GTZAN's |
//! | `separator.rs` | what separates a table's columns; decimal commas |
//! | `gtzan.rs`, `fma.rs`, `ballroom.rs`, `table.rs` | the other layouts |
//!
//! The order is that of the names' bytes, so the same folder gives the same dataset on every machine. Names that begin
//! with a dot are skipped. Everything else that is skipped is reported in [`Dataset::warnings`].

#[cfg(feature = "report")]
mod ballroom;
#[cfg(feature = "report")]
mod evidence;
#[cfg(feature = "report")]
mod fma;
mod folders;
#[cfg(feature = "report")]
mod gtzan;
pub mod layout;
#[cfg(feature = "report")]
mod open;
#[cfg(feature = "report")]
mod separator;
#[cfg(feature = "report")]
pub(crate) mod table;

#[cfg(feature = "report")]
pub(crate) use folders::listing;
pub use layout::{Layout, Opening};
#[cfg(feature = "report")]
pub use open::detect;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;

/// Extensions of clips; the format is detected by content.
pub const AUDIO_EXTENSIONS: &[&str] = audio::decode::EXTENSIONS;

/// Source of a clip's features.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Content {
    /// An audio file: its features are computed.
    #[default]
    Sound,
    /// A spectrogram image (PNG): its pixels are the features.
    Picture,
    /// A row of a table: its values are the features.
    Row(Arc<Row>),
}

/// Row of a feature table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Names of the columns, shared by all rows of a table.
    pub columns: Arc<[String]>,
    /// Values; NaN if missing in the table.
    pub values: Vec<f32>,
}

/// Part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Training.
    Train,
    /// Validation: selects the epoch.
    Validation,
    /// Test: used only at the end.
    Test,
}

impl Content {
    /// Type of a file according to its name.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Content> {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match extension.eq_ignore_ascii_case("png") {
            true => Some(Content::Picture),
            false => is_audio(path).then_some(Content::Sound),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Sound => "audio",
            Content::Picture => "picture",
            Content::Row(_) => "table row",
        })
    }
}

/// A labelled file.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Path of the file.
    pub path: PathBuf,
    /// Contents.
    pub content: Content,
    /// Index into [`Dataset::labels`].
    pub label: usize,
    /// Clips with the same group stay in the same part of a split.
    pub group: String,
    /// `label/…/stem` with `/`, for patterns and messages; lossy if the name is not UTF-8.
    pub name: String,
    /// Part in the dataset's own split, if it has one.
    pub side: Option<Side>,
}

impl Item {
    /// Returns the last part of its name.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// Labelled files of one folder.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Folder of the dataset.
    pub dir: PathBuf,
    /// Labels, sorted by name.
    pub labels: Vec<String>,
    /// Clips, by label and then by path.
    pub items: Vec<Item>,
    /// Files that were skipped or look wrong, one sentence each.
    pub warnings: Vec<String>,
    /// Layout on disk.
    pub layout: Layout,
}

impl Dataset {
    /// Checks that the dataset can be used for training.
    ///
    /// # Errors
    /// [`Error::Dataset`] if there is only one label.
    pub fn check_labels(&self) -> Result<(), Error> {
        match self.labels.as_slice() {
            [only] => Err(Error::Dataset {
                dir: self.dir.clone(),
                reason: format!("only one label ({only}), so there is nothing to tell apart"),
                hint: "a folder per label, at least two",
            }),
            _ => Ok(()),
        }
    }

    /// Whether it has its own split.
    #[must_use]
    pub fn has_split(&self) -> bool {
        self.items.iter().any(|item| item.side.is_some())
    }

    /// Returns the number of clips of each label.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for item in &self.items {
            counts[item.label] += 1;
        }
        counts
    }
}

/// Whether a file's name is that of a clip.
#[must_use]
pub fn is_audio(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    AUDIO_EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::group::GroupRule;
    use std::fs;

    fn touch(dir: &Path, names: &[&str]) {
        for name in names {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
    }

    fn warned(dataset: &Dataset, words: &str) -> bool {
        dataset
            .warnings
            .iter()
            .any(|warning| warning.contains(words))
    }

    #[test]
    fn a_folder_per_label_in_a_fixed_order() {
        let dir = tempfile::tempdir().unwrap();
        touch(
            dir.path(),
            &[
                "rock/b.wav",
                "rock/a.MP3",
                "rock/live/c.wav",
                "blues/1-7-A.wav",
                "blues/1-7-B.wav",
                "blues/.hidden.wav",
                ".git/x.wav",
                "LICENSES.txt",
            ],
        );
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert_eq!(dataset.labels, ["blues", "rock"]);
        let names: Vec<_> = dataset
            .items
            .iter()
            .map(|item| item.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "blues/1-7-A",
                "blues/1-7-B",
                "rock/a",
                "rock/b",
                "rock/live/c"
            ]
        );
        assert_eq!(dataset.items[0].group, dataset.items[1].group);
        assert_eq!(dataset.counts(), [2, 3]);
        assert!(dataset.warnings.is_empty(), "{:?}", dataset.warnings);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        touch(
            dir.path(),
            &[
                "a/1.wav",
                "a/2.mid",
                "a/3.mid",
                "a/cover",
                "b/notes.txt",
                "loose.wav",
            ],
        );
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert_eq!(dataset.labels, ["a"]);
        assert!(
            dataset
                .check_labels()
                .unwrap_err()
                .to_string()
                .contains("only one label (a)")
        );
        assert!(
            warned(
                &dataset,
                "4 files of other kinds left out (mid 2, no extension 1, txt 1)"
            ),
            "{:?}",
            dataset.warnings
        );
        assert!(warned(&dataset, "1 files lie outside"));
        assert!(warned(&dataset, "no audio in this folder"));
    }

    #[test]
    fn folders_without_labels_are_errors_that_name_them() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(
            Dataset::scan(&missing, GroupRule::Take)
                .unwrap_err()
                .to_string()
                .contains("missing")
        );
        assert!(
            Dataset::scan(dir.path(), GroupRule::Take)
                .unwrap_err()
                .to_string()
                .contains("no audio")
        );
        touch(dir.path(), &["song.wav"]);
        let error = Dataset::scan(dir.path(), GroupRule::Take).unwrap_err();
        assert!(error.to_string().contains("no folder per label"), "{error}");
        assert!(error.hint().unwrap().contains("DIR/LABEL"));
        assert!(Dataset::scan(&dir.path().join("song.wav"), GroupRule::Take).is_err());
    }

    #[test]
    fn pictures_are_clips_where_there_is_no_sound() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["a/a.00001.PNG", "b/b.00001.png", "c/x.txt"]);
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert_eq!(dataset.labels, ["a", "b"]);
        let picture = |item: &Item| item.content == Content::Picture;
        assert!(dataset.items.iter().all(picture));
        assert!(warned(&dataset, "no picture in this folder"));
        touch(dir.path(), &["a/song.wav", "b/song.mp3"]);
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert_eq!(dataset.counts(), [1, 1]);
        assert!(!dataset.items.iter().any(picture));
        assert!(warned(&dataset, "(png 2, txt 1)"), "{:?}", dataset.warnings);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_and_into_nothing() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["a/1.wav", "b/2.wav"]);
        symlink("..", dir.path().join("a/up")).unwrap();
        symlink("nowhere.wav", dir.path().join("a/broken.wav")).unwrap();
        symlink("self", dir.path().join("a/self")).unwrap();
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert!(
            warned(&dataset, "already searched"),
            "{:?}",
            dataset.warnings
        );
        assert!(warned(&dataset, "leads nowhere"));
        assert!(dataset.items.iter().any(|item| item.name == "b/2"));
        assert!(dataset.items.len() < 10);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_are_used_and_warned_of() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let label = dir.path().join(OsStr::from_bytes(b"jazz\xff"));
        fs::create_dir(&label).unwrap();
        fs::write(label.join(OsStr::from_bytes(b"caf\xe9.wav")), b"").unwrap();
        let dataset = Dataset::scan(dir.path(), GroupRule::Take).unwrap();
        assert_eq!(dataset.labels, ["jazz\u{fffd}"]);
        assert!(dataset.items[0].path.exists());
        assert!(warned(&dataset, "not UTF-8"));
    }
}
