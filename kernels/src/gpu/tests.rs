//! What recording costs: a launch of ours against wgpu's own commands for the same dispatch.

use crate::{Buffer, Device};
use std::time::Instant;

/// Launches in one round: fewer than are submitted at once.
const LAUNCHES: usize = 200;

/// Nanoseconds of one piece of work, of `LAUNCHES`: the least of several rounds, since a busy machine only adds.
fn least(mut round: impl FnMut() -> u128) -> f64 {
    let rounds = (0..30).map(|_| round());
    rounds.min().expect("rounds") as f64 / LAUNCHES as f64
}

/// At most so many nanoseconds on top of wgpu's own.
const MOST: f64 = 2000.0;

/// `cargo test -p melgrad-kernels --lib recording -- --nocapture` prints the figures. The tests' profile optimises, so that
/// they hold there too.
#[test]
fn recording_costs_little_more_than_wgpus_own() {
    let device = Device::open("gpu").expect("an adapter");
    let crate::device::Backend::Gpu(gpu) = device.backend() else {
        panic!("a GPU")
    };
    let kernel = crate::matmul::Matmul::new(1, 1, 1);
    let [a, b, c] = [(); 3].map(|()| device.upload(&[1.0]).expect("a buffer"));
    let (inputs, outputs): ([&Buffer; 2], [&Buffer; 1]) = ([&a, &b], [&c]);
    device.launch(&kernel, &inputs, &outputs).expect("a launch");
    let ours = || {
        device.synchronize().expect("done");
        let start = Instant::now();
        for _ in 0..LAUNCHES {
            device.launch(&kernel, &inputs, &outputs).expect("a launch");
        }
        start.elapsed().as_nanos()
    };
    let own = || {
        let state = super::driver::lock(&gpu.state);
        let (pipeline, group) = state.pipelines.any();
        let mut encoder = gpu
            .driver
            .device
            .create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let start = Instant::now();
        for i in 0..LAUNCHES {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[256 * i as u32]);
            pass.dispatch_workgroups(1, 1, 1);
        }
        start.elapsed().as_nanos()
    };
    // Tests run beside others, which only add: of several repetitions the best counts.
    let (mut least_ours, mut least_own) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..10 {
        least_ours = least(ours).min(least_ours);
        least_own = least(own).min(least_own);
        if least_ours - least_own <= MOST {
            break;
        }
    }
    println!("a launch: {least_ours:.0} ns, of which wgpu's own commands are {least_own:.0} ns");
    assert!(
        least_ours - least_own <= MOST,
        "{least_ours:.0} ns against {least_own:.0} ns"
    );
}
