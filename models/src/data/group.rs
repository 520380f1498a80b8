//! Group rule: which clips belong together.
//!
//! Two clips of one recording sound alike. With one in the training set and the other in the test set, a network scores
//! well by recognising the recording (leakage). So clips of one group always stay in the same part of a split.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the group of a clip is derived from its path.
///
/// Written as a word in recipes and flags: `take`, `file`, `folder`, `fields:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GroupRule {
    /// The file's stem up to the take. A take is a last field (after `-`, `_`,
    /// `.` or a space) of one letter or one to three digits, when a digit stands
    /// somewhere before it: `1-17367-A` belongs to `1-17367`, `blues.00001.3` to
    /// `blues.00001`, while `blues.00001` and `waltz_03` stand for themselves.
    #[default]
    Take,
    /// Every file is its own group.
    File,
    /// The folder that holds the file, below the label's folder: one album or one
    /// artist each. Files that lie directly in the label's folder are their own groups.
    Folder,
    /// The first N fields of the stem, separated by `-`, `_`, `.` or a space.
    /// `fields:1` keeps ESC-10's folds whole.
    Fields(usize),
}

impl GroupRule {
    /// The group of a file, unique within its label.
    ///
    /// `folder` is the path between the label's folder and the file, with `/`
    /// (empty where the file lies directly in the label's folder).
    #[must_use]
    pub fn group(self, folder: &str, stem: &str) -> String {
        let name = match self {
            GroupRule::Take => up_to_take(stem),
            GroupRule::File => stem,
            GroupRule::Folder if folder.is_empty() => return format!("file {stem}"),
            GroupRule::Folder => return format!("folder {folder}"),
            GroupRule::Fields(count) => first_fields(stem, count),
        };
        if folder.is_empty() {
            name.to_string()
        } else {
            format!("{folder}/{name}")
        }
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | ' ')
}

fn up_to_take(stem: &str) -> &str {
    let Some((before, last)) = stem.rsplit_once(is_separator) else {
        return stem;
    };
    let one_letter = last.chars().count() == 1 && last.chars().all(char::is_alphabetic);
    let few_digits = (1..=3).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_digit());
    if (one_letter || few_digits) && before.bytes().any(|b| b.is_ascii_digit()) {
        before
    } else {
        stem
    }
}

fn first_fields(stem: &str, count: usize) -> &str {
    let end = stem
        .match_indices(is_separator)
        .nth(count.saturating_sub(1))
        .map_or(stem.len(), |(at, _)| at);
    &stem[..end]
}

impl fmt::Display for GroupRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupRule::Take => f.write_str("take"),
            GroupRule::File => f.write_str("file"),
            GroupRule::Folder => f.write_str("folder"),
            GroupRule::Fields(count) => write!(f, "fields:{count}"),
        }
    }
}

impl FromStr for GroupRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "take" => Ok(GroupRule::Take),
            "file" => Ok(GroupRule::File),
            "folder" => Ok(GroupRule::Folder),
            _ => match text
                .strip_prefix("fields:")
                .and_then(|count| count.parse().ok())
            {
                Some(count) if count > 0 => Ok(GroupRule::Fields(count)),
                _ => Err(format!(
                    "{text:?} is no group rule: take, file, folder or fields:N"
                )),
            },
        }
    }
}

impl TryFrom<String> for GroupRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<GroupRule> for String {
    fn from(rule: GroupRule) -> String {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_of_the_known_datasets() {
        let take = |stem| GroupRule::Take.group("", stem);
        assert_eq!(take("1-17367-A"), "1-17367");
        assert_eq!(take("1-17367-B"), "1-17367");
        assert_eq!(take("blues.00001"), "blues.00001");
        assert_eq!(take("blues.00001.3"), "blues.00001");
        assert_eq!(take("waltz_03"), "waltz_03");
        assert_eq!(take("track"), "track");
        assert_eq!(take("Ålborg 2-é"), "Ålborg 2");
        assert_eq!(take(""), "");
    }

    #[test]
    fn the_other_rules() {
        assert_eq!(GroupRule::Fields(1).group("", "1-17367-A"), "1");
        assert_eq!(GroupRule::Fields(2).group("", "1-17367-A"), "1-17367");
        assert_eq!(GroupRule::Fields(9).group("", "1-17367-A"), "1-17367-A");
        assert_eq!(GroupRule::File.group("", "1-17367-A"), "1-17367-A");
        assert_eq!(
            GroupRule::Folder.group("artist/album", "1"),
            GroupRule::Folder.group("artist/album", "2")
        );
        assert_ne!(
            GroupRule::Folder.group("", "1"),
            GroupRule::Folder.group("", "2")
        );
        assert_ne!(
            GroupRule::Take.group("x", "1"),
            GroupRule::Take.group("y", "1")
        );
    }

    #[test]
    fn words_round_trip_and_wrong_ones_are_named() {
        for rule in [
            GroupRule::Take,
            GroupRule::File,
            GroupRule::Folder,
            GroupRule::Fields(2),
        ] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        assert!("fields:0".parse::<GroupRule>().is_err());
        assert!("tkae".parse::<GroupRule>().unwrap_err().contains("tkae"));
    }

    proptest! {
        #[test]
        fn a_group_is_a_prefix_of_any_stem(stem in "\\PC{0,20}", count in 1usize..5) {
            prop_assert!(stem.starts_with(&GroupRule::Take.group("", &stem)));
            prop_assert!(stem.starts_with(&GroupRule::Fields(count).group("", &stem)));
        }
    }
}
