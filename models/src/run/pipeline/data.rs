//! A recipe's dataset: read in its layout, with the recipe's labels and columns.

use std::path::Path;

use crate::Error;
use crate::data::dataset::{Dataset, Opening};
use crate::data::labels;
use crate::data::split::Form;
use crate::recipe::Recipe;

/// The clips of a folder, or the rows of a table, as a recipe wants them; and the recipe with the names of the table's
/// columns in place of patterns. Where the split is as the text's was, known copies are not left out.
///
/// # Errors
/// As [`Dataset::open`]; [`Error::Dataset`] and [`Error::Setting`] where its labels or columns are not the recipe's.
pub fn open(path: &Path, recipe: &Recipe) -> Result<(Dataset, Recipe), Error> {
    let split = &recipe.split;
    let opening = Opening {
        layout: recipe.layout,
        group: split.group,
        drop_copies: split.form != Form::Paper,
        artists: split.form == Form::Artist,
        official: split.official,
        table: recipe.input.table(),
    };
    let mut dataset = Dataset::open(path, &opening)?;
    labels::put_together(&mut dataset, &recipe.labels)?;
    let recipe = Recipe {
        input: recipe.input.with_columns_of(&dataset)?,
        ..recipe.clone()
    };
    Ok((dataset, recipe))
}
