//! Parts by fraction, by pattern, by the dataset itself; nothing that belongs together is torn apart.

use super::*;
use crate::data::dataset::Content;
use approx::abs_diff_eq;
use proptest::prelude::*;
use std::path::PathBuf;

/// A dataset of `(label, group, clips in it)`.
fn dataset(groups: &[(usize, &str, usize)]) -> Dataset {
    let labels = 1 + groups.iter().map(|group| group.0).max().unwrap_or(0);
    let items = groups.iter().flat_map(|&(label, group, clips)| {
        (0..clips).map(move |take| Item {
            path: PathBuf::new(),
            content: Content::Sound,
            label,
            group: format!("l{label}/{group}"),
            name: format!("l{label}/{group}-{take}"),
            side: None,
        })
    });
    Dataset {
        dir: "data".into(),
        labels: (0..labels).map(|label| format!("l{label}")).collect(),
        items: items.collect(),
        warnings: vec![],
        layout: Default::default(),
    }
}

fn fractions(validation: f64, test: f64) -> SplitSettings {
    SplitSettings {
        validation: Part::Fraction(validation),
        test: Part::Fraction(test),
        ..Default::default()
    }
}

fn all(split: &Split) -> Vec<usize> {
    let mut all: Vec<_> = [&split.train, &split.validation, &split.test]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn folds_by_pattern() {
    let data = dataset(&[
        (0, "1-7", 2),
        (0, "3-8", 2),
        (0, "4-9", 3),
        (1, "1-1", 1),
        (1, "2-2", 1),
        (1, "4-3", 1),
    ]);
    let settings = SplitSettings {
        test: Part::Pattern("4-*".into()),
        validation: Part::Fraction(0.3),
        ..Default::default()
    };
    let split = Split::new(&data, &settings, 0).unwrap();
    assert_eq!(split.test, [4, 5, 6, 9]);
    assert!(!split.validation.is_empty());
    assert_eq!(all(&split), (0..10).collect::<Vec<_>>());
    let settings = SplitSettings {
        test: Part::Pattern("l1/*".into()),
        validation: Part::Pattern("3-*".into()),
        ..Default::default()
    };
    let split = Split::new(&data, &settings, 0).unwrap();
    assert_eq!((split.test, split.validation), (vec![7, 8, 9], vec![2, 3]));
    assert!(split.warnings[0].contains("l1: no clip of it is left"));
}

#[test]
fn patterns_that_match_nothing_or_tear_groups_are_told() {
    let data = dataset(&[(0, "a", 2), (1, "b", 2)]);
    let settings = SplitSettings {
        test: Part::Pattern("9-*".into()),
        ..Default::default()
    };
    assert!(
        Split::new(&data, &settings, 0)
            .unwrap_err()
            .to_string()
            .contains("9-*")
    );
    let settings = SplitSettings {
        test: Part::Pattern("*-1".into()),
        validation: Part::Fraction(0.0),
        ..Default::default()
    };
    let split = Split::new(&data, &settings, 0).unwrap();
    assert!(
        split.warnings[0].contains("2 groups"),
        "{:?}",
        split.warnings
    );
    let settings = SplitSettings {
        test: Part::Pattern("*".into()),
        ..Default::default()
    };
    assert!(Split::new(&data, &settings, 0).is_err());
}

#[test]
fn a_label_with_one_clip_trains_and_is_warned_of() {
    let data = dataset(&[(0, "only", 1), (1, "a", 1), (1, "b", 1), (1, "c", 1)]);
    let split = Split::new(&data, &fractions(0.2, 0.2), 3).unwrap();
    assert!(split.train.contains(&0));
    assert!(
        split.warnings[0].contains("l0: 1 clip in 1 group"),
        "{:?}",
        split.warnings
    );
    assert_eq!(
        (split.train.len(), split.validation.len(), split.test.len()),
        (2, 1, 1)
    );
}

#[test]
fn fractions_that_make_no_sense_are_refused() {
    let data = dataset(&[(0, "a", 1), (1, "b", 1)]);
    for (validation, test) in [(0.5, 0.5), (-0.1, 0.2), (0.1, f64::NAN), (1.0, 0.0)] {
        assert!(Split::new(&data, &fractions(validation, test), 0).is_err());
    }
    assert!("1.5".parse::<Part>().is_err());
    assert_eq!("0.25".parse(), Ok(Part::Fraction(0.25)));
    assert_eq!("4-*".parse(), Ok(Part::Pattern("4-*".into())));
}

#[test]
fn the_datasets_own_split_counts() {
    let mut data = dataset(&[(0, "a", 3), (1, "b", 3)]);
    for (item, side) in data
        .items
        .iter_mut()
        .zip([Side::Train, Side::Validation, Side::Test].repeat(2))
    {
        item.side = Some(side);
    }
    let split = Split::new(&data, &fractions(0.3, 0.3), 0).unwrap();
    assert_eq!(
        (split.train, split.validation, split.test),
        (vec![0, 3], vec![1, 4], vec![2, 5])
    );
    assert!(
        split.warnings[0].contains("2 groups"),
        "{:?}",
        split.warnings
    );
    let settings = SplitSettings {
        official: false,
        ..fractions(0.3, 0.3)
    };
    let drawn = Split::new(&data, &settings, 0).unwrap();
    assert_eq!(drawn.train.len(), 6, "two groups are too few to part");
    data.items
        .iter_mut()
        .for_each(|item| item.side = Some(Side::Test));
    assert!(Split::new(&data, &fractions(0.3, 0.3), 0).is_err());
}

#[test]
fn as_the_texts_did_it_nothing_is_kept_together() {
    let data = dataset(&[(0, "a", 20), (1, "b", 20)]);
    let settings = SplitSettings {
        form: Form::Paper,
        ..fractions(0.1, 0.2)
    };
    let split = Split::new(&data, &settings, 0).unwrap();
    assert_eq!((split.train.len(), split.test.len()), (32, 8));
    assert!(split.validation.is_empty());
    assert_eq!(split.fitted(Form::Paper), (0..40).collect::<Vec<_>>());
    assert_eq!(split.fitted(Form::Track), split.train);
    assert!(
        split.warnings[0].contains("2 groups of clips"),
        "{:?}",
        split.warnings
    );
    let own = PaperSplit {
        validation: Part::Fraction(0.2),
        test: Some(Part::Pattern("*-0".into())),
    };
    let settings = SplitSettings {
        paper: own,
        ..settings
    };
    let split = Split::new(&data, &settings, 0).unwrap();
    assert_eq!((split.validation.len(), split.test.len()), (8, 2));
}

#[test]
fn a_group_with_clips_of_two_labels_stays_whole() {
    let mut data = dataset(&[
        (0, "a", 2),
        (0, "b", 2),
        (0, "c", 2),
        (1, "d", 2),
        (1, "e", 2),
        (1, "f", 2),
    ]);
    data.items[6].group = "l0/a".into();
    for seed in 0..10 {
        let split = Split::new(&data, &fractions(0.3, 0.3), seed).unwrap();
        for part in [&split.train, &split.validation, &split.test] {
            assert_eq!(part.contains(&0), part.contains(&6));
        }
        assert_eq!(all(&split), (0..12).collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn every_clip_once_groups_whole_shares_kept(
        sizes in proptest::collection::vec((0usize..3, 1usize..4), 12..60), seed: u64, test in 0.0..0.4, validation in 0.0..0.4,
    ) {
        let names: Vec<String> = (0..sizes.len()).map(|group| format!("g{group}")).collect();
        let groups: Vec<_> = sizes.iter().zip(&names).map(|(&(label, clips), name)| (label, name.as_str(), clips)).collect();
        let data = dataset(&groups);
        let split = Split::new(&data, &fractions(validation, test), seed).unwrap();
        prop_assert_eq!(&split, &Split::new(&data, &fractions(validation, test), seed).unwrap());
        prop_assert_eq!(all(&split), (0..data.items.len()).collect::<Vec<_>>());
        for part in [&split.train, &split.validation, &split.test] {
            for (index, item) in data.items.iter().enumerate() {
                let whole = data.items.iter().enumerate().filter(|(_, other)| other.group == item.group);
                if part.contains(&index) {
                    prop_assert!(whole.into_iter().all(|(other, _)| part.contains(&other)));
                }
            }
        }
        for label in 0..data.labels.len() {
            let of = |part: &[usize]| part.iter().filter(|&&index| data.items[index].label == label).count() as f64;
            let total = of(&all(&split));
            if total >= 12.0 {
                prop_assert!(abs_diff_eq!(of(&split.test), test * total, epsilon = 3.0));
                prop_assert!(abs_diff_eq!(of(&split.validation), validation * total, epsilon = 3.0));
            }
        }
    }
}
