//! Cache of features on disk: the second training starts at once.
//!
//! An entry's name is a hash of the audio file's bytes and a hash of all settings. So a moved or renamed file is found
//! again, a changed one is not. Entries are written atomically and contain a checksum; a damaged entry is recomputed.
//! If the folder cannot be written, there is one warning, and the work continues without a cache.
//!
//! ```text
//! magic "MELGRAD1"   8 bytes
//! shape              3 × u32: windows, bands, frames
//! values             windows·bands·frames × f32
//! hash of the above  16 bytes
//! ```
//! All numbers are little-endian.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::Error;
use crate::base::files;
use crate::input::Windows;

const MAGIC: &[u8; 8] = b"MELGRAD1";
const HEADER: usize = MAGIC.len() + 3 * 4;
const HASH: usize = 16;

/// Hash of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(u128);

impl ContentHash {
    /// Hashes bytes with XXH3 (128 bits): fast and without accidental collisions, but not secure against deliberate
    /// ones.
    #[must_use]
    pub fn of(bytes: &[u8]) -> ContentHash {
        ContentHash(xxh3_128(bytes))
    }

    /// Returns a seed for random draws from these bytes.
    pub(crate) fn seed(self) -> u64 {
        self.0 as u64
    }

    /// Hashes a file of any length, in blocks.
    ///
    /// # Errors
    /// [`Error::Io`] naming `path`.
    pub fn of_file(path: &Path) -> Result<ContentHash, Error> {
        let read = || -> std::io::Result<ContentHash> {
            let mut file = fs::File::open(path)?;
            let mut hasher = Xxh3::new();
            let mut buffer = vec![0; 1 << 16];
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(ContentHash(hasher.digest128())),
                    read => hasher.update(&buffer[..read]),
                }
            }
        };
        read().map_err(Error::io("read", path))
    }

    /// Combines many hashes, in order, into one.
    #[must_use]
    pub fn of_all(parts: impl IntoIterator<Item = (String, ContentHash)>) -> ContentHash {
        let mut hasher = Xxh3::new();
        for (name, hash) in parts {
            hasher.update(name.as_bytes());
            hasher.update(&hash.0.to_le_bytes());
        }
        ContentHash(hasher.digest128())
    }
}

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Windows {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(HEADER + 4 * self.values.len() + HASH);
        bytes.extend(MAGIC);
        for size in [self.windows, self.bands, self.frames] {
            bytes.extend(u32::try_from(size).ok()?.to_le_bytes());
        }
        bytes.extend_from_slice(&files::le_bytes(&self.values));
        bytes.extend(ContentHash::of(&bytes).0.to_le_bytes());
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Windows> {
        let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
        let (header, numbers) = content.split_at_checked(HEADER)?;
        if !header.starts_with(MAGIC) || ContentHash::of(content).0.to_le_bytes() != hash {
            return None;
        }
        let words: Vec<[u8; 4]> = header[MAGIC.len()..]
            .chunks_exact(4)
            .filter_map(|word| word.try_into().ok())
            .collect();
        let mut sizes = words
            .into_iter()
            .map(|word| u32::from_le_bytes(word) as usize);
        let (windows, bands, frames) = (sizes.next()?, sizes.next()?, sizes.next()?);
        let total = windows.checked_mul(bands)?.checked_mul(frames)?;
        if numbers.len() != total.checked_mul(4)? {
            return None;
        }
        let values = files::from_le_bytes(numbers).collect();
        Some(Windows {
            windows,
            bands,
            frames,
            values,
        })
    }
}

/// Folder of cached features for one set of settings.
#[derive(Debug)]
pub struct Cache {
    dir: Option<PathBuf>,
    settings: ContentHash,
    given_up: AtomicBool,
}

impl Cache {
    /// Opens a cache in `dir` for features that depend on `settings` (their JSON is hashed, together with the version
    /// of the features).
    #[must_use]
    pub fn open(dir: &Path, settings: &impl Serialize) -> Cache {
        // A map with keys that are no strings is the only thing JSON refuses; then nothing is cached.
        let json = serde_json::to_vec(&(FEATURES_VERSION, settings)).ok();
        let dir = json.as_ref().map(|_| dir.to_path_buf());
        Cache {
            dir,
            settings: ContentHash::of(&json.unwrap_or_default()),
            given_up: AtomicBool::new(false),
        }
    }

    /// Returns a cache that stores nothing.
    #[must_use]
    pub fn off() -> Cache {
        Cache {
            dir: None,
            settings: ContentHash(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// Returns the path of an audio file's entry.
    #[must_use]
    pub fn entry(&self, content: ContentHash) -> Option<PathBuf> {
        self.dir.as_ref().map(|dir| {
            dir.join(self.settings.to_string())
                .join(format!("{content}.features"))
        })
    }

    /// Where the numbers of an entry begin, in bytes.
    pub(crate) const VALUES: u64 = HEADER as u64;

    /// Returns the features of an audio file, if there is an undamaged entry.
    #[must_use]
    pub fn get(&self, content: ContentHash) -> Option<Windows> {
        Windows::from_bytes(&fs::read(self.entry(content)?).ok()?)
    }

    /// Stores the features of an audio file. The first failure returns a warning; after it nothing more is written.
    pub fn put(&self, content: ContentHash, features: &Windows) -> Option<String> {
        let entry = self.entry(content)?;
        if self.given_up.load(Ordering::Relaxed) {
            return None;
        }
        let folder = entry.parent()?;
        let bytes = features.to_bytes()?;
        let error = files::make_folder(folder)
            .and_then(|()| files::write_bytes(&entry, &bytes))
            .err()?;
        let first = !self.given_up.swap(true, Ordering::Relaxed);
        first.then(|| format!("{error}; going on without keeping features"))
    }
}

/// Returns the user's cache folder; `None` if the system names none.
#[must_use]
pub fn default_dir() -> Option<PathBuf> {
    let folder = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let user = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Caches"))
    } else {
        let own = folder("XDG_CACHE_HOME").filter(absolute);
        own.or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    Some(user.filter(absolute)?.join("melgrad"))
}

/// Version of the features: increase it whenever the same settings give other values.
const FEATURES_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows() -> Windows {
        Windows {
            windows: 2,
            bands: 3,
            frames: 1,
            values: vec![0.5, -1.0, f32::MAX, 0.0, 2.0, 3.0],
        }
    }

    #[test]
    fn keeps_by_content_and_settings() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), &("mel", 128));
        let content = ContentHash::of(b"audio");
        assert_eq!(cache.get(content), None);
        assert_eq!(cache.put(content, &windows()), None);
        assert_eq!(cache.get(content), Some(windows()));
        assert_eq!(cache.get(ContentHash::of(b"other audio")), None);
        assert_eq!(Cache::open(dir.path(), &("mel", 64)).get(content), None);
        assert_eq!(Cache::off().get(content), None);
        assert_eq!(Cache::off().put(content, &windows()), None);
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), &0);
        let content = ContentHash::of(b"audio");
        cache.put(content, &windows());
        let entry = cache.entry(content).unwrap();
        let good = fs::read(&entry).unwrap();
        for cut in 0..good.len() {
            fs::write(&entry, &good[..cut]).unwrap();
            assert_eq!(cache.get(content), None, "cut to {cut} bytes");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&entry, bad).unwrap();
            assert_eq!(cache.get(content), None, "bit flipped in byte {at}");
        }
        assert_eq!(cache.put(content, &windows()), None);
        assert_eq!(cache.get(content), Some(windows()));
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_one_warning() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("a file");
        fs::write(&blocked, b"").unwrap();
        let cache = Cache::open(&blocked, &0);
        let warning = cache.put(ContentHash::of(b"1"), &windows()).unwrap();
        assert!(
            warning.contains("a file") && warning.contains("without keeping"),
            "{warning}"
        );
        assert_eq!(cache.put(ContentHash::of(b"2"), &windows()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut sealed = bytes.clone();
            sealed.extend(ContentHash::of(&bytes).0.to_le_bytes());
            let _ = Windows::from_bytes(&bytes);
            let _ = Windows::from_bytes(&sealed);
        }
    }
}
