//! `melgrad reproduce`: trains a recipe with several seeds or on folds, and compares the results with the paper's
//! claims.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use engine::Device;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::control::Control;
use crate::base::files;
use crate::evaluation::metrics::Spread;
use crate::recipe::Recipe;
use crate::run::folder::RunFolder;
use crate::run::pipeline::{Series, SeriesOutcome, Training, by_name, complete_series};

/// Settings of a reproduction.
#[derive(Debug, Clone)]
pub struct Reproducing<'a> {
    /// Experiment, with the user's changes.
    pub recipe: Recipe,
    /// Dataset.
    pub data: &'a Path,
    /// Folder of the runs, which are a series: `NAME`, or `NAME-5-folds`.
    pub out: &'a Path,
    /// Seeds; one training per seed.
    pub seeds: &'a [u64],
    /// Number of folds per seed; if missing, the recipe's own split.
    pub folds: Option<usize>,
    /// Feature cache, as in [`Training`].
    pub cache: Option<&'a Path>,
    /// Command that repeats the reproduction.
    pub command: String,
}

/// Result of a reproduction. Its JSON is kept in `docs/results`, from which a page is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reproduction {
    /// Recipe.
    pub recipe: String,
    /// Results that the paper claims.
    pub claimed: BTreeMap<String, f64>,
    /// Measured results, under the same names. `train_accuracy` is that of the last epoch, with dropout on; metrics on
    /// validation clips are those of the epoch that was kept.
    pub measured: BTreeMap<String, Figure>,
    /// Seeds of the trainings.
    pub seeds: Vec<u64>,
    /// Number of folds per seed; if missing, the recipe's own split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Name of the dataset's folder.
    pub data: String,
    /// Number of usable clips.
    pub clips: usize,
    /// Labels.
    pub labels: Vec<String>,
    /// Number of training, validation and test clips in the first run.
    pub split: [usize; 3],
    /// Hash of every clip's label, name and content.
    pub fingerprint: String,
    /// Number of trainable parameters; 0 if there is no network.
    pub parameters: u64,
    /// Epochs that were kept, run by run.
    pub best_epochs: Vec<usize>,
    /// Device that trained.
    pub device: String,
    /// Wall-clock seconds of all epochs; without epochs, those of the fitting.
    pub seconds: f64,
    /// Command that repeats the reproduction.
    pub command: String,
    /// Handwritten remark: why claimed and measured results differ.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// One metric over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; 0 for one run.
    pub deviation: f64,
    /// Values, run by run.
    pub runs: Vec<f64>,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.runs.len() {
            1 => write!(f, "{:.3}", self.mean),
            _ => write!(f, "{:.3} ± {:.3}", self.mean, self.deviation),
        }
    }
}

impl Figure {
    fn of(runs: Vec<f64>) -> Figure {
        let spread = Spread::of(&runs);
        Figure {
            mean: spread.mean,
            deviation: spread.deviation,
            runs,
        }
    }
}

impl Reproducing<'_> {
    /// Returns the file of the result: `NAME.json`, or `NAME-5-folds.json`.
    #[must_use]
    pub fn result(&self) -> PathBuf {
        let mut name = self.folder(&self.recipe).into_os_string();
        name.push(".json");
        name.into()
    }

    /// Returns the folder of a recipe's runs.
    fn folder(&self, recipe: &Recipe) -> PathBuf {
        self.out.join(match self.folds {
            Some(folds) => format!("{}-{folds}-folds", recipe.name),
            None => recipe.name.clone(),
        })
    }
}

/// Trains a recipe once per seed and fold; before it the recipe of the previous stage, if there is one. Existing runs
/// are resumed.
///
/// # Errors
/// [`Error::Setting`] without a seed; [`Error::RunExists`] if there are runs with other settings; otherwise as
/// [`complete_series`].
pub fn reproduce(
    reproducing: &Reproducing<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Reproduction, Error> {
    let mut recipe = reproducing.recipe.clone();
    if let (Some(stage), None) = (&recipe.transfer.stage, &recipe.transfer.weights) {
        let mut stage = Recipe::load(stage)?;
        stage.layout = recipe.layout;
        stage.input = recipe.input.clone();
        stage.labels = recipe.labels.clone();
        stage.split = recipe.split.clone();
        // The user's changes apply to both stages; other settings come from each recipe.
        let epochs = Recipe::load(&recipe.name).map(|shipped| shipped.training.epochs);
        if epochs.ok() != Some(recipe.training.epochs) {
            stage.training.epochs = recipe.training.epochs;
        }
        train(reproducing, &stage, device, control)?;
        recipe.transfer.weights = Some(reproducing.folder(&stage));
    }
    let runs = train(reproducing, &recipe, device, control)?.runs;
    let Some(first) = runs.first() else {
        return Err(Error::setting("seeds", "none given; at least 1"));
    };
    let first = RunFolder::open(&reproducing.folder(&recipe).join(&first.run))?.settings()?;
    let data = first.data;
    let parameters = match first.recipe.classifier {
        Some(_) => 0,
        None => {
            let architecture = first.recipe.architecture_for(data.labels.len())?;
            architecture.summary()?.parameters
        }
    };
    let folder = Path::new(&data.dir).file_name();
    let measured = by_name(&runs).into_iter();
    Ok(Reproduction {
        recipe: recipe.name,
        claimed: recipe.claimed,
        measured: measured
            .map(|(name, all)| (name, Figure::of(all)))
            .collect(),
        seeds: reproducing.seeds.to_vec(),
        folds: reproducing.folds,
        data: folder.unwrap_or_default().to_string_lossy().into_owned(),
        clips: data.clips,
        labels: data.labels,
        split: data.split,
        fingerprint: data.fingerprint,
        parameters,
        best_epochs: runs.iter().map(|run| run.best_epoch).collect(),
        device: device.name().into(),
        seconds: runs.iter().map(|run| run.seconds).sum::<f64>().round(),
        command: reproducing.command.clone(),
        remark: String::new(),
    })
}

/// Trains all runs of a recipe, new or resumed.
fn train(
    reproducing: &Reproducing<'_>,
    recipe: &Recipe,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    let training = Training {
        data: reproducing.data,
        recipe: recipe.clone(),
        out: &reproducing.folder(recipe),
        seed: reproducing.seeds.first().copied().unwrap_or_default(),
        cache: reproducing.cache,
        profile: false,
    };
    let series = Series {
        seeds: reproducing.seeds.to_vec(),
        folds: reproducing.folds,
    };
    complete_series(&training, series, device, control)
}

impl Reproduction {
    /// Returns a description of the runs: `5 folds, seed 0`, or `seeds 0, 1, 2`.
    #[must_use]
    pub fn runs(&self) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let folds = self.folds.map_or(String::new(), |k| format!("{k} folds, "));
        let plural = if seeds.len() == 1 { "" } else { "s" };
        format!("{folds}seed{plural} {}", seeds.join(", "))
    }

    /// Reads a result from JSON.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Reproduction, Error> {
        files::read_json(path)
    }

    /// Writes the result as JSON. Keeps an existing remark.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut own = self.clone();
        if let (true, Ok(old)) = (own.remark.is_empty(), Reproduction::read(path)) {
            own.remark = old.remark;
        }
        files::write_json(path, &own)
    }
}

impl fmt::Display for Reproduction {
    /// Returns claimed and measured results as a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, validation, test] = self.split;
        writeln!(
            f,
            "{} on {}: {} labels, {train} clips train, {validation} choose the epoch, {test} test; {}",
            self.recipe,
            self.data,
            self.labels.len(),
            self.runs()
        )?;
        writeln!(f, "  {:<20} {:>7}  measured", "", "claimed")?;
        for (name, figure) in &self.measured {
            let claimed = self.claimed.get(name);
            let claimed = claimed.map_or("-".into(), |claimed| format!("{claimed:.3}"));
            writeln!(f, "  {name:<20} {claimed:>7}  {figure}")?;
        }
        for (name, claimed) in &self.claimed {
            if !self.measured.contains_key(name) {
                writeln!(f, "  {name:<20} {claimed:>7.3}  not measured")?;
            }
        }
        Ok(())
    }
}
