//! One small epoch of every recipe, the same on the CPU and on a GPU: its network with fewer channels and units on short
//! windows of noise, its loss, its optimizer and schedule.

use melgrad::Device;
use melgrad::engine::architecture::layer::Layer;
use melgrad::engine::{Architecture, Kind, ModelFile, Units};
use melgrad::kernels::philox::Philox;
use melgrad::models::Error;
use melgrad::models::base::control::Control;
use melgrad::models::data::split::Split;
use melgrad::models::input::examples::{ClipFeatures, Clips};
use melgrad::models::input::frontend::{Frontend, fit};
use melgrad::models::input::{Normalisation, Windows};
use melgrad::models::recipe::{Recipe, networks};
use melgrad::models::training::history::EpochRow;
use melgrad::models::training::train::{Checkpoints, Setup, Trainer};

const LABELS: usize = 3;
const CLIPS: usize = 12;

/// The same network, narrow: what is wide only repeats the same arithmetic.
fn narrow(layer: &Layer) -> Layer {
    let mut layer = layer.clone();
    let fewer = |n: &mut usize| *n = (*n / 16).clamp(2, 8);
    match &mut layer.kind {
        Kind::Conv2d(conv) => fewer(&mut conv.out_channels),
        Kind::Conv1d(conv) => fewer(&mut conv.out_channels),
        Kind::Gru(gru) => fewer(&mut gru.hidden),
        Kind::Lstm(lstm) => fewer(&mut lstm.hidden),
        Kind::Linear(linear) => {
            if let Units::Number(units) = &mut linear.out_features {
                *units = (*units / 16).clamp(4, 16);
            }
        }
        Kind::Sequential(block) => block.layers = block.layers.iter().map(narrow).collect(),
        Kind::Parallel(parallel) => {
            for branch in &mut parallel.branches {
                *branch = branch.iter().map(narrow).collect();
            }
        }
        _ => {}
    }
    layer
}

/// The recipe on the shortest windows that its network can take.
fn small(recipe: &Recipe) -> (Recipe, Architecture) {
    let mut recipe = recipe.clone();
    recipe.architecture.layers = recipe.architecture.layers.iter().map(narrow).collect();
    recipe.training.epochs = 1;
    recipe.training.batch = 4;
    recipe.training.frozen.clear();
    let longest = recipe.input.frames;
    for frames in [16, 32, 64, 128, 256, longest] {
        recipe.input.frames = frames.min(longest);
        if let Ok(architecture) = recipe.architecture_for(LABELS) {
            return (recipe, architecture);
        }
    }
    panic!("{}: its network takes not even its own input", recipe.name);
}

/// Keeps nothing.
struct Nothing;

impl Checkpoints for Nothing {
    fn best(&mut self, _: &ModelFile) -> Result<(), Error> {
        Ok(())
    }

    fn last(&mut self, _: &ModelFile, _: &[EpochRow]) -> Result<(), Error> {
        Ok(())
    }
}

fn epoch(recipe: &Recipe, architecture: &Architecture, device: &Device) -> EpochRow {
    let frames = recipe.input.frames;
    let bands: usize = architecture.input.iter().product::<usize>() / frames;
    let clip = |clip: usize| {
        let mut dice = Philox::new(7, clip as u64);
        // A slope that tells the label, under noise.
        let value = |i: usize| (clip % LABELS) as f32 * (i % 7) as f32 / 4.0 + dice.normal();
        let values = (0..bands * frames).map(value).collect();
        ClipFeatures::from(Windows {
            windows: 1,
            bands,
            frames,
            values,
        })
    };
    let features: Vec<ClipFeatures> = (0..CLIPS).map(clip).collect();
    let targets: Vec<usize> = (0..CLIPS).map(|clip| clip % LABELS).collect();
    let split = Split {
        train: (0..8).collect(),
        validation: (8..CLIPS).collect(),
        ..Split::default()
    };
    let clips = Clips {
        features: &features,
        targets: &targets,
    };
    let front = Frontend::ahead(&Device::cpu(), Normalisation::NONE);
    let chosen = &split.train;
    let fitted = fit(&front, &recipe.input, clips, chosen, CLIPS, Control::none());
    let normalisation = fitted.unwrap();
    let setup = Setup {
        clips,
        split: &split,
        labels: &["a", "b", "c"].map(String::from),
        input: &recipe.input,
        normalisation: &normalisation,
        architecture,
        settings: &recipe.training,
        seed: 5,
    };
    let mut trainer = Trainer::new(setup, device).unwrap();
    trainer.run(&mut Nothing, Control::none()).unwrap();
    trainer.history()[0]
}

#[test]
fn one_small_epoch_of_every_recipe() {
    let gpu = crate::gpu();
    let (mut wrong, mut learned) = (Vec::new(), 0);
    for recipe in networks().unwrap() {
        let (recipe, architecture) = small(&recipe);
        let began = std::time::Instant::now();
        let rows = [&Device::cpu(), &gpu].map(|device| epoch(&recipe, &architecture, device));
        let [cpu, gpu] = rows.map(|row| [row.train_loss, row.validation_loss.unwrap()]);
        println!(
            "{:<24} {cpu:.5?} {gpu:.5?} {:.1?}",
            recipe.name,
            began.elapsed()
        );
        let near = |(a, b): (&f64, &f64)| a.is_finite() && (a - b).abs() <= 2e-3 * a.abs();
        if !cpu.iter().zip(&gpu).all(near) {
            wrong.push(format!(
                "{}: {cpu:?} on the CPU, {gpu:?} on the GPU",
                recipe.name
            ));
        }
        learned += 1;
    }
    assert!(
        wrong.is_empty(),
        "losses on training and validation: {wrong:#?}"
    );
    assert!(learned > 20, "only {learned} recipes");
}
