//! Learning against scikit-learn 1.9.1. The figures are its answers, on the examples of [`lessons`] and the points of
//! [`ASKED`]: `LogisticRegression(C=0.5, tol=1e-10)`, `KNeighborsClassifier(5)` with both weights,
//! `SVC(C=2, gamma=0.5, tol=1e-6)` for each label against the others.

use super::super::*;
use super::*;

const ASKED: [[f32; 2]; 3] = [[0.25, 0.5], [1.5, -0.5], [0.0, 2.0]];

fn lessons() -> Lessons {
    let row = |i: usize| {
        let (angle, label) = (i as f64, i % 3);
        let shift = |own: usize| if label == own { 1.5 } else { 0.0 };
        [
            ((angle * 1.7).sin() + shift(1)) as f32,
            ((angle * 2.3).cos() + shift(2)) as f32,
        ]
    };
    Lessons {
        rows: Rows {
            columns: 2,
            values: (0..24).flat_map(row).collect(),
        },
        targets: (0..24).map(|i| i % 3).collect(),
        clips: (0..24).map(|i| i / 3).collect(),
        labels: 3,
        weights: None,
    }
}

fn classifier(toml: &str) -> Classical {
    toml::from_str(toml).unwrap()
}

fn fitted(toml: &str, lessons: &Lessons, seed: u64) -> Model {
    let model = fit(&classifier(toml), lessons, seed, Control::none()).unwrap();
    model.check(lessons.rows.columns, lessons.labels).unwrap();
    model
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    let close = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(
        close && found.len() == expected.len(),
        "{found:?} for {expected:?}"
    );
}

#[test]
fn logistic_regression_is_scikit_learns() {
    let model = fitted("kind = \"logistic\"\nl2 = 2.0", &lessons(), 0);
    let expected = [
        [0.4481204105, 0.2347396805, 0.3171399089],
        [0.2035544207, 0.7366102036, 0.0598353757],
        [0.114970258, 0.0572143249, 0.8278154171],
    ];
    for (row, expected) in ASKED.iter().zip(expected) {
        near(&model.probabilities(row), &expected, 1e-4);
    }
}

#[test]
fn neighbours_are_scikit_learns() {
    let plain = [[0.6, 0.0, 0.4], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]];
    let weighted = [
        [0.5835001321, 0.0, 0.4164998679],
        [0.2373002131, 0.7626997869, 0.0],
        [0.0, 0.0, 1.0],
    ];
    for (by_distance, expected) in [(false, plain), (true, weighted)] {
        let model = fitted(
            &format!("kind = \"neighbours\"\nby_distance = {by_distance}"),
            &lessons(),
            0,
        );
        for (row, expected) in ASKED.iter().zip(expected) {
            near(&model.probabilities(row), &expected, 1e-6);
        }
    }
}

#[test]
fn the_machines_are_scikit_learns_and_their_probabilities_follow() {
    let model = fitted("kind = \"svm\"\nc = 2.0\ngamma = 0.5", &lessons(), 0);
    let Model::Svm {
        gamma,
        vectors,
        machines,
    } = &model
    else {
        unreachable!()
    };
    let expected = [
        [0.2152400566, -0.8141048592, -1.5492348025],
        [-1.2349388337, 0.9992740995, -1.3304671201],
        [-0.264389392, -1.1541102521, 1.6617832039],
    ];
    for (machine, expected) in machines.iter().flatten().zip(expected) {
        let distance = |row: &[f32; 2]| {
            let kernel = |(at, weight): &(usize, f64)| {
                let own = &vectors.values[2 * at..][..2];
                let square: f64 = own
                    .iter()
                    .zip(row)
                    .map(|(a, b)| f64::from(a - b).powi(2))
                    .sum();
                weight * (-gamma * square).exp()
            };
            machine.weights.iter().map(kernel).sum::<f64>() - machine.rho
        };
        near(
            &ASKED.iter().map(distance).collect::<Vec<_>>(),
            &expected,
            5e-3,
        );
        assert!(machine.slope < 0.0, "the farther on its side, the likelier");
    }
    assert!(vectors.len() < 24, "not every example carries a machine");
    let answers = ASKED
        .iter()
        .map(|row| crate::evaluation::answers::largest(&model.probabilities(row)));
    assert_eq!(answers.collect::<Vec<_>>(), [0, 1, 2]);
}

const GROWN: [&str; 2] = [
    "kind = \"trees\"\ngrowth = \"depth\"\nrounds = 20\ndepth = 3\nmin_leaf = 0.1\nrows = 0.8\ncolumns = 0.5",
    "kind = \"trees\"\ngrowth = \"leaf\"\nrounds = 20\nleaves = 4\nmin_leaf = 0.1\nrows = 0.8",
];

#[test]
fn trees_learn_what_they_are_taught() {
    let lessons = lessons();
    for toml in GROWN {
        let model = fitted(toml, &lessons, 1);
        let right = lessons
            .rows
            .iter()
            .zip(&lessons.targets)
            .filter(|(row, target)| {
                crate::evaluation::answers::largest(&model.probabilities(row)) == **target
            });
        assert!(right.count() >= 20, "{toml}");
        let Model::Trees(ensembles) = &model else {
            unreachable!()
        };
        let leaves = |tree: &Vec<Node>| {
            tree.iter()
                .filter(|node| matches!(node, Node::Leaf(_)))
                .count()
        };
        let most = ensembles
            .iter()
            .flatten()
            .flat_map(|own| &own.trees)
            .map(leaves)
            .max()
            .unwrap();
        assert!((2..=8).contains(&most), "{most} leaves");
        if toml.contains("leaves") {
            assert!(most <= 4, "{most} leaves");
        }
    }
}

#[test]
fn a_seed_decides_all_whatever_the_number_of_threads() {
    let lessons = lessons();
    let vote = format!(
        "kind = \"vote\"\nmembers = [{{ {} }}, {{ {} }}]",
        GROWN[0].replace('\n', ", "),
        GROWN[1].replace('\n', ", ")
    );
    let model = fitted(&vote, &lessons, 7);
    assert_ne!(fitted(&vote, &lessons, 8), model);
    #[cfg(feature = "threads")]
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| fitted(&vote, &lessons, 7)), model);
    }
    let Model::Vote(members) = &model else {
        unreachable!()
    };
    let (p, q) = (
        members[0].probabilities(&ASKED[0]),
        members[1].probabilities(&ASKED[0]),
    );
    let mean: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p + q) / 2.0).collect();
    near(&model.probabilities(&ASKED[0]), &mean, 1e-12);
}

#[test]
fn weights_move_trees_and_machines_towards_a_label() {
    let even = lessons();
    let uneven = Lessons {
        weights: Some(vec![1.0, 20.0, 1.0]),
        ..even.clone()
    };
    let middle = [0.7, 0.2];
    for toml in [GROWN[0], "kind = \"svm\""] {
        let of = |lessons| fitted(toml, lessons, 1).probabilities(&middle)[1];
        assert!(of(&uneven) > of(&even), "{toml}");
    }
}

#[test]
fn a_label_without_examples_is_never_answered() {
    let mut lessons = lessons();
    lessons.labels = 4;
    for toml in [
        GROWN[0],
        "kind = \"svm\"",
        "kind = \"logistic\"",
        "kind = \"neighbours\"",
    ] {
        let p = fitted(toml, &lessons, 1).probabilities(&ASKED[0]);
        assert_eq!((p.len(), p[3]), (4, 0.0), "{toml}");
    }
}

#[test]
fn features_that_never_differ_do_no_harm() {
    let mut lessons = lessons();
    let wide = lessons
        .rows
        .iter()
        .flat_map(|row| [row[0], 5.0, row[1]])
        .collect();
    lessons.rows = Rows {
        columns: 3,
        values: wide,
    };
    for toml in [GROWN[0], GROWN[1], "kind = \"svm\"", "kind = \"logistic\""] {
        let p = fitted(toml, &lessons, 1).probabilities(&[0.0, 5.0, 2.0]);
        assert_eq!(crate::evaluation::answers::largest(&p), 2, "{toml}");
    }
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    type Spoil = fn(&mut Lessons);
    let cases: [(&str, Spoil, &str); 8] = [
        (GROWN[0], |l| l.targets.fill(1), "one label"),
        (GROWN[0], |l| l.targets[3] = 3, "beyond"),
        (GROWN[0], |l| l.rows.values[5] = f32::NAN, "finite"),
        (GROWN[0], |l| l.rows.columns = 0, "examples of 0"),
        (GROWN[0], |l| l.clips.truncate(23), "23 clips"),
        (GROWN[0], |l| l.weights = Some(vec![1.0]), "weight"),
        (
            "kind = \"logistic\"",
            |l| l.weights = Some(vec![1.0; 3]),
            "class_weights",
        ),
        (
            "kind = \"neighbours\"",
            |l| l.weights = Some(vec![1.0; 3]),
            "class_weights",
        ),
    ];
    for (toml, spoil, problem) in cases {
        let mut lessons = lessons();
        spoil(&mut lessons);
        let error = fit(&classifier(toml), &lessons, 0, Control::none())
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{error}");
    }
    let many = Lessons {
        rows: Rows {
            columns: 1,
            values: vec![0.0; 20_000],
        },
        targets: (0..20_000).map(|i| i % 2).collect(),
        clips: (0..20_000).collect(),
        labels: 2,
        weights: None,
    };
    let error = fit(&classifier("kind = \"svm\""), &many, 0, Control::none())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("20000") && error.contains("16384"),
        "{error}"
    );
}

#[test]
fn learning_can_be_stopped() {
    let stop = std::sync::atomic::AtomicBool::new(true);
    let control = Control {
        events: &|_| (),
        stop: &stop,
    };
    for toml in [GROWN[0], "kind = \"svm\"", "kind = \"logistic\""] {
        let stopped = fit(&classifier(toml), &lessons(), 0, control);
        assert!(matches!(stopped, Err(Error::Stopped)), "{toml}");
    }
}
