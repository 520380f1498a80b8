//! A repeated training step waits for nothing and makes nothing new: counted by the device.

use crate::common::Training;
use engine::Device;
use kernels::Counters;

/// What each of these steps cost; their losses are not read.
fn steps(device: &Device, count: u64) -> Vec<Counters> {
    let mut training = Training::new(device, 1);
    let mut cost = |step| {
        let before = device.counters();
        training.step(step).unwrap();
        device.counters() - before
    };
    (0..count).map(&mut cost).collect()
}

fn is_steady(device: &Device) {
    let steps = steps(device, 8);
    for (number, step) in steps.iter().enumerate().skip(2) {
        let new = [
            step.allocations,
            step.pipelines,
            step.bind_groups,
            step.synchronisations,
            step.reads,
        ];
        assert_eq!(new, [0; 5], "step {}: {step:?}", number + 1);
        let work = |s: &Counters| (s.launches, s.dispatches, s.flops, s.bytes);
        assert_eq!(work(step), work(&steps[2]), "step {}", number + 1);
    }
    assert!(steps[0].allocations > 0 && steps[2].launches > 20 && steps[2].bytes > 0);
}

#[test]
fn from_the_third_step_on_nothing_is_made_on_the_cpu() {
    is_steady(&Device::cpu());
}

#[cfg(feature = "gpu")]
#[test]
fn from_the_third_step_on_nothing_is_made_and_nobody_waits_on_a_gpu() {
    is_steady(&Device::open("gpu").expect("a GPU, or software Vulkan"));
}

/// As a training does it: outputs of some steps are kept and read together.
#[cfg(feature = "gpu")]
#[test]
fn losses_that_are_read_later_cost_nothing_new_either() {
    let device = Device::open("gpu").expect("a GPU, or software Vulkan");
    let mut training = Training::new(&device, 1);
    let mut round = |start: u64| {
        let before = device.counters();
        let kept: Vec<_> = (start..start + 4)
            .map(|step| training.step(step).unwrap())
            .collect();
        for loss in kept {
            loss.to_vec().unwrap();
        }
        device.counters() - before
    };
    let rounds: Vec<Counters> = (0..4).map(|i| round(4 * i)).collect();
    let last = rounds[3];
    assert_eq!((last.allocations, last.bind_groups), (0, 0), "{rounds:?}");
    assert_eq!((last.reads, last.synchronisations), (4, 4));
}
