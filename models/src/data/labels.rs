//! Merged labels: ten genres as two, according to a recipe's `labels`.

use std::collections::BTreeMap;

use crate::Error;
use crate::data::dataset::Dataset;

/// Replaces every clip's label by its merged label: `labels` maps each new name to the labels that it stands for. A
/// clip that already has a new name keeps it. Clips of other labels are removed with a warning. Without `labels`
/// nothing changes.
///
/// # Errors
/// [`Error::Setting`] for a label in two groups; [`Error::Dataset`] if no clip is left.
pub fn put_together(
    dataset: &mut Dataset,
    labels: &BTreeMap<String, Vec<String>>,
) -> Result<(), Error> {
    if labels.is_empty() {
        return Ok(());
    }
    check(labels)?;
    let new = |old: &String| {
        let belongs = |(name, olds): &(&String, &Vec<String>)| *name == old || olds.contains(old);
        labels.iter().find(belongs).map(|(name, _)| name)
    };
    let names: Vec<Option<&String>> = dataset.labels.iter().map(new).collect();
    let mut kept: Vec<&String> = names.iter().copied().flatten().collect();
    kept.sort();
    kept.dedup();
    if kept.is_empty() {
        return Err(Error::Dataset {
            dir: dataset.dir.clone(),
            reason: format!(
                "its labels ({}) are none of those that the recipe puts together",
                dataset.labels.join(", ")
            ),
            hint: "the recipe's `labels` name the dataset's labels exactly",
        });
    }
    for (old, _) in dataset
        .labels
        .iter()
        .zip(&names)
        .filter(|(_, name)| name.is_none())
    {
        dataset.warnings.push(format!(
            "{old}: none of the labels that the recipe puts together, left out"
        ));
    }
    let numbers: Vec<Option<usize>> = names
        .iter()
        .map(|name| name.and_then(|name| kept.iter().position(|kept| *kept == name)))
        .collect();
    dataset.items.retain_mut(|item| {
        let number = numbers[item.label];
        item.label = number.unwrap_or_default();
        number.is_some()
    });
    dataset.labels = kept.into_iter().cloned().collect();
    Ok(())
}

/// Checks that every label is in one group only.
///
/// # Errors
/// [`Error::Setting`] with the label that is in two.
pub fn check(labels: &BTreeMap<String, Vec<String>>) -> Result<(), Error> {
    let mut seen = BTreeMap::new();
    for (name, olds) in labels {
        for old in olds {
            match seen.insert(old, name) {
                Some(other) => {
                    let reason = format!("{old:?} belongs to both {other:?} and {name:?}");
                    return Err(Error::setting("labels", reason));
                }
                None => {
                    if old != name && labels.contains_key(old) {
                        let reason =
                            format!("{old:?} is a name of its own and belongs to {name:?}");
                        return Err(Error::setting("labels", reason));
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Item;

    fn dataset(labels: &[&str]) -> Dataset {
        let item = |label: usize| Item {
            path: labels[label].into(),
            content: Default::default(),
            label,
            group: labels[label].into(),
            name: labels[label].into(),
            side: None,
        };
        Dataset {
            dir: "music".into(),
            labels: labels.iter().map(|label| label.to_string()).collect(),
            items: (0..labels.len()).map(item).collect(),
            warnings: Vec::new(),
            layout: Default::default(),
        }
    }

    fn two() -> BTreeMap<String, Vec<String>> {
        let olds = |olds: &[&str]| olds.iter().map(|old| old.to_string()).collect();
        [
            ("slow".to_string(), olds(&["waltz", "rumba"])),
            ("fast".to_string(), olds(&["jive"])),
        ]
        .into()
    }

    #[test]
    fn labels_become_those_that_they_belong_to() {
        let mut some = dataset(&["fast", "jive", "polka", "rumba", "waltz"]);
        put_together(&mut some, &two()).unwrap();
        assert_eq!(some.labels, ["fast", "slow"]);
        let clips: Vec<(&str, usize)> = some
            .items
            .iter()
            .map(|i| (i.name.as_str(), i.label))
            .collect();
        assert_eq!(
            clips,
            [("fast", 0), ("jive", 0), ("rumba", 1), ("waltz", 1)]
        );
        assert!(some.warnings[0].contains("polka"), "{:?}", some.warnings);

        let mut slow = dataset(&["rumba", "waltz"]);
        put_together(&mut slow, &two()).unwrap();
        assert_eq!(slow.labels, ["slow"]);

        let mut whole = dataset(&["jive", "polka"]);
        put_together(&mut whole, &BTreeMap::new()).unwrap();
        assert_eq!((whole.labels.len(), whole.items.len()), (2, 2));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let error = put_together(&mut dataset(&["polka"]), &two()).unwrap_err();
        assert!(error.to_string().contains("polka"), "{error}");
        for (name, old) in [("fast", "waltz"), ("fast", "slow")] {
            let mut labels = two();
            labels.get_mut(name).unwrap().push(old.into());
            let error = put_together(&mut dataset(&["waltz"]), &labels).unwrap_err();
            assert!(error.to_string().contains(old), "{error}");
        }
    }
}
