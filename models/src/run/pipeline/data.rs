//! Dataset of a recipe: read in its layout, with the recipe's labels and columns.

use std::path::Path;

use crate::Error;
use crate::data::dataset::{Dataset, Opening};
use crate::data::labels;
use crate::data::split::Form;
use crate::recipe::Recipe;

/// Returns the clips of a folder, or the rows of a table, as a recipe needs them, and the recipe with patterns replaced
/// by the table's column names. If the split is that of the paper, known copies are kept.
///
/// # Errors
/// As [`Dataset::open`]; [`Error::Dataset`] and [`Error::Setting`] if its labels or columns are not the recipe's.
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
