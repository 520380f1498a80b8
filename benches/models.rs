//! Criterion: one training step of each recipe, the features of one clip.
//!
//! `cargo bench --bench models`; `MELGRAD_DEVICE=gpu` measures a GPU, a CPU is measured without it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use melgrad::Device;
use melgrad::audio::Kind;
use melgrad::bench::{Extract, RECIPES, TrainStep, Work};
use melgrad::models::recipe::Recipe;
use std::time::Duration;

fn device() -> Device {
    let wanted = std::env::var("MELGRAD_DEVICE").unwrap_or_else(|_| "cpu".into());
    Device::open(&wanted).expect("MELGRAD_DEVICE names a device of this machine")
}

fn train_step(c: &mut Criterion) {
    let device = device();
    let mut group = c.benchmark_group("train_step");
    group.sample_size(10).warm_up_time(Duration::from_secs(2));
    for name in RECIPES {
        let recipe = Recipe::load(name).expect("a shipped recipe");
        let mut step = TrainStep::new(&recipe, 10, &device).expect("it fits the device");
        group.throughput(Throughput::Elements(step.input()[0] as u64));
        group.bench_function(&recipe.name, |b| {
            b.iter(|| step.run().expect("the step runs"));
        });
    }
}

/// librosa's settings on 30 seconds at 22 050 Hz: 2048 samples a window, hop 512, 128 bands.
fn extract(c: &mut Criterion) {
    let device = device();
    for kind in Kind::ALL {
        let mut extract = Extract::new(kind, &device);
        c.bench_function(&format!("extract/{kind}"), |b| {
            b.iter(|| extract.run().expect("features of a synthetic clip"));
        });
    }
}

criterion_group!(benches, train_step, extract);
criterion_main!(benches);
