//! Random shapes of every kernel against its oracle: what nobody thought of writing down as a case.
//!
//! A shape that the kernel refuses is fine; one that it accepts must be right, on the CPU and on every rung. The seed is
//! fixed: with few outputs, a sum near zero passes any relative tolerance once in some thousand shapes.

use kernels::catalogue::CATALOGUE;
use kernels::draw::Draw;
use kernels::{Device, proof};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeSet;

/// A shape of each of a folder's kernels, with every rung on the device; on the CPU there is one version.
fn prove(device: &Device, folder: usize, seed: u64) -> Result<(), TestCaseError> {
    for kernel in CATALOGUE[folder].2(&mut Draw::new(seed)) {
        if kernel.check().is_err() {
            continue;
        }
        for rung in proof::versions(device, &*kernel) {
            proof::prove(device, &*kernel, rung, seed)
                .map_err(|error| TestCaseError::fail(format!("{kernel:?} {rung:?}: {error}")))?;
        }
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// No kernel that has cases is left out, and most of what is drawn is possible.
#[test]
fn every_kernel_is_drawn() {
    for (folder, cases, random) in CATALOGUE {
        let kernels = cases();
        let all: BTreeSet<&str> = kernels.iter().map(|case| case.kernel.name()).collect();
        let drawn = random(&mut Draw::new(1));
        let names: BTreeSet<&str> = drawn.iter().map(|kernel| kernel.name()).collect();
        assert_eq!(names, all, "{folder}");
        let shapes = (0..100).flat_map(|seed| random(&mut Draw::new(seed)));
        let possible = shapes.filter(|kernel| kernel.check().is_ok()).count();
        assert!(
            possible >= 40 * all.len(),
            "{folder}: {possible} of 100 shapes"
        );
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn on_the_cpu(folder in 0..CATALOGUE.len(), seed in any::<u64>()) {
        prove(&Device::cpu(), folder, seed)?;
    }
}

#[cfg(feature = "gpu")]
proptest! {
    #![proptest_config(config(3))]

    /// Few, as each new shape may mean a new pipeline; one device for all kernels of a round.
    #[test]
    fn on_the_gpu(seed in any::<u64>()) {
        let device = Device::open_checked("gpu").expect("an adapter");
        for folder in 0..CATALOGUE.len() {
            prove(&device, folder, seed)?;
        }
    }
}
