//! The recipes that ship with the program.

use std::path::Path;

use super::{Recipe, SHIPPED};
use crate::Error;

/// Returns all shipped recipes, by name.
///
/// # Errors
/// None in a released build: a test parses them all.
pub fn shipped() -> Result<Vec<Recipe>, Error> {
    SHIPPED
        .iter()
        .map(|(name, text)| Recipe::parse(text, Path::new(name)))
        .collect()
}

/// Returns the shipped recipes whose classifier is a network, by name.
///
/// # Errors
/// As [`shipped`].
pub fn networks() -> Result<Vec<Recipe>, Error> {
    let mut recipes = shipped()?;
    recipes.retain(|recipe| recipe.classifier.is_none());
    Ok(recipes)
}
