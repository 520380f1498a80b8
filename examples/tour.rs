//! The whole way, with its numbers: sound, spectrum, mel, layers, loss; back through every gradient; a few steps downhill.
//!
//!     cargo run --release --example tour [-- SOUND SOUND …]
//!
//! Each sound is a class of its own; without any, four kinds of synthetic music are. docs/learn.md goes the same way through
//! the files that do the work.

use melgrad::audio::{self, Clip, FeatureSettings, Kind, Limits, synth};
use melgrad::engine::{Mode, Network, Optimizer, Rule, Tensor};
use melgrad::models::input::{Fit, Normalise};
use melgrad::models::recipe::Recipe;
use melgrad::{Device, Error};
use std::path::Path;
use std::process::ExitCode;

const SECONDS: f32 = 3.0;
const STEPS: u64 = 20;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    match tour(&paths) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints it all; each of these sounds is a class.
fn tour(paths: &[String]) -> Result<(), Error> {
    let device = Device::cpu();
    let clips = sounds(paths)?;
    let labels: Vec<u32> = (0..clips.len() as u32).collect();

    println!("1. Sound");
    for (name, clip) in &clips {
        let loudest = clip.samples.iter().fold(0f32, |m, s| m.max(s.abs()));
        let (count, rate) = (clip.samples.len(), clip.sample_rate);
        println!("   {name}: {count} samples, {rate} a second, the largest {loudest:.3}");
    }

    let mut recipe = Recipe::load("ajufo-crnn")?;
    recipe.set("input.frames", "64")?;
    recipe.set("input.seconds", &SECONDS.to_string())?;
    let settings = &recipe.input.features;
    spectra(&device, settings, &clips[0].1)?;

    let [_, bands, frames] = recipe.input.shape();
    let mut fit = Fit::new(Normalise::Global, bands);
    let mut features = Vec::new();
    for (name, clip) in &clips {
        let windows = recipe.input.windows(&device, clip, name)?;
        let first = &windows.values[..windows.window_len()];
        fit.add(first);
        features.extend_from_slice(first);
    }
    let normalisation = fit.finish();
    normalisation.apply(&mut features);
    let (mean, deviation) = (normalisation.mean[0], normalisation.deviation[0]);
    println!(
        "   {} of them, {bands} × {frames}; less their mean {mean:.1}, over their deviation {deviation:.1}",
        clips.len()
    );

    let architecture = recipe.architecture_for(clips.len())?;
    let mut network = Network::new(&architecture, &device, 1)?;
    let x = Tensor::from_vec(&device, features, [clips.len(), 1, bands, frames])?;
    let targets = device
        .upload_u32(&labels)
        .map_err(melgrad::engine::Error::from)?;
    let mode = Mode::Train { seed: 1, step: 0 };

    println!(
        "\n4. Forward, and back: what {} makes of them, before it has trained anything",
        recipe.name
    );
    let mut layers: Vec<(String, Tensor)> = Vec::new();
    let logits = network.forward_watched(&x, mode, &mut |path: &str, y: &Tensor| {
        y.retain_grad();
        layers.push((path.into(), y.clone()));
        Ok(())
    })?;
    let loss = logits.cross_entropy(&targets, None)?;
    let gradients = loss.backward()?;
    println!(
        "   {:<12} {:<14} {:>10} {:>8} {:>12}",
        "layer", "output y", "mean |y|", "zeros", "mean |dL/dy|"
    );
    for (path, y) in &layers {
        let values = y.to_vec()?;
        let zeros = values.iter().filter(|v| **v == 0.0).count() as f32 / values.len() as f32;
        let gradient = gradients.get(y).map_or(Ok(Vec::new()), Tensor::to_vec)?;
        let (y_size, d_size) = (magnitude(&values), magnitude(&gradient));
        println!(
            "   {path:<12} {:<14} {y_size:>10.4} {:>6.1} % {d_size:>12.2e}",
            y.shape().to_string(),
            100.0 * zeros
        );
    }
    let before = loss.to_vec()?[0];
    println!(
        "   loss {before:.4}; ln {} = {:.4} is that of knowing nothing",
        clips.len(),
        (clips.len() as f32).ln()
    );

    println!("\n5. One gradient by hand");
    let conv = &network.parameters()[0];
    let found = gradients
        .get(&conv.tensor)
        .map_or(Ok(Vec::new()), Tensor::to_vec)?;
    let largest = (0..found.len()).max_by(|&a, &b| found[a].abs().total_cmp(&found[b].abs()));
    let (name, at) = (conv.name.clone(), largest.unwrap_or(0));
    let weights = network.weights()?;
    let mut nudged = |by: f32| -> Result<f32, Error> {
        let mut weights = weights.clone();
        weights
            .get_mut(&name)
            .expect("it has this parameter")
            .values[at] += by;
        network.set_weights(&weights)?;
        let logits = network.forward(&x, mode)?;
        Ok(logits.cross_entropy(&targets, None)?.to_vec()?[0])
    };
    let step = 1e-3;
    let [up, down] = [nudged(step)?, nudged(-step)?];
    let by_hand = (up - down) / (2.0 * step);
    println!(
        "   {name}[{at}] a thousandth up: loss {up:.5}; down: {down:.5}; so dL/dw = {by_hand:.4}"
    );
    println!("   the tape said {:.4}", found[at]);

    println!("\n6. Downhill");
    network.set_weights(&weights)?;
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-3)?;
    for step in 0..=STEPS {
        let logits = network.forward(&x, Mode::Train { seed: 1, step })?;
        let loss = logits.cross_entropy(&targets, None)?;
        if step % 5 == 0 {
            println!("   step {step:2}: loss {:.4}", loss.to_vec()?[0]);
        }
        optimizer.step(network.parameters(), &loss.backward()?)?;
    }
    let probabilities = network.forward(&x, Mode::Eval)?.softmax()?.to_vec()?;
    for ((name, _), row) in clips.iter().zip(probabilities.chunks(clips.len())) {
        let row: Vec<String> = row.iter().map(|p| format!("{:3.0} %", 100.0 * p)).collect();
        println!("   {name:<24} {}", row.join(" "));
    }
    Ok(())
}

/// The sounds that were named; with less than two, synthetic music of other kinds.
fn sounds(paths: &[String]) -> Result<Vec<(String, Clip)>, Error> {
    let mut clips = Vec::new();
    for path in paths {
        let clip = audio::decode(Path::new(path), &Limits::default())?;
        clips.push((path.clone(), clip));
    }
    if clips.len() < 2 {
        clips.extend((0..4).map(|genre| {
            let name = format!("synthetic {}", synth::GENRES[genre]);
            (name, synth::clip(genre, 1, SECONDS, 22_050))
        }));
    }
    Ok(clips)
}

/// What one clip is on its way to the network: power spectra, mel bands, decibels.
fn spectra(device: &Device, settings: &FeatureSettings, clip: &Clip) -> Result<(), Error> {
    let of = |kind| {
        audio::extract(
            device,
            &FeatureSettings {
                kind,
                ..settings.clone()
            },
            clip,
        )
    };
    let power = of(Kind::Stft)?;
    let middle = power.frames / 2;
    let column = |bin: usize| power.values[bin * power.frames + middle];
    let loudest = (0..power.bands)
        .max_by(|&a, &b| column(a).total_cmp(&column(b)))
        .unwrap_or(0);
    let hz = loudest as f32 * settings.sample_rate as f32 / settings.n_fft as f32;
    println!(
        "\n2. Spectrum of the first: {} frequencies × {} frames, {} samples under each",
        power.bands, power.frames, settings.n_fft
    );
    println!("   frame {middle} is loudest at {hz:.0} Hz (bin {loudest})");
    let mel = of(Kind::Mel)?;
    let db = of(Kind::LogMel)?;
    let range = |values: &[f32]| {
        values
            .iter()
            .fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)))
    };
    let ((low, high), (quiet, loud)) = (range(&mel.values), range(&db.values));
    println!(
        "\n3. Mel: {} bands × {} frames, from {low:.1e} to {high:.1e}; in decibels from {quiet:.1} to {loud:.1}",
        mel.bands, mel.frames
    );
    Ok(())
}

fn magnitude(values: &[f32]) -> f32 {
    values.iter().map(|v| v.abs()).sum::<f32>() / values.len().max(1) as f32
}

#[test]
fn the_tour_comes_to_its_end() {
    tour(&[]).expect("the tour");
}
