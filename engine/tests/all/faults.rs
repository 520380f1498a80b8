//! Memory runs out at the n-th request, the device is lost at submission n, for every n of a small training: a typed
//! error each time, nothing leaks, and the process trains again to the same weights.

use crate::common::Training;
use engine::{Device, Error, Result};

const STEPS: u64 = 2;

/// Trains from the beginning, reading losses and weights: their bits.
fn train(device: &Device) -> Result<Vec<u32>> {
    let mut training = Training::try_new(device, 3)?;
    let mut bits = Vec::new();
    for step in 0..STEPS {
        bits.push(training.step(step)?.to_vec()?[0].to_bits());
    }
    let weights = training.network.weights()?;
    bits.extend(
        weights
            .values()
            .flat_map(|a| a.values.iter().map(|v| v.to_bits())),
    );
    Ok(bits)
}

/// The device's own error under the path of a layer.
fn cause(error: &Error) -> &kernels::Error {
    match error.cause() {
        Error::Kernel(error) => error,
        other => panic!("not a device's error: {other}"),
    }
}

/// Every request for memory fails once. The device is good for a whole training after every `every`-th failure.
fn memory_runs_out(device: &Device, every: u64) {
    let want = train(device).unwrap();
    let mut failures = 0;
    loop {
        device.fail_allocation(failures + 1);
        let result = train(device);
        device.fail_allocation(0);
        let Err(error) = result else { break };
        failures += 1;
        let error = cause(&error);
        assert!(
            matches!(error, kernels::Error::OutOfMemory { .. }),
            "request {failures}: {error}"
        );
        assert_eq!(device.usage().live_bytes, 0, "request {failures} leaks");
        if failures % every == 0 {
            assert!(train(device).unwrap() == want, "after request {failures}");
        }
    }
    assert!(failures > 40, "only {failures} requests");
    assert!(train(device).unwrap() == want);
}

#[test]
fn every_request_for_memory_may_fail_on_the_cpu() {
    memory_runs_out(&Device::cpu(), 1);
}

#[cfg(feature = "gpu")]
#[test]
fn every_request_for_memory_may_fail_on_a_gpu() {
    memory_runs_out(&Device::open("gpu").expect("a GPU, or software Vulkan"), 8);
}

#[cfg(feature = "gpu")]
#[test]
fn the_device_may_be_lost_at_every_submission() {
    let open = || Device::open("gpu").expect("a GPU, or software Vulkan");
    let device = open();
    let want = train(&device).unwrap();
    let submissions = device.counters().submissions;
    assert!(submissions > 3, "only {submissions}");
    for n in 1..=submissions {
        let device = open();
        device.lose_at_submission(n);
        let error = train(&device).expect_err("the device is lost");
        let text = cause(&error).to_string();
        assert!(
            matches!(cause(&error), kernels::Error::DeviceLost { .. }),
            "submission {n}: {text}"
        );
        assert_eq!(device.usage().live_bytes, 0, "submission {n} leaks");
        // It stays lost, and says so.
        let again = train(&device).expect_err("a lost device is lost");
        assert!(matches!(cause(&again), kernels::Error::DeviceLost { .. }));
    }
    assert!(train(&open()).unwrap() == want, "a new device trains again");
    assert!(train(&device).unwrap() == want, "others are not touched");
}
