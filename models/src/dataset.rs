//! Labelled clips: a folder per label, scanned into a list of files.
//!
//! ```text
//! DIR/blues/blues.00000.wav        label "blues"
//! DIR/rock/artist/album/song.mp3   label "rock": folders inside a label's folder are searched too
//! ```
//!
//! The order is that of the names' bytes, so that the same folder gives the same
//! dataset on every machine. Names that begin with a dot are skipped. What is
//! skipped for another reason is told in [`Dataset::warnings`], never silently.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::group::GroupRule;

/// File names that end so are clips; what is in them is found out by their content.
pub const AUDIO_EXTENSIONS: [&str; 3] = ["mp3", "wav", "wave"];

/// Deeper than this below a label's folder nothing is looked for.
const MAX_DEPTH: usize = 16;

/// One labelled file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it lies.
    pub path: PathBuf,
    /// Index into [`Dataset::labels`].
    pub label: usize,
    /// Clips with the same group stay in the same part of a split.
    pub group: String,
    /// `label/…/stem` with `/`, for patterns and messages; lossy where the name is not UTF-8.
    pub name: String,
}

/// The labelled files of one folder.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The folder.
    pub dir: PathBuf,
    /// The labels, sorted by name.
    pub labels: Vec<String>,
    /// The clips, by label and then by path.
    pub items: Vec<Item>,
    /// What was skipped or looks wrong, one sentence each.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// Scans a folder that holds one folder per label.
    ///
    /// A label's folder with no audio in it is left out with a warning, and so is
    /// a folder that cannot be read; the rest is scanned.
    ///
    /// # Errors
    /// [`Error::Io`] when `dir` cannot be listed; [`Error::Dataset`] when no audio is found.
    pub fn scan(dir: &Path, rule: GroupRule) -> Result<Dataset, Error> {
        let mut scan = Scan {
            rule,
            warnings: Vec::new(),
            ignored: BTreeMap::new(),
        };
        let mut labels: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let mut loose = 0;
        for entry in listing(dir).map_err(Error::io("list", dir))? {
            if !entry.is_dir() {
                loose += usize::from(is_audio(&entry));
                continue;
            }
            let label = scan.utf8_name(&entry);
            let mut found = Vec::new();
            scan.folder(&entry, "", 0, &mut BTreeSet::new(), &mut found);
            if found.is_empty() {
                scan.warnings.push(format!(
                    "{}: no audio in this folder, so it is no label",
                    entry.display()
                ));
            } else {
                labels.entry(label).or_default().append(&mut found);
            }
        }
        if loose > 0 {
            scan.warnings.push(format!(
                "{}: {loose} audio files lie outside the labels' folders and are left out",
                dir.display()
            ));
        }
        if !scan.ignored.is_empty() {
            let total: usize = scan.ignored.values().sum();
            let kinds: Vec<String> = scan
                .ignored
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            let files = if total == 1 { "file" } else { "files" };
            scan.warnings.push(format!(
                "{}: {total} {files} of other kinds left out ({})",
                dir.display(),
                kinds.join(", ")
            ));
        }
        if labels.is_empty() {
            let reason = if loose > 0 {
                "holds audio, but no folder per label"
            } else {
                "no audio in it"
            };
            return Err(Error::Dataset {
                dir: dir.into(),
                reason: reason.into(),
                hint: "lay it out as DIR/LABEL/CLIP.wav or .mp3",
            });
        }
        let mut items = Vec::new();
        for (label, (name, found)) in labels.iter().enumerate() {
            items.extend(found.iter().map(|found| Item {
                path: found.path.clone(),
                label,
                group: format!("{name}/{}", found.group),
                name: format!("{name}/{}", found.name),
            }));
        }
        Ok(Dataset {
            dir: dir.into(),
            labels: labels.into_keys().collect(),
            items,
            warnings: scan.warnings,
        })
    }

    /// Refuses a dataset that nothing can be learnt from.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there is only one label.
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

    /// How many clips each label has.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for item in &self.items {
            counts[item.label] += 1;
        }
        counts
    }
}

struct Found {
    path: PathBuf,
    group: String,
    name: String,
}

struct Scan {
    rule: GroupRule,
    warnings: Vec<String>,
    /// Extension (or "no extension") to how many such files were left out.
    ignored: BTreeMap<String, usize>,
}

impl Scan {
    /// `visited` holds every real folder seen under this label: links that lead
    /// back, or twice to the same place, end there.
    fn folder(
        &mut self,
        folder: &Path,
        inside: &str,
        depth: usize,
        visited: &mut BTreeSet<PathBuf>,
        found: &mut Vec<Found>,
    ) {
        let listed = folder
            .canonicalize()
            .and_then(|real| Ok((real, listing(folder)?)));
        let (real, entries) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                self.warnings.push(format!(
                    "{}: cannot be read ({error}), left out",
                    folder.display()
                ));
                return;
            }
        };
        if !visited.insert(real) {
            self.warnings.push(format!(
                "{}: a link to a folder already searched, left out",
                folder.display()
            ));
            return;
        }
        if depth > MAX_DEPTH {
            self.warnings.push(format!(
                "{}: more than {MAX_DEPTH} folders deep, left out",
                folder.display()
            ));
            return;
        }
        for entry in entries {
            if entry.is_dir() {
                let name = self.utf8_name(&entry);
                let inside = if inside.is_empty() {
                    name
                } else {
                    format!("{inside}/{name}")
                };
                self.folder(&entry, &inside, depth + 1, visited, found);
            } else if !is_audio(&entry) {
                let kind = entry.extension().map_or("no extension".into(), |kind| {
                    kind.to_string_lossy().to_lowercase()
                });
                *self.ignored.entry(kind).or_default() += 1;
            } else if !entry.exists() {
                self.warnings.push(format!(
                    "{}: a link that leads nowhere, left out",
                    entry.display()
                ));
            } else {
                self.utf8_name(&entry);
                let stem = entry
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let group = self.rule.group(inside, &stem);
                let name = if inside.is_empty() {
                    stem
                } else {
                    format!("{inside}/{stem}")
                };
                found.push(Found {
                    path: entry,
                    group,
                    name,
                });
            }
        }
    }

    /// The last part of a path as text; a name that is not UTF-8 is used, and warned of.
    fn utf8_name(&mut self, path: &Path) -> String {
        let name = path.file_name().unwrap_or_default();
        if name.to_str().is_none() {
            self.warnings.push(format!(
                "{}: the name is not UTF-8; it is used, but shown with replacement characters",
                path.display()
            ));
        }
        name.to_string_lossy().into_owned()
    }
}

/// What a folder holds, sorted by name, without hidden entries.
fn listing(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether a file's name says that it is a clip.
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
                "a/2.flac",
                "a/3.flac",
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
                "4 files of other kinds left out (flac 2, no extension 1, txt 1)"
            ),
            "{:?}",
            dataset.warnings
        );
        assert!(warned(&dataset, "1 audio files lie outside"));
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
