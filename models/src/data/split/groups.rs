//! Clips that belong together go to one side, or to one fold.

use std::collections::BTreeMap;

use super::settings::Form;
use crate::Error;
use crate::base::random::{Stream, shuffled};
use crate::data::dataset::Dataset;
use crate::data::kfold::Fold;

/// Which of the items belong together: their numbers, group by group. In the text's form each is a group of its own.
pub(crate) fn groups(
    dataset: &Dataset,
    items: impl IntoIterator<Item = usize>,
    form: Form,
) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
    for index in items {
        let number = if form == Form::Paper { index } else { 0 };
        let group = groups.entry((&dataset.items[index].group, number));
        group.or_default().push(index);
    }
    groups.into_values().collect()
}

/// The groups of a label in random order. One with clips of two labels (copies of one file) goes with its first clip's.
pub(crate) fn shuffled_groups<'a>(
    groups: &'a [Vec<usize>],
    dataset: &Dataset,
    label: usize,
    seed: u64,
    stream: Stream,
) -> Vec<&'a Vec<usize>> {
    let own = groups
        .iter()
        .filter(|group| dataset.items[group[0]].label == label);
    let own: Vec<&Vec<usize>> = own.collect();
    let order = shuffled(own.len(), seed, stream, label as u64);
    order.into_iter().map(|at| own[at]).collect()
}

impl Fold {
    /// Whether each item of a dataset is in this fold.
    ///
    /// # Errors
    /// [`Error::Setting`] where there are fewer groups than folds.
    pub fn chooses(self, dataset: &Dataset, form: Form, seed: u64) -> Result<Vec<bool>, Error> {
        let groups = groups(dataset, 0..dataset.items.len(), form);
        if groups.len() < self.of() {
            let reason = format!(
                "{} folds of {} clips that belong to {} groups",
                self.of(),
                dataset.items.len(),
                groups.len()
            );
            return Err(Error::setting("split.fold", reason));
        }
        let mut chosen = vec![false; dataset.items.len()];
        let mut sizes = vec![0; self.of()];
        for label in 0..dataset.labels.len() {
            let mut own = shuffled_groups(&groups, dataset, label, seed, Stream::Fold);
            own.sort_by_key(|group| std::cmp::Reverse(group.len()));
            let mut of_label = vec![0; self.of()];
            for group in own {
                // The fold with the fewest clips of this label; of equals, with the fewest in all.
                let fold = (0..self.of()).min_by_key(|&fold| (of_label[fold], sizes[fold]));
                let fold = fold.unwrap_or(0);
                of_label[fold] += group.len();
                sizes[fold] += group.len();
                if fold + 1 == self.number() {
                    group.iter().for_each(|&index| chosen[index] = true);
                }
            }
        }
        Ok(chosen)
    }
}
