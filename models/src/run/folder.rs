//! A run: the folder that one training writes.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `run.toml` | every setting, the seed, the dataset and its fingerprint ([`RunSettings`]) |
//! | `history.csv` | metrics of every epoch ([`crate::training::history`]) |
//! | `best.safetensors` | the model file: weights of the best epoch |
//! | `model.json` | in place of both: a fitted classifier that is not a network ([`crate::classical`]) |
//! | `last.safetensors` | weights of the last epoch with optimizer state, for `--resume` |
//! | `metrics.json` | metrics on the test clips ([`crate::evaluation::metrics`]) |
//! | `confusion.svg` | the confusion matrix as a picture |
//! | `report.html` | all of it on one page ([`crate::report`]) |
//! | `tensorboard/` | event files ([`crate::report::tensorboard`]) |
//!
//! Every file is written atomically, except TensorBoard's, which grow.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::files;
use crate::evaluation::metrics::Metrics;
use crate::recipe::{Recipe, read_toml};
use crate::training::history::EpochRow;

/// Settings of a run: everything that its result depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Version of melgrad that trained.
    pub melgrad: String,
    /// Seed of the split, the initial weights, the order of clips and dropout.
    pub seed: u64,
    /// Device that trained.
    pub device: String,
    /// Dataset of the training.
    pub data: DataSettings,
    /// Recipe, with the changes from the command line.
    pub recipe: Recipe,
}

/// Dataset of a run. All but the folder is known once the features are computed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// Folder of the dataset.
    pub dir: String,
    /// Labels, in the order of the network's outputs.
    pub labels: Vec<String>,
    /// Number of usable clips.
    pub clips: usize,
    /// Number of training, validation and test clips.
    pub split: [usize; 3],
    /// Hash of every clip's label, name and content.
    pub fingerprint: String,
}

/// Folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    dir: PathBuf,
}

impl RunFolder {
    /// Creates the folder of a new run. The folder of a run that failed during its first epoch is reused: it holds
    /// nothing of value.
    ///
    /// # Errors
    /// [`Error::RunExists`] if a run is already there; [`Error::Io`].
    pub fn create(dir: &Path) -> Result<RunFolder, Error> {
        RunFolder::check_free(dir)?;
        files::make_folder(dir)?;
        Ok(RunFolder { dir: dir.into() })
    }

    /// Whether there is a model, or a state to resume from, from any source.
    fn has_begun(&self) -> bool {
        let files = [self.best(), self.last(), self.model()];
        files.iter().any(|file| file.exists())
    }

    /// Whether it is the folder of several runs (see [`crate::run::pipeline::Series`], [`crate::run::search`]), one
    /// of which has begun.
    fn holds_others(&self) -> bool {
        let begun = |entry: &fs::DirEntry| RunFolder { dir: entry.path() }.has_begun();
        let entries = || fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let several = is_series(&self.dir) || is_search(&self.dir);
        several && entries().any(|entry| begun(&entry))
    }

    /// Fails for a folder that [`RunFolder::create`] would reject, before anything is created.
    ///
    /// # Errors
    /// [`Error::RunExists`].
    pub fn check_free(dir: &Path) -> Result<(), Error> {
        let run = RunFolder { dir: dir.into() };
        match run.has_begun() || run.holds_others() {
            true => Err(Error::RunExists { dir: dir.into() }),
            false => Ok(()),
        }
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no `run.toml`.
    pub fn open(dir: &Path) -> Result<RunFolder, Error> {
        let run = RunFolder { dir: dir.into() };
        let settings = run.path("run.toml");
        if settings.is_file() {
            return Ok(run);
        }
        let source = io::Error::new(
            io::ErrorKind::NotFound,
            "no such file, so this folder holds no run",
        );
        Err(Error::Io {
            action: "read",
            path: settings,
            source,
        })
    }

    /// Removes what only a resumed run needs, and, unless it is the `best` of many, its model file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn forget(dir: &Path, best: bool) -> Result<(), Error> {
        let run = RunFolder { dir: dir.into() };
        let models = [run.best(), run.model()].into_iter().filter(|_| !best);
        for path in models.chain([run.last()]) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the path of the model file with the weights of the best epoch.
    #[must_use]
    pub fn best(&self) -> PathBuf {
        self.path("best.safetensors")
    }

    /// Returns the path of the run's model file, of either kind.
    #[must_use]
    pub fn trained(&self) -> PathBuf {
        let model = self.model();
        if model.exists() { model } else { self.best() }
    }

    /// Returns the model file of a path: the file itself, or that of the run in the folder.
    ///
    /// # Errors
    /// [`Error::Io`] if a folder holds no run.
    pub(crate) fn model_of(path: &Path) -> Result<PathBuf, Error> {
        Ok(match path.is_dir() {
            true => RunFolder::open(path)?.trained(),
            false => path.into(),
        })
    }

    /// Returns the path of the model of a classifier that is not a network.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.path("model.json")
    }

    /// Returns the path of the last epoch's checkpoint, with the optimizer's state.
    #[must_use]
    pub fn last(&self) -> PathBuf {
        self.path("last.safetensors")
    }

    /// Returns the path of the report.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.path("report.html")
    }

    /// Returns the path of the confusion matrix's picture.
    #[must_use]
    pub fn confusion(&self) -> PathBuf {
        self.path("confusion.svg")
    }

    /// Returns the folder of TensorBoard's event files.
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.path("tensorboard")
    }

    /// Reads `run.toml`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`], also for invalid settings.
    pub fn settings(&self) -> Result<RunSettings, Error> {
        let path = self.path("run.toml");
        let settings: RunSettings = read_toml(&path)?;
        settings.recipe.check().map_err(|error| error.of(&path))?;
        Ok(settings)
    }

    /// Writes `run.toml`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Setting`] for values that TOML cannot hold (a seed above 2^63 − 1).
    pub fn write_settings(&self, settings: &RunSettings) -> Result<(), Error> {
        files::write_bytes(&self.path("run.toml"), settings.to_toml()?.as_bytes())
    }

    /// Reads `history.csv`; empty before the end of the first epoch.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Malformed`].
    pub fn history(&self) -> Result<Vec<EpochRow>, Error> {
        let path = self.path("history.csv");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = files::read_text(&path)?;
        let rows: Result<Vec<EpochRow>, csv::Error> = csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .collect();
        rows.map_err(|error| Error::Malformed {
            path,
            reason: error.to_string(),
        })
    }

    /// Writes `history.csv`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_history(&self, history: &[EpochRow]) -> Result<(), Error> {
        files::write_atomic(&self.path("history.csv"), |writer| {
            let mut table = csv::Writer::from_writer(writer);
            for row in history {
                table.serialize(row).map_err(io::Error::other)?;
            }
            table.flush()
        })
    }

    /// Reads `metrics.json`.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Malformed`].
    pub fn metrics(&self) -> Result<Metrics, Error> {
        files::read_json(&self.path("metrics.json"))
    }

    /// Writes `metrics.json`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_metrics(&self, metrics: &Metrics) -> Result<(), Error> {
        files::write_json(&self.path("metrics.json"), metrics)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl RunSettings {
    /// Returns the settings as TOML.
    ///
    /// # Errors
    /// [`Error::Setting`] for values that TOML cannot hold (a seed above 2^63 − 1).
    pub fn to_toml(&self) -> Result<String, Error> {
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting(
                "seed",
                format!("{} is above 2^63 - 1", self.seed),
            ));
        }
        toml::to_string_pretty(self).map_err(|error| Error::setting("run.toml", error.to_string()))
    }
}

/// Name of the file with a series' settings, in its folder.
pub(crate) const SERIES: &str = "series.toml";
/// Name of the file with a search's settings, in its folder.
pub(crate) const SEARCH: &str = "search.toml";

/// Whether this is the folder of a series.
#[must_use]
pub fn is_series(dir: &Path) -> bool {
    dir.join(SERIES).is_file()
}

/// Whether this is the folder of a search.
#[must_use]
pub fn is_search(dir: &Path) -> bool {
    dir.join(SEARCH).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64) -> RunSettings {
        let data = DataSettings {
            dir: "/some \"where\"".into(),
            labels: vec!["a".into(), "b\n".into()],
            clips: 3,
            split: [1, 1, 1],
            fingerprint: "00ff".into(),
        };
        RunSettings {
            melgrad: "0.1.0".into(),
            seed,
            device: "cpu".into(),
            data,
            recipe: Recipe::load("demo").unwrap(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&dir.path().join("deep/run")).unwrap();
        assert!(RunFolder::open(run.dir()).is_err());
        run.write_settings(&settings(7)).unwrap();
        assert_eq!(
            RunFolder::open(run.dir()).unwrap().settings().unwrap(),
            settings(7)
        );
        assert_eq!(run.history().unwrap(), []);
        let rows = [
            EpochRow {
                epoch: 1,
                train_loss: 0.1 + 0.2,
                validation_loss: Some(1e-9),
                ..Default::default()
            },
            EpochRow {
                epoch: 2,
                train_loss: 2.5,
                learning_rate: 1e-3,
                ..Default::default()
            },
        ];
        run.write_history(&rows).unwrap();
        assert_eq!(run.history().unwrap(), rows);
        let metrics = Metrics::from_answers(&settings(7).data.labels, [(0, 1), (1, 1)]);
        run.write_metrics(&metrics).unwrap();
        assert_eq!(run.metrics().unwrap(), metrics);
    }

    #[test]
    fn a_run_is_not_overwritten_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunFolder::create(dir.path()).unwrap();
        run.write_settings(&settings(7)).unwrap();
        RunFolder::create(dir.path()).expect("no epoch was done yet");
        for model in ["best.safetensors", "last.safetensors", "model.json"] {
            // A run that was imported or copied there is independent.
            let alone = dir.path().join(model).with_extension("");
            std::fs::create_dir(&alone).unwrap();
            std::fs::write(alone.join(model), "").unwrap();
            let error = RunFolder::create(&alone).unwrap_err();
            assert!(error.hint().unwrap().contains("--resume"), "{error}");
        }
        for name in ["run.toml", "history.csv", "metrics.json"] {
            std::fs::write(run.path(name), "epoch = [\n1,2").unwrap();
        }
        for error in [
            run.settings().unwrap_err(),
            run.history().unwrap_err(),
            run.metrics().unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(
                error.contains(dir.path().to_str().unwrap()) && !error.contains('\n'),
                "{error}"
            );
        }
        assert!(
            run.write_settings(&settings(u64::MAX))
                .unwrap_err()
                .to_string()
                .contains("seed")
        );
        assert_eq!(
            std::fs::read_to_string(run.path("run.toml")).unwrap(),
            "epoch = [\n1,2",
            "nothing is half-written"
        );
    }
}
