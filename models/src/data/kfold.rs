//! K-fold cross-validation: K trainings, each with another part of the clips as its test set. In the end every clip was
//! tested once by a network that was not trained on it.
//!
//! Groups stay whole (see [`crate::data::group`]; [`Form::Paper`](crate::data::split::Form::Paper) knows none), every label is spread over all folds, and the same seed deals the same
//! folds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of K folds: the test fold. Written as `"2/5"` in recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fold {
    number: usize,
    of: usize,
}

impl Fold {
    /// Returns all K folds in order; none for K below 2.
    pub fn all(of: usize) -> impl Iterator<Item = Fold> {
        let last = if of < 2 { 0 } else { of };
        (1..=last).map(move |number| Fold { number, of })
    }

    /// Number of the fold, counted from 1.
    #[must_use]
    pub fn number(self) -> usize {
        self.number
    }

    /// Number of folds.
    #[must_use]
    pub fn of(self) -> usize {
        self.of
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fold = text.split_once('/').and_then(|(number, of)| {
            let fold = Fold {
                number: number.trim().parse().ok()?,
                of: of.trim().parse().ok()?,
            };
            (fold.of >= 2 && (1..=fold.of).contains(&fold.number)).then_some(fold)
        });
        fold.ok_or_else(|| format!("{text:?} is no fold: the second of five is written \"2/5\""))
    }
}

impl TryFrom<String> for Fold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Fold> for String {
    fn from(fold: Fold) -> String {
        fold.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Dataset;
    use crate::data::dataset::{Content, Item};
    use crate::data::split::Form;
    use proptest::prelude::*;
    use std::path::PathBuf;

    /// A dataset of `(label, clips)` groups.
    fn dataset(groups: &[(usize, usize)]) -> Dataset {
        let labels = 1 + groups.iter().map(|group| group.0).max().unwrap_or(0);
        let items = groups
            .iter()
            .enumerate()
            .flat_map(|(group, &(label, clips))| {
                (0..clips).map(move |take| Item {
                    path: PathBuf::new(),
                    content: Content::Sound,
                    label,
                    group: format!("l{label}/g{group}"),
                    name: format!("l{label}/g{group}-{take}"),
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

    #[test]
    fn folds_are_spelt_and_misspelt() {
        let fold: Fold = "2/5".parse().unwrap();
        assert_eq!((fold.number(), fold.of()), (2, 5));
        assert_eq!(fold.to_string(), "2/5");
        assert_eq!(Fold::all(3).last().unwrap().to_string(), "3/3");
        assert_eq!(Fold::all(1).count(), 0);
        for text in ["", "3", "0/5", "6/5", "1/1", "a/b", "-1/5", "1/5/2"] {
            assert!(text.parse::<Fold>().is_err(), "{text}");
        }
    }

    #[test]
    fn more_folds_than_groups_are_refused() {
        let data = dataset(&[(0, 9), (1, 9)]);
        let fold: Fold = "1/3".parse().unwrap();
        let error = fold.chooses(&data, Form::Track, 0).unwrap_err().to_string();
        assert!(
            error.contains("3 folds") && error.contains("2 groups"),
            "{error}"
        );
        assert!(Fold::all(2).all(|fold| fold.chooses(&data, Form::Track, 0).is_ok()));
    }

    #[test]
    fn as_the_texts_did_it_groups_are_torn() {
        let data = dataset(&[(0, 20), (1, 20)]);
        let all = Fold::all(4).map(|fold| fold.chooses(&data, Form::Paper, 0).unwrap());
        let sizes = all.map(|chosen| chosen.iter().filter(|&&one| one).count());
        assert_eq!(sizes.collect::<Vec<_>>(), [10; 4]);
    }

    #[test]
    fn another_seed_deals_others() {
        let data = dataset(&[(0, 1); 40]);
        let fold: Fold = "1/4".parse().unwrap();
        assert_ne!(
            fold.chooses(&data, Form::Track, 0).unwrap(),
            fold.chooses(&data, Form::Track, 1).unwrap()
        );
    }

    proptest! {
        #[test]
        fn every_clip_once_groups_whole_labels_spread(
            groups in proptest::collection::vec((0usize..3, 1usize..4), 6..40), of in 2usize..7, seed: u64,
        ) {
            let data = dataset(&groups);
            prop_assume!(groups.len() >= of);
            let folds: Vec<Vec<bool>> = Fold::all(of).map(|fold| fold.chooses(&data, Form::Track, seed).unwrap()).collect();
            for index in 0..data.items.len() {
                prop_assert_eq!(folds.iter().filter(|fold| fold[index]).count(), 1);
            }
            for fold in &folds {
                for (a, one) in data.items.iter().enumerate() {
                    for (b, other) in data.items.iter().enumerate() {
                        prop_assert!(one.group != other.group || fold[a] == fold[b]);
                    }
                }
            }
            for label in 0..data.labels.len() {
                let of_label = |fold: &Vec<bool>| (0..fold.len()).filter(|&i| fold[i] && data.items[i].label == label).count();
                let counts: Vec<usize> = folds.iter().map(of_label).collect();
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                prop_assert!(most - least <= 3, "{:?}", counts);
            }
        }
    }
}
