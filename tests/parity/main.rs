//! The CPU and a GPU (software Vulkan where there is no other) hear and train alike: the same loss curve over 20 steps
//! here, features in `features.rs`, an epoch of every recipe in `recipes.rs`.
#![cfg(feature = "gpu")]

mod features;
#[cfg(feature = "cli")]
mod recipes;

use approx::abs_diff_eq;
use melgrad::Device;
use melgrad::engine::{Architecture, Mode, Network, Optimizer, Result, Rule, Tensor};
use melgrad::kernels::philox::Philox;

const STEPS: u64 = 20;
const BATCH: usize = 8;
const CLASSES: usize = 4;

/// Every kind of layer that the recipes use, on pictures of 1×24×32.
const NETWORK: &str = r#"{"input": [1, 24, 32], "layers": [
    {"kind": "Conv2d", "out_channels": 8, "kernel": 3, "padding": "same", "activation": "relu"},
    {"kind": "MaxPool2d", "kernel": [2, 4]},
    {"kind": "Conv2d", "out_channels": 16, "kernel": 3, "activation": "relu"},
    {"kind": "MaxPool2d", "kernel": 2},
    {"kind": "Flatten"},
    {"kind": "Linear", "out_features": 32, "activation": "relu"},
    {"kind": "Dropout", "p": 0.3},
    {"kind": "Linear", "out_features": "classes"}
]}"#;

/// Noise with a stripe whose place tells the class.
fn batch(step: u64) -> (Vec<f32>, Vec<u32>) {
    let mut dice = Philox::new(11, step);
    let labels: Vec<u32> = (0..BATCH).map(|_| dice.below(CLASSES) as u32).collect();
    let mut pictures: Vec<f32> = (0..BATCH * 24 * 32).map(|_| dice.normal()).collect();
    for (picture, label) in pictures.chunks_exact_mut(24 * 32).zip(&labels) {
        let stripe = *label as usize * 6 * 32;
        picture[stripe..stripe + 64]
            .iter_mut()
            .for_each(|v| *v += 2.0);
    }
    (pictures, labels)
}

/// A missing adapter is a failure.
fn gpu() -> Device {
    Device::open("gpu").expect("WGSL needs an adapter: scripts/test installs one")
}

fn losses(device: &Device) -> Result<Vec<f32>> {
    let architecture = Architecture::from_json(NETWORK)?.with_classes(CLASSES);
    let network = Network::new(&architecture, device, 5)?;
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-3)?;
    let step = |step: u64| -> Result<f32> {
        let (pictures, labels) = batch(step);
        let x = Tensor::from_vec(device, pictures, [BATCH, 1, 24, 32])?;
        let labels = device.upload_u32(&labels)?;
        let loss = network
            .forward(&x, Mode::Train { seed: 5, step })?
            .cross_entropy(&labels, None)?;
        let gradients = loss.backward()?;
        optimizer.step(network.parameters(), &gradients)?;
        Ok(loss.to_vec()?[0])
    };
    (0..STEPS).map(step).collect()
}

#[test]
fn the_same_loss_curve() {
    let cpu = losses(&Device::cpu()).unwrap();
    let gpu = losses(&gpu()).unwrap();
    assert!(cpu[STEPS as usize - 1] < cpu[0], "it learns: {cpu:?}");
    for (step, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
        assert!(
            abs_diff_eq!(cpu, gpu, epsilon = 1e-3 * cpu.abs()),
            "step {step}: {cpu} on the CPU, {gpu} on the GPU"
        );
    }
}
