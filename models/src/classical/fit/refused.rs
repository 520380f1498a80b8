//! Errors of the libraries, with the classifier's name.

use crate::Error;

pub(super) fn refused<E: std::fmt::Display>(name: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Classifier {
        name,
        reason: error.to_string().replace('\n', ", "),
    }
}
