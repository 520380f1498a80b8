//! Criterion: every kernel of the catalogue over its bench cases; on a GPU every rung.
//!
//! `cargo bench --bench kernels [-- FILTER]`; `MELGRAD_DEVICE=gpu` measures a GPU, a CPU is measured without it.
//! Inputs are random, never zeros.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use melgrad::kernels::catalogue::CATALOGUE;
use melgrad::kernels::philox::Philox;
use melgrad::kernels::{Arg, Buffer, Device, Error, Kernel, Role, proof};
use std::time::Duration;

fn kernels(c: &mut Criterion) {
    let wanted = std::env::var("MELGRAD_DEVICE").unwrap_or_else(|_| "cpu".into());
    let device = Device::open(&wanted).expect("MELGRAD_DEVICE names a device of this machine");
    for case in CATALOGUE.iter().flat_map(|(_, cases)| cases()) {
        if case.role == Role::Bench {
            bench(c, &device, case.name, &*case.kernel);
        }
    }
}

fn bench(c: &mut Criterion, device: &Device, case: &str, kernel: &dyn Kernel) {
    let mut group = c.benchmark_group(format!("{}/{case}", kernel.name()));
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    group.throughput(match kernel.flops() > kernel.bytes() {
        true => Throughput::Elements(kernel.flops()),
        false => Throughput::Bytes(kernel.bytes()),
    });
    let rungs: Vec<Option<&str>> = match device.is_gpu() {
        true => kernel.rungs().iter().map(|rung| Some(rung.name)).collect(),
        false => vec![None],
    };
    // Made inside the closure that criterion calls, so that a filtered case costs nothing.
    for rung in rungs {
        group.bench_function(rung.unwrap_or("cpu"), |b| {
            let (inputs, outputs) = buffers(device, kernel).expect("the case fits the device");
            let inputs: Vec<&Buffer> = inputs.iter().collect();
            let outputs: Vec<&Buffer> = outputs.iter().collect();
            let run = || -> Result<(), Error> {
                device.launch_rung(kernel, rung, &inputs, &outputs)?;
                device.synchronize()
            };
            match run() {
                Err(Error::NoRung { .. }) => {
                    eprintln!("{rung:?} does not serve {case}: an empty row")
                }
                first => {
                    first.expect("the kernel runs");
                    b.iter(|| run().expect("the kernel runs"));
                }
            }
        });
    }
}

fn buffers(device: &Device, kernel: &dyn Kernel) -> Result<(Vec<Buffer>, Vec<Buffer>), Error> {
    let mut random = Philox::new(1, 0);
    let mut upload = |arg: &Arg| {
        let values = proof::sample(kernel, arg, &mut random);
        device.upload(&proof::to_words(arg.kind, &values))
    };
    let inputs = kernel
        .inputs()
        .iter()
        .map(&mut upload)
        .collect::<Result<_, _>>()?;
    let outputs = kernel
        .outputs()
        .iter()
        .map(&mut upload)
        .collect::<Result<_, _>>()?;
    Ok((inputs, outputs))
}

criterion_group!(benches, kernels);
criterion_main!(benches);
