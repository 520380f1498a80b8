//! A recipe run again under several seeds, and what came out beside what its paper claims: `melgrad reproduce`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use engine::Device;
use serde::{Deserialize, Serialize};

use crate::control::Control;
use crate::metrics::Spread;
use crate::pipeline::{Outcome, Resuming, Training, open, resume, train_folder};
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::{Error, files};

/// What is to be done again.
#[derive(Debug, Clone)]
pub struct Reproducing<'a> {
    /// The experiment, with what was changed by hand.
    pub recipe: Recipe,
    /// What it is run on.
    pub data: &'a Path,
    /// Where the runs go, a folder each: `NAME-seed0`.
    pub out: &'a Path,
    /// One run each.
    pub seeds: &'a [u64],
    /// As in [`Training`]: where features are kept.
    pub cache: Option<&'a Path>,
    /// The command that a reader gives to do it once more.
    pub command: String,
}

/// What came out. As JSON it is kept in `docs/results`, from which a page is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reproduction {
    /// The recipe.
    pub recipe: String,
    /// What its paper reports.
    pub claimed: BTreeMap<String, f64>,
    /// What was measured, under the same names. `train_accuracy` is that of the last epoch, with dropout on; figures on
    /// validation clips are those of the epoch that was kept.
    pub measured: BTreeMap<String, Figure>,
    /// One run each.
    pub seeds: Vec<u64>,
    /// The name of the folder that it was run on.
    pub data: String,
    /// How many clips could be used.
    pub clips: usize,
    /// The labels.
    pub labels: Vec<String>,
    /// How many clips train, validate and test in the first run.
    pub split: [usize; 3],
    /// A hash of every clip's label, name and content.
    pub fingerprint: String,
    /// How many numbers the network learns; 0 where there is none.
    pub parameters: u64,
    /// The epochs that were kept, run by run.
    pub best_epochs: Vec<usize>,
    /// What computed.
    pub device: String,
    /// Wall-clock seconds of all epochs.
    pub seconds: f64,
    /// The command.
    pub command: String,
    /// Why claimed and measured differ, in a sentence by hand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// One figure over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation; 0 for one run.
    pub deviation: f64,
    /// Run by run.
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

/// Runs a recipe once for each seed, and first the recipe that it goes on from, if there is one. Runs that are there
/// already are gone on with.
///
/// # Errors
/// [`Error::Setting`] without a seed; [`Error::RunExists`] where a run of other settings is in the way; otherwise as
/// [`train_folder`].
pub fn reproduce(
    reproducing: &Reproducing<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Reproduction, Error> {
    let recipe = &reproducing.recipe;
    let mut outcomes = Vec::new();
    for &seed in reproducing.seeds {
        let mut recipe = recipe.clone();
        if let (Some(stage), None) = (&recipe.transfer.stage, &recipe.transfer.weights) {
            // The same clips are held back from both.
            let mut stage = Recipe::load(stage)?;
            stage.input = recipe.input.clone();
            stage.labels = recipe.labels.clone();
            stage.split = recipe.split.clone();
            stage.training.epochs = recipe.training.epochs;
            let first = run(reproducing, &stage, seed, device, control)?;
            recipe.transfer.weights = Some(first.run.dir().into());
        }
        outcomes.push(run(reproducing, &recipe, seed, device, control)?);
    }
    let Some(first) = outcomes.first() else {
        return Err(Error::setting("seeds", "none given; at least 1"));
    };
    let data = &first.settings.data;
    let parameters = match first.settings.recipe.classifier {
        Some(_) => 0,
        None => {
            let architecture = first.settings.recipe.architecture_for(data.labels.len())?;
            architecture.summary()?.parameters
        }
    };
    let folder = Path::new(&data.dir).file_name();
    let seconds = outcomes.iter().flat_map(|outcome| &outcome.history);
    Ok(Reproduction {
        recipe: recipe.name.clone(),
        claimed: recipe.claimed.clone(),
        measured: measured(&outcomes),
        seeds: reproducing.seeds.to_vec(),
        data: folder.unwrap_or_default().to_string_lossy().into_owned(),
        clips: data.clips,
        labels: data.labels.clone(),
        split: data.split,
        fingerprint: data.fingerprint.clone(),
        parameters,
        best_epochs: outcomes.iter().map(|outcome| outcome.best_epoch).collect(),
        device: device.name().into(),
        seconds: seconds.map(|row| row.seconds).sum::<f64>().round(),
        command: reproducing.command.clone(),
        remark: String::new(),
    })
}

/// One run, from its beginning or from where it stopped.
fn run(
    reproducing: &Reproducing<'_>,
    recipe: &Recipe,
    seed: u64,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let out: PathBuf = reproducing.out.join(format!("{}-seed{seed}", recipe.name));
    let training = Training {
        data: reproducing.data,
        recipe: recipe.clone(),
        out: &out,
        seed,
        cache: reproducing.cache,
        profile: false,
    };
    match RunFolder::check_free(&out) {
        Ok(()) => return train_folder(&training, device, control),
        Err(error) => {
            // What the run made of the recipe may differ in where its weights lie, and in what is frozen without any.
            let mut there = RunFolder::open(&out)?.settings()?;
            let (_, mut wanted) = open(reproducing.data, recipe)?;
            for recipe in [&mut there.recipe, &mut wanted] {
                recipe.transfer.weights = None;
                recipe.training.frozen.clear();
            }
            if there.recipe != wanted || there.seed != seed {
                return Err(error);
            }
        }
    }
    let resuming = Resuming {
        run: &out,
        data: Some(reproducing.data),
        epochs: None,
        cache: reproducing.cache,
        profile: false,
    };
    resume(&resuming, device, control)
}

/// Every figure that all runs have.
fn measured(outcomes: &[Outcome]) -> BTreeMap<String, Figure> {
    type Read = fn(&Outcome) -> Option<f64>;
    fn kept(outcome: &Outcome) -> Option<&crate::history::EpochRow> {
        outcome.history.get(outcome.best_epoch.checked_sub(1)?)
    }
    let figures: [(&str, Read); 8] = [
        ("accuracy", |o| Some(o.metrics.as_ref()?.accuracy)),
        ("precision", |o| {
            Some(o.metrics.as_ref()?.macro_mean.precision)
        }),
        ("recall", |o| Some(o.metrics.as_ref()?.macro_mean.recall)),
        ("f1", |o| Some(o.metrics.as_ref()?.macro_mean.f1)),
        ("weighted_f1", |o| Some(o.metrics.as_ref()?.weighted.f1)),
        ("validation_accuracy", |o| kept(o)?.validation_accuracy),
        ("validation_f1", |o| kept(o)?.validation_f1),
        ("train_accuracy", |o| Some(o.history.last()?.train_accuracy)),
    ];
    let all = figures.into_iter().filter_map(|(name, read)| {
        let runs: Option<Vec<f64>> = outcomes.iter().map(read).collect();
        Some((name.to_string(), Figure::of(runs?)))
    });
    all.collect()
}

impl Reproduction {
    /// Reads the JSON of one.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Malformed`].
    pub fn read(path: &Path) -> Result<Reproduction, Error> {
        serde_json::from_slice(&files::read_bytes(path)?).map_err(|error| Error::Malformed {
            path: path.into(),
            reason: error.to_string(),
        })
    }

    /// Writes it as JSON. A remark that is there already is kept.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut own = self.clone();
        if let (true, Ok(old)) = (own.remark.is_empty(), Reproduction::read(path)) {
            own.remark = old.remark;
        }
        files::write_atomic(path, |writer| {
            serde_json::to_writer_pretty(&mut *writer, &own)?;
            writer.write_all(b"\n")
        })
    }
}

impl fmt::Display for Reproduction {
    /// Claimed beside measured.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, validation, test] = self.split;
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        writeln!(
            f,
            "{} on {}: {} labels, {train} clips train, {validation} choose the epoch, {test} test; seeds {}",
            self.recipe,
            self.data,
            self.labels.len(),
            seeds.join(", ")
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
