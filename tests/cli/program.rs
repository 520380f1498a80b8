//! The binary as other programs meet it, and small data for it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

use melgrad::Clip;
use melgrad::audio::{synth, wav};

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The binary with a home of its own, so that no cache of the user's is read or written.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_melgrad"));
    command.current_dir(home).stdin(Stdio::null());
    for variable in ["HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"] {
        command.env(variable, home);
    }
    command
}

/// Runs the binary in `home`.
pub fn melgrad<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> Ran {
    let output = command(home).args(args).output().expect("the binary runs");
    let ran = Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!ran.err.contains("a bug in melgrad"), "{}", ran.err);
    ran
}

impl Ran {
    /// It ended well.
    #[track_caller]
    pub fn done(self) -> Ran {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        assert!(
            !self.err.lines().any(|line| line.starts_with("error:")),
            "{}",
            self.err
        );
        self
    }

    /// It failed with this code and one error line that holds all these words.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) -> Ran {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        let errors: Vec<&str> = self
            .err
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "one line: {}", self.err);
        let parts: Vec<&str> = errors[0].split(": ").collect();
        let twice = parts.windows(2).any(|pair| pair[0] == pair[1]);
        assert!(!twice, "a subject twice: {}", errors[0]);
        for word in words {
            assert!(errors[0].contains(word), "{word:?} in {}", self.err);
        }
        self
    }

    /// A hint that holds these words.
    #[track_caller]
    pub fn hints(self, words: &str) -> Ran {
        let hinted = self
            .err
            .lines()
            .any(|line| line.starts_with("hint: ") && line.contains(words));
        assert!(hinted, "{words:?} in {}", self.err);
        self
    }

    /// A warning that holds these words.
    #[track_caller]
    pub fn warns(self, words: &str) -> Ran {
        let warned = self
            .err
            .lines()
            .any(|line| line.starts_with("warning: ") && line.contains(words));
        assert!(warned, "{words:?} in {}", self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The keys of a JSON object, sorted.
#[track_caller]
pub fn keys(value: &serde_json::Value) -> Vec<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("an object: {value}"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A folder that goes away with the test.
pub fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A second of synthetic music at 8 kHz.
pub fn second(genre: usize, seed: u64) -> Clip {
    synth::clip(genre, seed, 1.0, 8000)
}

/// Writes a clip as WAV, its folders with it.
pub fn write_wav(path: &Path, clip: &Clip) {
    write(path, &wav::encode(clip));
}

/// Writes a file, its folders with it.
pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

/// A dataset of one-second clips: `clips` of each of the first `labels` genres, in `home/music`.
pub fn music(home: &Path, labels: usize, clips: usize) -> PathBuf {
    let dir = home.join("music");
    for genre in 0..labels {
        for clip in 0..clips {
            let name = synth::GENRES[genre];
            write_wav(
                &dir.join(name).join(format!("{name}.{clip:05}.wav")),
                &second(genre, clip as u64),
            );
        }
    }
    dir
}

/// A recipe that trains in moments: 1×32×32 pictures of one second.
pub const SMALL: &str = r#"
name = "small"
[input]
seconds = 1.0
frames = 32
[input.features]
sample_rate = 8000
n_fft = 512
hop = 256
n_mels = 32
[split]
validation = 0.25
test = 0.25
[training]
epochs = 2
batch = 8
learning_rate = 0.003
[architecture]
layers = [
  { kind = "Conv2d", out_channels = 4, kernel = 3, activation = "relu" },
  { kind = "MaxPool2d", kernel = 2 },
  { kind = "Flatten" },
  { kind = "Dropout", p = 0.2 },
  { kind = "Linear", out_features = "classes" },
]
"#;

/// Writes [`SMALL`] to `home/small.toml`.
pub fn small_recipe(home: &Path) -> PathBuf {
    let path = home.join("small.toml");
    write(&path, SMALL.as_bytes());
    path
}

/// Trains [`SMALL`] on `home/music` into `home/run` on the CPU.
#[track_caller]
pub fn small_run(home: &Path) -> PathBuf {
    small_recipe(home);
    melgrad(
        home,
        [
            "train",
            "--data",
            "music",
            "--recipe",
            "small.toml",
            "--out",
            "run",
            "--device",
            "cpu",
        ],
    )
    .done();
    home.join("run")
}
