//! Criterion: every kernel of the catalogue over its bench cases; on a GPU every rung.
//!
//! `cargo bench --bench kernels [-- FILTER]`; `MELGRAD_DEVICE=gpu` measures a GPU, a CPU is measured without it.
//! Inputs are random, never zeros.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use melgrad::kernels::catalogue::CATALOGUE;
use melgrad::kernels::measure::Subject;
use melgrad::kernels::{Device, Error, Kernel, Role};
use std::time::Duration;

fn kernels(c: &mut Criterion) {
    let wanted = std::env::var("MELGRAD_DEVICE").unwrap_or_else(|_| "cpu".into());
    let device = Device::open(&wanted).expect("MELGRAD_DEVICE names a device of this machine");
    // criterion filters too, but only after the inputs, up to 212 MB of them, have been made.
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    for case in CATALOGUE.iter().flat_map(|(_, cases, _)| cases()) {
        let id = format!("{}/{}", case.kernel.name(), case.name);
        let wanted = filter.as_ref().is_none_or(|filter| id.contains(filter));
        if case.role == Role::Bench && wanted {
            bench(c, &device, id, &*case.kernel);
        }
    }
}

fn bench(c: &mut Criterion, device: &Device, id: String, kernel: &dyn Kernel) {
    let mut group = c.benchmark_group(id);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    group.throughput(match kernel.flops() > kernel.bytes() {
        true => Throughput::Elements(kernel.flops()),
        false => Throughput::Bytes(kernel.bytes()),
    });
    let subject = Subject::new(device, kernel).expect("the case fits the device");
    for rung in subject.rungs() {
        let run = || -> Result<(), Error> {
            subject.launch(rung)?;
            device.synchronize()
        };
        run().expect("the kernel runs");
        group.bench_function(rung.unwrap_or("cpu"), |b| {
            b.iter(|| run().expect("the kernel runs"));
        });
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
