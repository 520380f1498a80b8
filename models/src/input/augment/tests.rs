//! Every change of features: what it changes, what it leaves, what it refuses.

use super::*;
use Augmentation as A;
use approx::{abs_diff_eq, assert_abs_diff_eq};

const SHAPE: [usize; 2] = [3, 5];

fn values() -> Vec<f32> {
    (0..30).map(|i| (i as f32).sin()).collect()
}

fn changed(change: Augmentation, seed: u64) -> (Vec<f32>, Option<Mixed>) {
    let mut values = values();
    let (changes, mixed) = draw(&[change], SHAPE, &[7, 9], Philox::new(seed, 1));
    changes.iter().for_each(|c| c.on_host(SHAPE, &mut values));
    (values, mixed)
}

const ALL: [Augmentation; 8] = [
    A::TimeShift { up_to: 1.0 },
    A::TimeStretch { by: 0.5 },
    A::PitchShift { semitones: 6.0 },
    A::Gain { up_to: 2.0 },
    A::Noise { snr: 10.0 },
    A::FrequencyMask { bands: 3, count: 2 },
    A::TimeMask {
        frames: 4,
        count: 2,
    },
    A::Mixup { alpha: 0.4 },
];

#[test]
fn every_change_changes_and_depends_on_the_seed_alone() {
    for change in ALL {
        change.check().unwrap();
        let (first, mixed) = changed(change, 3);
        assert_eq!(
            (&first, &mixed),
            (&changed(change, 3).0, &changed(change, 3).1)
        );
        assert!(
            (0..20).any(|seed| changed(change, seed).0 != values()),
            "{change:?}"
        );
        assert!(
            (0..20).any(|seed| changed(change, seed).0 != first),
            "{change:?}"
        );
        assert!(first.iter().all(|value| value.is_finite()), "{change:?}");
    }
}

#[test]
fn nothing_asked_for_is_nothing_changed() {
    let nothing = [
        A::TimeShift { up_to: 0.0 },
        A::TimeStretch { by: 0.0 },
        A::PitchShift { semitones: 0.0 },
        A::Gain { up_to: 0.0 },
        A::FrequencyMask { bands: 0, count: 1 },
        A::TimeMask {
            frames: 0,
            count: 1,
        },
    ];
    for change in nothing {
        let (after, mixed) = changed(change, 5);
        let worst = after.iter().zip(values()).map(|(a, b)| (a - b).abs());
        assert!(
            worst.fold(0.0, f32::max) < 1e-6 && mixed.is_none(),
            "{change:?}"
        );
    }
    for change in ALL {
        let empty = draw(&[change], [0, 5], &[], Philox::new(0, 0));
        assert_eq!(empty, (Vec::new(), None));
    }
}

#[test]
fn shifted_frames_come_back_on_the_other_side() {
    let (after, _) = changed(A::TimeShift { up_to: 1.0 }, 11);
    for (row, before) in after.chunks(5).zip(values().chunks(5)) {
        assert!((0..5).any(|by| {
            let mut row = row.to_vec();
            row.rotate_left(by);
            row == before
        }));
    }
}

#[test]
fn stripes_are_as_wide_as_allowed_and_the_rest_stays() {
    let mut widest = 0;
    for seed in 0..50 {
        let (after, _) = changed(
            A::TimeMask {
                frames: 2,
                count: 1,
            },
            seed,
        );
        for (row, before) in after.chunks(5).zip(values().chunks(5)) {
            let masked = row.iter().zip(before).filter(|(a, b)| a != b);
            assert!(masked.clone().all(|(after, _)| *after == 0.0));
            widest = widest.max(masked.count());
        }
    }
    assert_eq!(widest, 2);
}

#[test]
fn the_device_makes_the_same_change() {
    let mut devices = vec![engine::Device::cpu()];
    if cfg!(feature = "gpu") {
        devices.push(engine::Device::open("gpu").expect("a GPU, or software Vulkan"));
    }
    for device in devices {
        for change in ALL {
            let (changes, _) = draw(&[change, change], SHAPE, &[7, 9], Philox::new(3, 1));
            let mut host = values();
            changes.iter().for_each(|c| c.on_host(SHAPE, &mut host));
            let mut x = engine::Tensor::from_vec(&device, values(), [2, 3, 5]).unwrap();
            for change in &changes {
                x = change.on_device(&x).unwrap();
            }
            for (a, b) in x.to_vec().unwrap().iter().zip(&host) {
                assert!(abs_diff_eq!(a, b, epsilon = 1e-5), "{change:?}: {a} {b}");
            }
        }
    }
}

#[test]
fn noise_has_the_ratio_asked_for() {
    let mut values = vec![2.0; 10_000];
    let noise = [A::Noise { snr: 20.0 }];
    let (changes, _) = draw(&noise, [100, 100], &[0], Philox::new(1, 1));
    changes
        .iter()
        .for_each(|c| c.on_host([100, 100], &mut values));
    let power = values.iter().map(|v| (v - 2.0).powi(2)).sum::<f32>() / 10_000.0;
    assert!(abs_diff_eq!(power / 0.04, 1.0, epsilon = 0.05), "{power}");
}

#[test]
fn mixed_examples_lie_between_two_and_say_which() {
    let (after, mixed) = changed(A::Mixup { alpha: 1.0 }, 2);
    let mixed = mixed.unwrap();
    let (before, share) = (values(), mixed.share);
    for (n, (after, target)) in after.chunks(15).zip(&mixed.targets).enumerate() {
        let other = if *target == 7 { 0 } else { 15 };
        for (at, value) in after.iter().enumerate() {
            let expected = share * before[15 * n + at] + (1.0 - share) * before[other + at];
            assert_abs_diff_eq!(*value, expected, epsilon = 1e-6);
        }
    }
    let mut random = Philox::new(4, 4);
    let shares: Vec<f32> = (0..2000).map(|_| beta(0.3, &mut random)).collect();
    let mean = shares.iter().sum::<f32>() / 2000.0;
    let extreme = shares.iter().filter(|s| **s < 0.1 || **s > 0.9).count();
    // Beta(0.3, 0.3): mean 0.5, and 60 % of its mass within a tenth of the ends.
    assert!(
        (mean - 0.5).abs() < 0.03 && (1100..1300).contains(&extreme),
        "{mean} {extreme}"
    );
    assert_eq!(beta(100.0, &mut Philox::new(0, 0)), 0.5);
}

#[test]
fn amounts_out_of_range_are_named() {
    for (change, what) in [
        (A::TimeShift { up_to: f32::NAN }, "time-shift"),
        (A::TimeStretch { by: -0.5 }, "time-stretch"),
        (A::PitchShift { semitones: 99.0 }, "pitch-shift"),
        (A::Gain { up_to: -1.0 }, "gain"),
        (A::Noise { snr: f32::INFINITY }, "noise"),
        (
            A::TimeMask {
                frames: 1,
                count: 0,
            },
            "mask",
        ),
        (A::Mixup { alpha: 0.0 }, "mixup"),
    ] {
        let error = change.check().unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains("training.augment"),
            "{error}"
        );
    }
}
