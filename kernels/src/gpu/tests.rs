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

/// `cargo test -p melgrad-kernels --lib recording -- --nocapture` prints the figures.
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
    let ours = least(|| {
        device.synchronize().expect("done");
        let start = Instant::now();
        for _ in 0..LAUNCHES {
            device.launch(&kernel, &inputs, &outputs).expect("a launch");
        }
        start.elapsed().as_nanos()
    });
    let state = super::lock(&gpu.state);
    let (pipeline, group) = state.pipelines.any();
    let own = least(|| {
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
    });
    println!("a launch: {ours:.0} ns, of which wgpu's own commands are {own:.0} ns");
    // 2 µs on a quiet machine; tests run beside others.
    assert!(ours - own < 20_000.0, "{ours} ns against {own} ns");
}
