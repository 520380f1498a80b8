//! TOML files, and their errors in one line.

use std::path::Path;

use crate::Error;
use crate::base::files;

/// Parses a TOML file.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = files::read_text(path)?;
    toml::from_str(&text).map_err(|error| Error::Malformed {
        path: path.into(),
        reason: one_line(&error, &text),
    })
}

/// Shortens TOML's message, which has several lines with a drawing, to one line.
pub(super) fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', ", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}
