//! Profiles: every launch is there, in its order and with a time, by whichever clock.

use kernels::matmul::Matmul;
use kernels::profile::Clock;
use kernels::softmax::Softmax;
use kernels::{Device, Kernel};

fn every_launch_is_timed(device: &Device, wanted: Clock, launches: usize) {
    let n = 48;
    let values: Vec<f32> = (0..n * n).map(|i| (i as f32).sin()).collect();
    let a = device.upload(&values).unwrap();
    let (b, c) = (device.alloc(n * n).unwrap(), device.alloc(n * n).unwrap());
    let product = Matmul::new(n, n, n);
    let softmax = Softmax {
        rows: n,
        columns: n,
        log: false,
    };
    let run = |kernel: &dyn Kernel| {
        if kernel.name() == "matmul" {
            device.launch(kernel, &[&a, &a], &[&b]).unwrap();
        } else {
            device.launch(kernel, &[&b], &[&c]).unwrap();
        }
    };
    run(&product);
    assert_eq!(device.take_profile().unwrap(), None, "nobody asked for one");
    let clock = device.start_profile(wanted).unwrap();
    let start = std::time::Instant::now();
    for _ in 0..launches / 2 {
        run(&product);
        run(&softmax);
    }
    let profile = device.take_profile().unwrap().unwrap();
    let wall = start.elapsed().as_secs_f64();
    run(&product);
    assert_eq!(device.take_profile().unwrap(), None);
    assert_eq!((profile.clock, profile.spans.len()), (clock, launches));
    for (i, span) in profile.spans.iter().enumerate() {
        let kernel: &dyn Kernel = if i % 2 == 0 { &product } else { &softmax };
        assert_eq!((span.kernel, span.flops), (kernel.name(), kernel.flops()));
        assert!(span.seconds > 0.0, "launch {i}: {span:?}");
    }
    println!("{clock:?}: {} of {wall} s", profile.seconds());
    assert!(profile.seconds() < wall);
    let rows = profile.by_kernel();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.launches as usize == launches / 2));
}

#[test]
fn on_the_cpu() {
    every_launch_is_timed(&Device::cpu(), Clock::Timestamps, 20);
}

/// More launches than are timed at once.
#[cfg(feature = "gpu")]
#[test]
fn on_a_gpu() {
    let device = Device::open("gpu").expect("an adapter");
    every_launch_is_timed(&device, Clock::Timestamps, 4200);
    every_launch_is_timed(&device, Clock::Waits, 20);
}
