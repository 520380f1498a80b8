//! The same numbers every time: on the CPU for any number of threads, on the GPU from launch to launch, bit for bit.

#![cfg(any(feature = "threads", feature = "gpu"))]

use kernels::catalogue::CATALOGUE;
use kernels::philox::Philox;
use kernels::{Device, Kernel, Role, proof};

/// Every case that is not too large to be run several times.
fn kernels() -> impl Iterator<Item = Box<dyn Kernel>> {
    let cases = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    cases
        .filter(|case| !matches!(case.role, Role::Bad(_)) && case.kernel.bytes() < 64 << 20)
        .filter(|case| case.role == Role::Proof || case.kernel.flops() < 1 << 28)
        .map(|case| case.kernel)
}

/// The words of all outputs after one launch.
fn words(device: &Device, kernel: &dyn Kernel, rung: Option<&str>) -> Option<Vec<Vec<u32>>> {
    let mut random = Philox::new(3, 0);
    let inputs: Vec<_> = proof::samples(kernel, &mut random)
        .iter()
        .zip(kernel.inputs())
        .map(|(values, arg)| device.upload(&proof::to_words(arg.kind, values)))
        .collect::<Result<_, _>>()
        .expect("inputs");
    let outputs: Vec<_> = kernel
        .outputs()
        .iter()
        .map(|arg| device.upload(&vec![0.25; arg.len]))
        .collect::<Result<_, _>>()
        .expect("outputs");
    let (inputs, written): (Vec<_>, Vec<_>) = (inputs.iter().collect(), outputs.iter().collect());
    match device.launch_rung(kernel, rung, &inputs, &written) {
        Err(kernels::Error::NoRung { .. }) => return None,
        result => result.expect("launch"),
    }
    let read = outputs.iter().map(|output| output.to_vec_u32());
    Some(read.collect::<Result<_, _>>().expect("outputs"))
}

#[cfg(feature = "threads")]
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let device = Device::cpu();
    let pool = |threads| {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        builder.build().expect("threads")
    };
    let pools = [pool(1), pool(2), pool(5)];
    for kernel in kernels() {
        let runs = pools
            .each_ref()
            .map(|pool| pool.install(|| words(&device, &*kernel, None)));
        assert!(
            runs[0] == runs[1] && runs[0] == runs[2],
            "{kernel:?} depends on the number of threads"
        );
    }
}

#[cfg(feature = "gpu")]
#[test]
fn every_launch_gives_the_same_bits() {
    let device = Device::open("gpu").expect("an adapter");
    // Every fourth, as most of the time goes into compiling pipelines.
    for kernel in kernels().filter(|k| k.flops() < 1 << 20).step_by(4) {
        for rung in kernel.rungs() {
            let run = || words(&device, &*kernel, Some(rung.name));
            assert!(
                run() == run(),
                "{kernel:?} {} differs from itself",
                rung.name
            );
        }
    }
}
