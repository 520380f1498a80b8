//! Settings of a split: parts, groups, and the paper's split.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::group::GroupRule;
use crate::data::kfold::Fold;

/// How one part of a split is chosen: `0.2` or `"4-*"` in recipes and flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// A fraction (0 to below 1) of the clips of every label that no pattern has
    /// taken, drawn by group with the run's seed.
    Fraction(f64),
    /// The clips whose stem matches; a pattern with a `/` is held against
    /// `label/…/stem`. See [`crate::base::pattern`].
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

/// Settings of a recipe's split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSettings {
    /// Group rule: which clips stay together.
    pub group: GroupRule,
    /// Validation clips, which select the best epoch.
    pub validation: Part,
    /// Test clips, used only at the end. If both `test` and `validation` are patterns, a clip that matches both is
    /// tested.
    pub test: Part,
    /// What is kept together.
    #[serde(skip_serializing_if = "Form::is_track")]
    pub form: Form,
    /// Whether to use the dataset's own split, if it has one.
    pub official: bool,
    /// In place of `test`, and of the dataset's own split: one of K folds, into which all clips are dealt by group
    /// with the
    /// run's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Split of the paper, for [`Form::Paper`].
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
    /// Nothing: every clip is drawn separately, as in most papers, and the normalisation is fitted to all clips. Such
    /// results are too good.
    Paper,
}

impl Form {
    fn is_track(&self) -> bool {
        *self == Form::Track
    }
}

/// Split of a paper, if it differs from the recipe's split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaperSplit {
    /// Validation clips; none if the paper had none, and then the last epoch is kept.
    pub validation: Part,
    /// Test clips; if absent, those of the recipe's split.
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
    pub(super) fn parts(&self) -> (&Part, &Part) {
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
