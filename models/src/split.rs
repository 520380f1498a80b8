//! Which clips train, which choose the epoch (validation), which test.
//!
//! Groups are never torn apart (see [`crate::group`]), every label keeps about
//! the same share in every part, and the same seed gives the same split. Where the
//! dataset has a split of its own (FMA), that one counts. [`Form::Paper`] splits as
//! the texts did, for figures beside theirs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::dataset::{Dataset, Item, Side};
use crate::fold::Fold;
use crate::group::GroupRule;
use crate::pattern;
use crate::random::{Stream, shuffled};

/// How one part of a split is chosen: `0.2` or `"4-*"` in recipes and flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// A fraction (0 to below 1) of the clips of every label that no pattern has
    /// taken, drawn by group with the run's seed.
    Fraction(f64),
    /// The clips whose stem matches; a pattern with a `/` is held against
    /// `label/…/stem`. See [`crate::pattern`].
    Pattern(String),
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(fraction) if (0.0..1.0).contains(&fraction) => Ok(Part::Fraction(fraction)),
            Ok(fraction) => Err(format!("{fraction} is no fraction from 0 to below 1")),
            Err(_) if text.trim().is_empty() => Err("neither a fraction nor a pattern".into()),
            Err(_) => Ok(Part::Pattern(text.to_string())),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Fraction(fraction) => write!(f, "{fraction}"),
            Part::Pattern(pattern) => f.write_str(pattern),
        }
    }
}

/// The split of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSettings {
    /// Which clips must stay together.
    pub group: GroupRule,
    /// The clips that choose the best epoch.
    pub validation: Part,
    /// The clips that are only looked at in the end. Where it is a pattern, and so
    /// is `validation`, a clip that both match is tested.
    pub test: Part,
    /// What is kept together.
    #[serde(skip_serializing_if = "Form::is_track")]
    pub form: Form,
    /// Whether the dataset's own split counts, where it has one.
    pub official: bool,
    /// In place of `test`, and of the dataset's own split: one of K folds, into which all clips are dealt by group with the
    /// run's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// How the text split, for [`Form::Paper`].
    pub paper: PaperSplit,
}

/// What a split keeps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Clips of one track, and copies of one recording.
    #[default]
    Track,
    /// Also the clips of one artist, or album, as far as that is known.
    Artist,
    /// Nothing: every clip is drawn for itself, as most texts did it, and the normalisation is fitted to all of them.
    /// Such figures flatter.
    Paper,
}

impl Form {
    fn is_track(&self) -> bool {
        *self == Form::Track
    }
}

/// How a text split its clips, where that differs from the recipe's split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaperSplit {
    /// The clips that choose the best epoch; none where the text had none, and then the last epoch is kept.
    pub validation: Part,
    /// The clips that are tested; those of the recipe's split where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Part>,
}

impl Default for PaperSplit {
    fn default() -> Self {
        PaperSplit {
            validation: Part::Fraction(0.0),
            test: None,
        }
    }
}

impl SplitSettings {
    /// The parts that are validated and tested.
    fn parts(&self) -> (&Part, &Part) {
        match self.form {
            Form::Track | Form::Artist => (&self.validation, &self.test),
            Form::Paper => (
                &self.paper.validation,
                self.paper.test.as_ref().unwrap_or(&self.test),
            ),
        }
    }
}

impl Default for SplitSettings {
    fn default() -> Self {
        SplitSettings {
            group: GroupRule::Take,
            validation: Part::Fraction(0.15),
            test: Part::Fraction(0.2),
            form: Form::Track,
            official: true,
            paper: PaperSplit::default(),
            fold: None,
        }
    }
}

/// Indices into the dataset's items, ascending in every part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// The clips that are learnt from.
    pub train: Vec<usize>,
    /// The clips that choose the epoch.
    pub validation: Vec<usize>,
    /// The clips that are only looked at in the end.
    pub test: Vec<usize>,
    /// What a reader of the figures should know, one sentence each.
    pub warnings: Vec<String>,
}

impl Split {
    /// Splits a dataset.
    ///
    /// A label with too few groups for all three parts fills training first, then
    /// the test, then validation, and is warned of.
    ///
    /// # Errors
    /// [`Error::Setting`] for a fraction outside 0 to 1, fractions that leave
    /// nothing to train on, or a pattern that matches no clip.
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

    /// The clips that the normalisation is fitted to: those of the training, except in [`Form::Paper`].
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

    /// The dataset's own split; a clip that it does not name is learnt from.
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
        let mut groups: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
        for index in rest {
            // In the text's form every clip is a group of its own.
            let number = if settings.form == Form::Paper {
                index
            } else {
                0
            };
            groups
                .entry((&dataset.items[index].group, number))
                .or_default()
                .push(index);
        }
        for (label, name) in dataset.labels.iter().enumerate() {
            // A group with clips of two labels (copies of one file) is dealt with the label of its first clip.
            let own = groups.values().filter(|group| {
                group
                    .first()
                    .is_some_and(|&first| dataset.items[first].label == label)
            });
            let own: Vec<&Vec<usize>> = own.collect();
            let order = shuffled(own.len(), seed, Stream::Split, label as u64);
            split.deal(
                name,
                order.into_iter().map(|at| own[at]).collect(),
                (test_share, validation_share),
            );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Content;
    use proptest::prelude::*;
    use std::path::PathBuf;

    /// A dataset of `(label, group, clips in it)`.
    fn dataset(groups: &[(usize, &str, usize)]) -> Dataset {
        let labels = 1 + groups.iter().map(|group| group.0).max().unwrap_or(0);
        let items = groups.iter().flat_map(|&(label, group, clips)| {
            (0..clips).map(move |take| Item {
                path: PathBuf::new(),
                content: Content::Sound,
                label,
                group: format!("l{label}/{group}"),
                name: format!("l{label}/{group}-{take}"),
                side: None,
            })
        });
        Dataset {
            dir: "data".into(),
            labels: (0..labels).map(|label| format!("l{label}")).collect(),
            items: items.collect(),
            warnings: vec![],
            layout: Default::default(),
        }
    }

    fn fractions(validation: f64, test: f64) -> SplitSettings {
        SplitSettings {
            validation: Part::Fraction(validation),
            test: Part::Fraction(test),
            ..Default::default()
        }
    }

    fn all(split: &Split) -> Vec<usize> {
        let mut all: Vec<_> = [&split.train, &split.validation, &split.test]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn folds_by_pattern() {
        let data = dataset(&[
            (0, "1-7", 2),
            (0, "3-8", 2),
            (0, "4-9", 3),
            (1, "1-1", 1),
            (1, "2-2", 1),
            (1, "4-3", 1),
        ]);
        let settings = SplitSettings {
            test: Part::Pattern("4-*".into()),
            validation: Part::Fraction(0.3),
            ..Default::default()
        };
        let split = Split::new(&data, &settings, 0).unwrap();
        assert_eq!(split.test, [4, 5, 6, 9]);
        assert!(!split.validation.is_empty());
        assert_eq!(all(&split), (0..10).collect::<Vec<_>>());
        let settings = SplitSettings {
            test: Part::Pattern("l1/*".into()),
            validation: Part::Pattern("3-*".into()),
            ..Default::default()
        };
        let split = Split::new(&data, &settings, 0).unwrap();
        assert_eq!((split.test, split.validation), (vec![7, 8, 9], vec![2, 3]));
        assert!(split.warnings[0].contains("l1: no clip of it is left"));
    }

    #[test]
    fn patterns_that_match_nothing_or_tear_groups_are_told() {
        let data = dataset(&[(0, "a", 2), (1, "b", 2)]);
        let settings = SplitSettings {
            test: Part::Pattern("9-*".into()),
            ..Default::default()
        };
        assert!(
            Split::new(&data, &settings, 0)
                .unwrap_err()
                .to_string()
                .contains("9-*")
        );
        let settings = SplitSettings {
            test: Part::Pattern("*-1".into()),
            validation: Part::Fraction(0.0),
            ..Default::default()
        };
        let split = Split::new(&data, &settings, 0).unwrap();
        assert!(
            split.warnings[0].contains("2 groups"),
            "{:?}",
            split.warnings
        );
        let settings = SplitSettings {
            test: Part::Pattern("*".into()),
            ..Default::default()
        };
        assert!(Split::new(&data, &settings, 0).is_err());
    }

    #[test]
    fn a_label_with_one_clip_trains_and_is_warned_of() {
        let data = dataset(&[(0, "only", 1), (1, "a", 1), (1, "b", 1), (1, "c", 1)]);
        let split = Split::new(&data, &fractions(0.2, 0.2), 3).unwrap();
        assert!(split.train.contains(&0));
        assert!(
            split.warnings[0].contains("l0: 1 clip in 1 group"),
            "{:?}",
            split.warnings
        );
        assert_eq!(
            (split.train.len(), split.validation.len(), split.test.len()),
            (2, 1, 1)
        );
    }

    #[test]
    fn fractions_that_make_no_sense_are_refused() {
        let data = dataset(&[(0, "a", 1), (1, "b", 1)]);
        for (validation, test) in [(0.5, 0.5), (-0.1, 0.2), (0.1, f64::NAN), (1.0, 0.0)] {
            assert!(Split::new(&data, &fractions(validation, test), 0).is_err());
        }
        assert!("1.5".parse::<Part>().is_err());
        assert_eq!("0.25".parse(), Ok(Part::Fraction(0.25)));
        assert_eq!("4-*".parse(), Ok(Part::Pattern("4-*".into())));
    }

    #[test]
    fn the_datasets_own_split_counts() {
        let mut data = dataset(&[(0, "a", 3), (1, "b", 3)]);
        for (item, side) in data
            .items
            .iter_mut()
            .zip([Side::Train, Side::Validation, Side::Test].repeat(2))
        {
            item.side = Some(side);
        }
        let split = Split::new(&data, &fractions(0.3, 0.3), 0).unwrap();
        assert_eq!(
            (split.train, split.validation, split.test),
            (vec![0, 3], vec![1, 4], vec![2, 5])
        );
        assert!(
            split.warnings[0].contains("2 groups"),
            "{:?}",
            split.warnings
        );
        let settings = SplitSettings {
            official: false,
            ..fractions(0.3, 0.3)
        };
        let drawn = Split::new(&data, &settings, 0).unwrap();
        assert_eq!(drawn.train.len(), 6, "two groups are too few to part");
        data.items
            .iter_mut()
            .for_each(|item| item.side = Some(Side::Test));
        assert!(Split::new(&data, &fractions(0.3, 0.3), 0).is_err());
    }

    #[test]
    fn as_the_texts_did_it_nothing_is_kept_together() {
        let data = dataset(&[(0, "a", 20), (1, "b", 20)]);
        let settings = SplitSettings {
            form: Form::Paper,
            ..fractions(0.1, 0.2)
        };
        let split = Split::new(&data, &settings, 0).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (32, 8));
        assert!(split.validation.is_empty());
        assert_eq!(split.fitted(Form::Paper), (0..40).collect::<Vec<_>>());
        assert_eq!(split.fitted(Form::Track), split.train);
        assert!(
            split.warnings[0].contains("2 groups of clips"),
            "{:?}",
            split.warnings
        );
        let own = PaperSplit {
            validation: Part::Fraction(0.2),
            test: Some(Part::Pattern("*-0".into())),
        };
        let settings = SplitSettings {
            paper: own,
            ..settings
        };
        let split = Split::new(&data, &settings, 0).unwrap();
        assert_eq!((split.validation.len(), split.test.len()), (8, 2));
    }

    #[test]
    fn a_group_with_clips_of_two_labels_stays_whole() {
        let mut data = dataset(&[
            (0, "a", 2),
            (0, "b", 2),
            (0, "c", 2),
            (1, "d", 2),
            (1, "e", 2),
            (1, "f", 2),
        ]);
        data.items[6].group = "l0/a".into();
        for seed in 0..10 {
            let split = Split::new(&data, &fractions(0.3, 0.3), seed).unwrap();
            for part in [&split.train, &split.validation, &split.test] {
                assert_eq!(part.contains(&0), part.contains(&6));
            }
            assert_eq!(all(&split), (0..12).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn every_clip_once_groups_whole_shares_kept(
            sizes in proptest::collection::vec((0usize..3, 1usize..4), 12..60), seed: u64, test in 0.0..0.4, validation in 0.0..0.4,
        ) {
            let names: Vec<String> = (0..sizes.len()).map(|group| format!("g{group}")).collect();
            let groups: Vec<_> = sizes.iter().zip(&names).map(|(&(label, clips), name)| (label, name.as_str(), clips)).collect();
            let data = dataset(&groups);
            let split = Split::new(&data, &fractions(validation, test), seed).unwrap();
            prop_assert_eq!(&split, &Split::new(&data, &fractions(validation, test), seed).unwrap());
            prop_assert_eq!(all(&split), (0..data.items.len()).collect::<Vec<_>>());
            for part in [&split.train, &split.validation, &split.test] {
                for (index, item) in data.items.iter().enumerate() {
                    let whole = data.items.iter().enumerate().filter(|(_, other)| other.group == item.group);
                    if part.contains(&index) {
                        prop_assert!(whole.into_iter().all(|(other, _)| part.contains(&other)));
                    }
                }
            }
            for label in 0..data.labels.len() {
                let of = |part: &[usize]| part.iter().filter(|&&index| data.items[index].label == label).count() as f64;
                let total = of(&all(&split));
                if total >= 12.0 {
                    prop_assert!((of(&split.test) - test * total).abs() <= 3.0);
                    prop_assert!((of(&split.validation) - validation * total).abs() <= 3.0);
                }
            }
        }
    }
}
