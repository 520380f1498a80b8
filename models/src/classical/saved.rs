//! A model with all that belongs to it, as a run keeps it.

use std::path::Path;

use audio::Segment;
use serde::{Deserialize, Serialize};

use super::Model;
use crate::Error;
use crate::base::files;
use crate::classify::Answer;
use crate::evaluation::answers::mean;
use crate::input::stream;
use crate::input::{Input, Normalisation, Windows};

/// A fitted classifier with its labels, its input and its normalisation: `model.json` of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// What it can answer.
    pub labels: Vec<String>,
    /// How it hears.
    pub input: Input,
    /// How its features are normalised.
    pub normalisation: Normalisation,
    /// What it has learnt.
    pub model: Model,
}

impl Saved {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for what is no sound model.
    pub fn load(path: &Path) -> Result<Saved, Error> {
        let saved: Saved = files::read_json(path)?;
        let path = path.to_path_buf();
        match saved.check() {
            Ok(()) => Ok(saved),
            Err(reason) => Err(Error::Malformed { path, reason }),
        }
    }

    /// Writes a model file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        files::write_atomic(path, |writer| {
            serde_json::to_writer(&mut *writer, self)?;
            writer.write_all(b"\n")
        })
    }

    /// Numbers in a window.
    fn columns(&self) -> usize {
        self.input.rows().saturating_mul(self.input.frames)
    }

    fn check(&self) -> Result<(), String> {
        let words = |error: Error| error.to_string();
        self.input.check().map_err(words)?;
        self.normalisation.check(self.input.rows()).map_err(words)?;
        engine::printable(&self.labels)?;
        match self.labels.is_empty() {
            true => Err("it has no labels".into()),
            false => self.model.check(self.columns(), self.labels.len()),
        }
    }

    /// The probability of every label for one clip: the mean over its windows.
    ///
    /// # Errors
    /// [`Error::Setting`] for no windows, or such of another size than its own; [`Error::NotFinite`].
    pub fn probabilities(&self, windows: Windows) -> Result<Vec<f64>, Error> {
        let mut sums = vec![0.0; self.labels.len()];
        self.add(windows, &mut sums)?;
        mean(sums)
    }

    /// Hears a sound file of any length, or a part of it: its features are computed as those that the model learnt
    /// from.
    ///
    /// # Errors
    /// [`Error::Audio`] or [`Error::Features`] naming the file and what is wrong with it; [`Error::Setting`] where the
    /// model learnt from columns that are not computed from sound.
    pub fn classify_segment(&self, path: &Path, segment: &Segment) -> Result<Answer, Error> {
        let mut sums = vec![0.0; self.labels.len()];
        let warnings = stream::for_windows(&self.input, path, segment, async |windows| {
            self.add(windows, &mut sums)
        })?;
        Ok(Answer::new(&self.labels, mean(sums)?, warnings))
    }

    /// Adds the probabilities for every window.
    fn add(&self, mut windows: Windows, sums: &mut [f64]) -> Result<(), Error> {
        let columns = self.columns();
        if windows.window_len() != columns || windows.values.is_empty() {
            let own = windows.window_len();
            return Err(Error::setting(
                "input",
                format!("windows of {own} numbers for a model of {columns}"),
            ));
        }
        for window in windows.values.chunks_exact_mut(columns) {
            self.normalisation.apply(window);
            let own = self.model.probabilities(window);
            sums.iter_mut().zip(own).for_each(|(sum, p)| *sum += p);
        }
        Ok(())
    }
}
