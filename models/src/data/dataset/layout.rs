//! Layout of a dataset on disk.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::group::GroupRule;

/// Layout of a dataset on disk.
///
/// Written as a word in recipes and flags: `folders`, `gtzan`, `fma` (or `fma:small` and so on), `ballroom`, `table`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Layout {
    /// A folder per label.
    #[default]
    Folders,
    /// GTZAN's ten folders, or its table.
    Gtzan,
    /// FMA's `tracks.csv` with its clips or its table; which of its subsets, if not the one whose folder is there.
    Fma(Option<Subset>),
    /// Ballroom's folder per dance.
    Ballroom,
    /// A CSV file with a row for each clip.
    Table,
}

/// A subset of FMA; each holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subset {
    /// 8 000 clips of 30 s, 8 genres.
    Small,
    /// 25 000 clips of 30 s, 16 genres.
    Medium,
    /// 106 574 clips of 30 s.
    Large,
    /// 106 574 whole tracks.
    Full,
}

impl Subset {
    /// Every subset.
    pub const ALL: [Subset; 4] = [Subset::Small, Subset::Medium, Subset::Large, Subset::Full];

    fn name(self) -> &'static str {
        match self {
            Subset::Small => "small",
            Subset::Medium => "medium",
            Subset::Large => "large",
            Subset::Full => "full",
        }
    }
}

impl fmt::Display for Subset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Subset {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let mut all = Subset::ALL.into_iter();
        all.find(|subset| subset.name() == name).ok_or(())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layout::Folders => f.write_str("folders"),
            Layout::Gtzan => f.write_str("gtzan"),
            Layout::Fma(None) => f.write_str("fma"),
            Layout::Fma(Some(subset)) => write!(f, "fma:{subset}"),
            Layout::Ballroom => f.write_str("ballroom"),
            Layout::Table => f.write_str("table"),
        }
    }
}

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "{text:?} is no layout: folders, gtzan, fma, fma:small (medium, large, full), ballroom or table"
            )
        };
        match text {
            "folders" => Ok(Layout::Folders),
            "gtzan" => Ok(Layout::Gtzan),
            "fma" => Ok(Layout::Fma(None)),
            "ballroom" => Ok(Layout::Ballroom),
            "table" => Ok(Layout::Table),
            _ => {
                let subset = text.strip_prefix("fma:").ok_or_else(unknown)?;
                Ok(Layout::Fma(Some(subset.parse().map_err(|()| unknown())?)))
            }
        }
    }
}

impl TryFrom<String> for Layout {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Layout> for String {
    fn from(layout: Layout) -> String {
        layout.to_string()
    }
}

/// How a dataset is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Layout on disk; `None`: detected.
    pub layout: Option<Layout>,
    /// Group rule: which clips belong together, by their names.
    pub group: GroupRule,
    /// Whether known copies are removed if their originals are unknown (Ballroom).
    pub drop_copies: bool,
    /// Whether clips of one artist (or album) stay together, if known.
    pub artists: bool,
    /// Whether to use the dataset's own split, if it has one.
    pub official: bool,
    /// Whether to prefer a ready table of features over the audio.
    pub table: bool,
}

impl Default for Opening {
    fn default() -> Self {
        Opening {
            layout: None,
            group: GroupRule::default(),
            drop_copies: true,
            artists: false,
            official: true,
            table: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_wrong_ones_are_named() {
        let subsets = Subset::ALL.map(|subset| Layout::Fma(Some(subset)));
        let others = [
            Layout::Folders,
            Layout::Gtzan,
            Layout::Ballroom,
            Layout::Table,
        ];
        for layout in others.into_iter().chain(subsets) {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        for word in ["", "fma:", "fma:tiny", "GTZAN"] {
            assert!(word.parse::<Layout>().unwrap_err().contains("no layout"));
        }
        assert!(Subset::Small < Subset::Full);
    }
}
