//! A folder per label, searched for files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use audio::decode::special_file;

use super::{Content, Dataset, Item, Layout};
use crate::Error;
use crate::data::group::GroupRule;

/// Deeper than this below a label's folder nothing is looked for.
const MAX_DEPTH: usize = 16;

impl Dataset {
    /// Scans a folder that holds one folder per label.
    ///
    /// Pictures (PNG) are clips where there is no audio in any of them.
    /// A label's folder with neither in it is left out with a warning, and so is
    /// a folder that cannot be read; the rest is scanned.
    ///
    /// # Errors
    /// [`Error::Io`] when `dir` cannot be listed; [`Error::Dataset`] when neither audio nor pictures are found.
    pub fn scan(dir: &Path, rule: GroupRule) -> Result<Dataset, Error> {
        scan(dir, rule)
    }
}

/// See [`Dataset::scan`].
pub(super) fn scan(dir: &Path, rule: GroupRule) -> Result<Dataset, Error> {
    let mut scan = Scan {
        rule,
        warnings: Vec::new(),
        ignored: BTreeMap::new(),
    };
    let mut folders: Vec<(PathBuf, String, Vec<Found>)> = Vec::new();
    let mut loose = 0;
    for entry in listing(dir).map_err(Error::io("list", dir))? {
        if !entry.is_dir() {
            loose += usize::from(Content::of_name(&entry).is_some());
            continue;
        }
        let label = scan.utf8_name(&entry);
        let mut found = Vec::new();
        scan.folder(&entry, "", 0, &mut BTreeSet::new(), &mut found);
        folders.push((entry, label, found));
    }
    let content = scan.choose(&mut folders);
    let mut labels: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for (folder, label, mut found) in folders {
        if found.is_empty() {
            scan.warnings.push(format!(
                "{}: no {content} in this folder, so it is no label",
                folder.display()
            ));
        } else {
            labels.entry(label).or_default().append(&mut found);
        }
    }
    if loose > 0 {
        scan.warnings.push(format!(
            "{}: {loose} files lie outside the labels' folders and are left out",
            dir.display()
        ));
    }
    scan.warn_of_ignored(dir);
    if labels.is_empty() {
        let reason = if loose > 0 {
            "holds audio or pictures, but no folder per label"
        } else {
            "no audio in it"
        };
        return Err(Error::Dataset {
            dir: dir.into(),
            reason: reason.into(),
            hint: "lay it out as DIR/LABEL/CLIP.wav, .mp3 or .png",
        });
    }
    let mut items = Vec::new();
    for (label, (name, found)) in labels.iter().enumerate() {
        items.extend(found.iter().map(|found| Item {
            path: found.path.clone(),
            content: found.content.clone(),
            label,
            group: format!("{name}/{}", found.group),
            name: format!("{name}/{}", found.name),
            side: None,
        }));
    }
    Ok(Dataset {
        dir: dir.into(),
        labels: labels.into_keys().collect(),
        items,
        warnings: scan.warnings,
        layout: Layout::Folders,
    })
}

struct Found {
    path: PathBuf,
    content: Content,
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
    /// Where there is sound, pictures beside it are covers, or were drawn from it: they are left out.
    fn choose(&mut self, folders: &mut [(PathBuf, String, Vec<Found>)]) -> Content {
        let mut all = folders.iter().flat_map(|(_, _, found)| found);
        let pictures = all.clone().any(|found| found.content == Content::Picture);
        if all.any(|found| found.content == Content::Sound) || !pictures {
            for (_, _, found) in folders {
                for picture in found.extract_if(.., |found| found.content == Content::Picture) {
                    self.ignore(&picture.path);
                }
            }
            return Content::Sound;
        }
        Content::Picture
    }

    fn ignore(&mut self, path: &Path) {
        let kind = path.extension().map_or("no extension".into(), |kind| {
            kind.to_string_lossy().to_lowercase()
        });
        *self.ignored.entry(kind).or_default() += 1;
    }

    fn warn_of_ignored(&mut self, dir: &Path) {
        let total: usize = self.ignored.values().sum();
        if total == 0 {
            return;
        }
        let kinds: Vec<String> = self
            .ignored
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let files = if total == 1 { "file" } else { "files" };
        self.warnings.push(format!(
            "{}: {total} {files} of other kinds left out ({})",
            dir.display(),
            kinds.join(", ")
        ));
    }

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
                continue;
            }
            let Some(content) = Content::of_name(&entry) else {
                self.ignore(&entry);
                continue;
            };
            if !entry.exists() {
                self.warnings.push(format!(
                    "{}: a link that leads nowhere, left out",
                    entry.display()
                ));
            } else if let Some(what) = special_file(&entry) {
                self.warnings
                    .push(format!("{}: {what}, left out", entry.display()));
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
                    content,
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
pub(crate) fn listing(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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
