//! TOML files, and what is wrong with one in a line.

use std::path::Path;

use crate::Error;
use crate::base::files;

/// What a TOML file holds.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = files::read_text(path)?;
    toml::from_str(&text).map_err(|error| Error::Malformed {
        path: path.into(),
        reason: one_line(&error, &text),
    })
}

/// TOML's own message runs over several lines with a drawing; an error of ours is one line.
pub(super) fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', ", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}
