//! Criterion: one training step of each recipe, the features of one clip.
//!
//! `cargo bench --bench models`; `MELGRAD_DEVICE=gpu` measures a GPU, a CPU is measured without it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use melgrad::audio::{self, FeatureSettings, synth};
use melgrad::engine::{Architecture, Mode, Network, Optimizer, Result, Rule, Tensor};
use melgrad::kernels::philox::Philox;
use melgrad::kernels::{Buffer, Device};
use melgrad::models::recipe::Recipe;
use std::time::Duration;

/// The recipes whose training step is measured, each with its number of classes.
const RECIPES: [(&str, usize); 2] = [("ajufo-cnn", 10), ("georgopoulos-cnn", 5)];

/// A network in training on one batch of noise.
struct TrainStep {
    /// Images, channels, height, width.
    shape: [usize; 4],
    network: Network,
    optimizer: Optimizer,
    x: Tensor,
    labels: Buffer,
    step: u64,
}

impl TrainStep {
    /// The recipe's network, input and batch size.
    fn new(recipe: &Recipe, classes: usize, device: &Device) -> Result<Self> {
        let bands = recipe.input.features.bands();
        let batch = recipe.training.batch;
        let architecture: Architecture = recipe
            .architecture
            .with_input([1, bands, recipe.input.frames])
            .with_classes(classes);
        let network = Network::new(&architecture, device, 0)?;
        let shape = [batch, 1, bands, recipe.input.frames];
        let mut random = Philox::new(1, 0);
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| random.range(-2.0, 2.0))
            .collect();
        let labels: Vec<u32> = (0..batch).map(|_| random.below(classes) as u32).collect();
        Ok(TrainStep {
            shape,
            optimizer: Optimizer::new(network.parameters(), Rule::default(), 1e-3)?,
            network,
            x: Tensor::from_vec(device, values, shape)?,
            labels: device.upload_u32(&labels)?,
            step: 0,
        })
    }

    /// Forward, loss, backward, Adam; waits for the loss.
    fn run(&mut self) -> Result<f32> {
        self.step += 1;
        let logits = self.network.forward(
            &self.x,
            Mode::Train {
                seed: 0,
                step: self.step,
            },
        )?;
        let loss = logits.cross_entropy(&self.labels, None)?;
        let gradients = loss.backward()?;
        self.optimizer.step(self.network.parameters(), &gradients)?;
        Ok(loss.to_vec()?[0])
    }
}

fn device() -> Device {
    let wanted = std::env::var("MELGRAD_DEVICE").unwrap_or_else(|_| "cpu".into());
    Device::open(&wanted).expect("MELGRAD_DEVICE names a device of this machine")
}

fn train_step(c: &mut Criterion) {
    let device = device();
    let mut group = c.benchmark_group("train_step");
    group.sample_size(10).warm_up_time(Duration::from_secs(2));
    for (name, classes) in RECIPES {
        let recipe = Recipe::load(name).expect("a shipped recipe");
        let mut step = TrainStep::new(&recipe, classes, &device).expect("it fits the device");
        group.throughput(Throughput::Elements(step.shape[0] as u64));
        group.bench_function(name, |b| b.iter(|| step.run().expect("the step runs")));
    }
}

fn extract(c: &mut Criterion) {
    let device = device();
    let clip = synth::clip(0, 1, 30.0, 22_050);
    c.bench_function("extract/logmel", |b| {
        // librosa's log-mel at 22 050 Hz: 2048 samples a window, hop 512, 128 bands.
        let settings = FeatureSettings::default();
        b.iter(|| audio::extract(&device, &settings, &clip).expect("features of a synthetic clip"));
    });
}

criterion_group!(benches, train_step, extract);
criterion_main!(benches);
