//! Rows of feature tables as a network's input: which columns, and the same columns from sound.

use audio::Features;

use crate::Error;
use crate::base::pattern;
use crate::data::dataset::{Content, Dataset, Row};
use crate::input::{Input, Windows};

impl Input {
    /// Whether the network sees a row of a table.
    #[must_use]
    pub fn table(&self) -> bool {
        !self.columns.is_empty() || self.features.kind.columns().is_some()
    }

    /// The columns of a table that the network sees, in their order.
    pub(crate) fn chosen(&self) -> Vec<String> {
        match self.features.kind.columns() {
            Some(names) => {
                let chosen = pick(&self.columns, &names);
                chosen.map(|at| names[at].clone()).collect()
            }
            None => self.columns.clone(),
        }
    }

    /// How many they are; `None` where the network sees no table.
    pub(crate) fn width(&self) -> Option<usize> {
        match self.features.kind.columns() {
            Some(names) => Some(pick(&self.columns, &names).count()),
            None => Some(self.columns.len()).filter(|&columns| columns > 0),
        }
    }

    pub(crate) fn check_table(&self) -> Result<(), Error> {
        if self.frames != 1 {
            let reason = format!("{} frames of a table's row; it has 1", self.frames);
            return Err(Error::setting("input.frames", reason));
        }
        if self.channels != 1 {
            let reason = format!("{} channels of a table's row; it has 1", self.channels);
            return Err(Error::setting("input.channels", reason));
        }
        if self.width() == Some(0) {
            let reason = format!("no column matches {}", self.columns.join(", "));
            return Err(Error::setting("input.columns", reason));
        }
        Ok(())
    }

    /// The input with patterns of columns replaced by the names that a dataset's table has; as it is where the dataset
    /// is no table.
    ///
    /// # Errors
    /// [`Error::Dataset`] where the table has no such column, or where the recipe wants a table and the dataset is
    /// none.
    pub fn with_columns_of(&self, dataset: &Dataset) -> Result<Input, Error> {
        let refuse = |reason: String, hint| {
            let dir = dataset.dir.clone();
            Err(Error::Dataset { dir, reason, hint })
        };
        let row = dataset.items.iter().find_map(|item| match &item.content {
            Content::Row(row) => Some(row),
            _ => None,
        });
        let Some(row) = row else {
            let ready = self.table() && self.features.kind.columns().is_none();
            return match ready {
                true => refuse(
                    "the recipe reads columns of a table, and this is none".into(),
                    "name a .csv file",
                ),
                false => Ok(self.clone()),
            };
        };
        if self.features.kind.columns().is_some() {
            // Their names are known; that the table has them all, each row is asked.
            return Ok(self.clone());
        }
        let mut input = self.clone();
        let wanted: &[String] = match self.columns.as_slice() {
            [] => {
                return refuse(
                    "a table, but the recipe's features are computed from sound".into(),
                    "a recipe for tables names its columns: --set 'input.columns=[\"*\"]'",
                );
            }
            wanted => wanted,
        };
        for one in wanted {
            if !row.columns.iter().any(|name| fits(one, name)) {
                let reason = format!("no column of its table is called {one:?}");
                return refuse(reason, "its first row holds the names");
            }
        }
        input.columns = pick(wanted, &row.columns)
            .map(|at| row.columns[at].clone())
            .collect();
        Ok(input)
    }

    /// The network's input for a row of a table; `name` goes into errors.
    ///
    /// # Errors
    /// [`Error::Setting`] for a column that the table has not; [`Error::NotFinite`] for one without a number.
    pub fn row(&self, row: &Row, name: &str) -> Result<Windows, Error> {
        row.windows(&self.chosen(), name)
    }

    /// Of a table that was computed from sound, the chosen columns.
    pub(crate) fn choose_rows(&self, features: &mut Features, name: &str) -> Result<(), Error> {
        if !self.table() {
            return Ok(());
        }
        let Some(names) = self.features.kind.columns() else {
            let reason = format!("{name}: sound, but the recipe reads columns of a ready table");
            return Err(Error::setting("input.columns", reason));
        };
        if features.values.len() != names.len() {
            let (has, wants) = (features.values.len(), names.len());
            let reason = format!("{name}: {has} features for {wants} columns");
            return Err(Error::setting("input.columns", reason));
        }
        let values = pick(&self.columns, &names).map(|at| features.values[at]);
        features.values = values.collect();
        features.bands = features.values.len();
        Ok(())
    }
}

impl Row {
    /// [`Input::row`] for the columns that [`Input::chosen`] tells: for many rows they are asked for once.
    pub(crate) fn windows(&self, chosen: &[String], name: &str) -> Result<Windows, Error> {
        let mut values = Vec::with_capacity(chosen.len());
        // Columns that are chosen in their order are found by going on from the last one.
        let mut after = 0;
        for column in chosen {
            let names = self.columns.iter();
            let next = names.skip(after).position(|own| own == column);
            let at = match next {
                Some(at) => after + at,
                None => {
                    let at = self.columns.iter().position(|own| own == column);
                    at.ok_or_else(|| {
                        let reason = format!("{name}: the table has no column {column:?}");
                        Error::setting("input.columns", reason)
                    })?
                }
            };
            after = at + 1;
            let value = self.values.get(at).copied().unwrap_or(f32::NAN);
            if !value.is_finite() {
                let what = format!("{name}: column {column}");
                return Err(Error::NotFinite { what });
            }
            values.push(value);
        }
        Ok(Windows {
            windows: 1,
            bands: values.len(),
            frames: 1,
            values,
        })
    }
}

/// A name is itself, or matches a pattern.
fn fits(wanted: &str, name: &str) -> bool {
    wanted == name || pattern::matches(wanted, name)
}

/// Which of the names are wanted, in the order of the names; all, where nothing is.
fn pick<'a>(wanted: &'a [String], names: &'a [String]) -> impl Iterator<Item = usize> + 'a {
    (0..names.len())
        .filter(|&at| wanted.is_empty() || wanted.iter().any(|one| fits(one, &names[at])))
}
