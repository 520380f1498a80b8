//! Split of a dataset into training, validation and test clips.
//!
//! Groups stay whole (see [`crate::data::group`]), every label keeps about the same fraction in every part, and the
//! same seed gives the same split. If the dataset has its own split (FMA), that is used. [`Form::Paper`] splits as the
//! papers did, to compare with their results.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`Split`]: the split itself |
//! | `settings.rs` | [`SplitSettings`]: settings of a split |

mod groups;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::Error;
use crate::base::pattern;
use crate::base::random::Stream;
use crate::data::dataset::{Dataset, Item, Side};
pub(crate) use groups::{groups, shuffled_groups};
pub use settings::{Form, PaperSplit, Part, SplitSettings};

/// Indices into the dataset's items, ascending in every part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Training clips.
    pub train: Vec<usize>,
    /// Validation clips, which select the epoch.
    pub validation: Vec<usize>,
    /// Test clips, used only at the end.
    pub test: Vec<usize>,
    /// Warnings for readers of the metrics, one sentence each.
    pub warnings: Vec<String>,
}

impl Split {
    /// Splits a dataset.
    ///
    /// A label with too few groups for all three parts fills training first, then test, then validation, with a
    /// warning.
    ///
    /// # Errors
    /// [`Error::Setting`] for a fraction outside 0 to 1, fractions that leave nothing for training, or a pattern that
    /// matches no clip.
    pub fn new(dataset: &Dataset, settings: &SplitSettings, seed: u64) -> Result<Split, Error> {
        let mut split = match settings.official && settings.fold.is_none() && dataset.has_split() {
            true => Split::official(dataset)?,
            false => Split::drawn(dataset, settings, seed)?,
        };
        if let Some((torn, first)) = split.torn_groups(dataset) {
            split.warnings.push(format!(
                "{} of clips that belong together {} on two sides of the split ({first})",
                count(torn, "group"),
                if torn == 1 { "lies" } else { "lie" }
            ));
        }
        Ok(split)
    }

    /// Returns the clips to fit the normalisation to: those of the training, except in [`Form::Paper`].
    #[must_use]
    pub fn fitted(&self, form: Form) -> Vec<usize> {
        match form {
            Form::Track | Form::Artist => self.train.clone(),
            Form::Paper => {
                let mut all = [&self.train[..], &self.validation, &self.test].concat();
                all.sort_unstable();
                all
            }
        }
    }

    /// Returns the dataset's own split; clips that it does not name are used for training.
    fn official(dataset: &Dataset) -> Result<Split, Error> {
        let of = |side: Side| {
            let own = dataset.items.iter().enumerate();
            let own = own.filter(|(_, item)| item.side.unwrap_or(Side::Train) == side);
            own.map(|(index, _)| index).collect::<Vec<usize>>()
        };
        let split = Split {
            train: of(Side::Train),
            validation: of(Side::Validation),
            test: of(Side::Test),
            warnings: Vec::new(),
        };
        match split.train.is_empty() {
            false => Ok(split),
            true => Err(Error::Setting {
                name: "split.official",
                reason: "the dataset's own split leaves no clip to train on".into(),
            }),
        }
    }

    fn drawn(dataset: &Dataset, settings: &SplitSettings, seed: u64) -> Result<Split, Error> {
        let (validation, test) = settings.parts();
        let folded = settings
            .fold
            .map(|fold| fold.chooses(dataset, settings.form, seed));
        let folded = folded.transpose()?;
        let none = Part::Fraction(0.0);
        let test = folded.as_ref().map_or(test, |_| &none);
        let (test_share, validation_share) = (
            share("split.test", test)?,
            share("split.validation", validation)?,
        );
        if test_share + validation_share >= 1.0 {
            let reason = format!(
                "{test_share} tested and {validation_share} for validation leave nothing to train on"
            );
            return Err(Error::Setting {
                name: "split",
                reason,
            });
        }
        let mut split = Split::default();
        let mut rest = Vec::new();
        for (index, item) in dataset.items.iter().enumerate() {
            let in_fold = folded.as_ref().is_some_and(|folded| folded[index]);
            if in_fold || takes(test, item) {
                split.test.push(index);
            } else if takes(validation, item) {
                split.validation.push(index);
            } else {
                rest.push(index);
            }
        }
        for (name, part, taken) in [
            ("split.test", test, &split.test),
            ("split.validation", validation, &split.validation),
        ] {
            if let (Part::Pattern(pattern), true) = (part, taken.is_empty()) {
                return Err(Error::Setting {
                    name,
                    reason: format!("no clip's name matches {pattern:?}"),
                });
            }
        }
        let groups = groups(dataset, rest, settings.form);
        for (label, name) in dataset.labels.iter().enumerate() {
            let own = shuffled_groups(&groups, dataset, label, seed, Stream::Split);
            split.deal(name, own, (test_share, validation_share));
        }
        for part in [&mut split.train, &mut split.validation, &mut split.test] {
            part.sort_unstable();
        }
        if split.train.is_empty() {
            return Err(Error::Setting {
                name: "split",
                reason: "test and validation leave no clip to train on".into(),
            });
        }
        Ok(split)
    }

    /// Deals one label's groups, in random order, to the three parts.
    fn deal(&mut self, name: &str, mut left: Vec<&Vec<usize>>, shares: (f64, f64)) {
        let clips: usize = left.iter().map(|group| group.len()).sum();
        if left.is_empty() {
            self.warnings
                .push(format!("{name}: no clip of it is left to train on"));
            return;
        }
        let wanted = 1 + usize::from(shares.0 > 0.0) + usize::from(shares.1 > 0.0);
        if left.len() < wanted {
            let (groups, clips) = (count(left.len(), "group"), count(clips, "clip"));
            self.warnings.push(format!("{name}: {clips} in {groups}, too few to train, validate and test; training comes first"));
        }
        for (share, part) in [(shares.0, &mut self.test), (shares.1, &mut self.validation)] {
            let target = share * clips as f64;
            let mut taken = 0;
            // The first group is taken even when it overshoots, so that no part goes without the label.
            while target > 0.0 && left.len() > 1 {
                let next = left[left.len() - 1];
                let nearer = (taken + next.len()) as f64 - target <= target - taken as f64;
                if taken > 0 && !nearer {
                    break;
                }
                taken += next.len();
                part.extend(next);
                left.pop();
            }
        }
        self.train.extend(left.into_iter().flatten());
    }

    /// How many groups lie on two sides, and one of them: patterns go by name, and the text's form by clip.
    fn torn_groups(&self, dataset: &Dataset) -> Option<(usize, String)> {
        let mut sides: BTreeMap<&str, [bool; 3]> = BTreeMap::new();
        for (index, item) in dataset.items.iter().enumerate() {
            for (side, part) in [&self.train, &self.validation, &self.test]
                .into_iter()
                .enumerate()
            {
                if part.binary_search(&index).is_ok() {
                    sides.entry(&item.group).or_default()[side] = true;
                }
            }
        }
        let torn = sides
            .iter()
            .filter(|(_, sides)| sides.iter().filter(|&&side| side).count() > 1);
        let torn: Vec<&str> = torn.map(|(group, _)| *group).collect();
        torn.first().map(|first| (torn.len(), (*first).to_string()))
    }
}

fn share(name: &'static str, part: &Part) -> Result<f64, Error> {
    match part {
        Part::Fraction(fraction) if (0.0..1.0).contains(fraction) => Ok(*fraction),
        Part::Fraction(fraction) => Err(Error::Setting {
            name,
            reason: format!("{fraction} is no fraction from 0 to below 1"),
        }),
        Part::Pattern(_) => Ok(0.0),
    }
}

fn takes(part: &Part, item: &Item) -> bool {
    let Part::Pattern(pattern) = part else {
        return false;
    };
    let name = if pattern.contains('/') {
        &item.name
    } else {
        item.stem()
    };
    pattern::matches(pattern, name)
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
