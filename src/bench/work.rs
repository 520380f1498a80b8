//! Work that launches several kernels: a training step, inference, feature extraction.

use audio::{FeatureSettings, Kind, synth};
use engine::{Device, Mode, Network, Optimizer, Rule, Tensor, no_grad};
use kernels::Buffer;
use kernels::philox::Philox;

use models::Error;
use models::recipe::Recipe;

/// Work that can be repeated.
pub trait Work {
    /// Short description of the input.
    fn shape(&self) -> String;

    /// Number of floating-point operations, as far as it is known in advance.
    fn flops(&self) -> u64 {
        0
    }

    /// Runs the work once and waits for it. Returns the values to check.
    ///
    /// # Errors
    /// Any error of the device.
    fn run(&mut self) -> Result<Vec<f32>, Error>;
}

/// Returns a batch of noise as a network's input.
fn noise(device: &Device, shape: &[usize]) -> Result<Tensor, Error> {
    let mut random = Philox::new(1, 0);
    let len = shape.iter().product();
    let values: Vec<f32> = (0..len).map(|_| random.range(-2.0, 2.0)).collect();
    Ok(Tensor::from_vec(device, values, shape)?)
}

fn network(recipe: &Recipe, classes: usize, device: &Device) -> Result<Network, Error> {
    let architecture = recipe.architecture_for(classes)?;
    Ok(Network::new(&architecture, device, 0)?)
}

/// Training step of a recipe's network, on one batch of noise of the recipe's size.
pub struct TrainStep {
    network: Network,
    optimizer: Optimizer,
    x: Tensor,
    labels: Buffer,
    step: u64,
}

impl TrainStep {
    /// Creates the network with its initial weights.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn new(recipe: &Recipe, classes: usize, device: &Device) -> Result<Self, Error> {
        let network = network(recipe, classes, device)?;
        let batch = recipe.training.batch;
        let shape = [&[batch], &network.architecture().input[..]].concat();
        let labels: Vec<u32> = (0..batch).map(|i| (i % classes) as u32).collect();
        Ok(TrainStep {
            optimizer: Optimizer::new(network.parameters(), Rule::default(), 1e-3)?,
            x: noise(device, &shape)?,
            labels: device.upload_u32(&labels).map_err(engine::Error::from)?,
            network,
            step: 0,
        })
    }

    /// [`TrainStep::new`] with the batch halved so many times, at most [`TrainStep::most_halved`].
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn halved(
        recipe: &Recipe,
        classes: usize,
        times: u32,
        device: &Device,
    ) -> Result<Self, Error> {
        let mut recipe = recipe.clone();
        let least = recipe.architecture_for(classes)?.smallest_batch()?.max(1);
        for _ in 0..times {
            recipe.training.batch = recipe.training.batch.div_ceil(2).max(least);
        }
        TrainStep::new(&recipe, classes, device)
    }

    /// Returns how often a recipe's batch can be halved until the network's minimum batch size.
    ///
    /// # Errors
    /// As [`TrainStep::new`].
    pub fn most_halved(recipe: &Recipe, classes: usize) -> Result<u32, Error> {
        let least = recipe.architecture_for(classes)?.smallest_batch()?.max(1);
        let times = recipe.training.batch.div_ceil(least).max(1);
        Ok(times.next_power_of_two().ilog2())
    }

    /// Returns the network that is trained.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns the batch size and the shape of one example.
    #[must_use]
    pub fn input(&self) -> &[usize] {
        self.x.shape()
    }

    /// Records forward, cross-entropy, backward and Adam. Returns the loss, not yet read back.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn record(&mut self) -> Result<Tensor, Error> {
        let (seed, step) = (0, self.step);
        self.step += 1;
        let logits = self.network.forward(&self.x, Mode::Train { seed, step })?;
        let loss = logits.cross_entropy(&self.labels, None)?;
        let gradients = loss.backward()?;
        self.optimizer.step(self.network.parameters(), &gradients)?;
        Ok(loss)
    }
}

impl Work for TrainStep {
    fn shape(&self) -> String {
        self.x.shape().to_string()
    }

    fn flops(&self) -> u64 {
        // Forward, and backward to weights and inputs.
        let batch = self.x.shape().first().copied().unwrap_or(0) as u64;
        let summary = self.network.architecture().summary();
        summary.map_or(0, |summary| 6 * batch * summary.multiply_adds)
    }

    fn run(&mut self) -> Result<Vec<f32>, Error> {
        let loss = self.record()?.to_vec()?;
        // The loss is ready before the weights are.
        let device = self.network.device();
        device.synchronize().map_err(engine::Error::from)?;
        Ok(loss)
    }
}

/// Inference of a recipe's network on one window of noise.
pub struct Infer {
    network: Network,
    x: Tensor,
}

impl Infer {
    /// Creates the network with its initial weights.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn new(recipe: &Recipe, classes: usize, device: &Device) -> Result<Self, Error> {
        let network = network(recipe, classes, device)?;
        let shape = [&[1], &network.architecture().input[..]].concat();
        Ok(Infer {
            x: noise(device, &shape)?,
            network,
        })
    }
}

impl Work for Infer {
    fn shape(&self) -> String {
        self.x.shape().to_string()
    }

    fn flops(&self) -> u64 {
        let summary = self.network.architecture().summary();
        summary.map_or(0, |summary| 2 * summary.multiply_adds)
    }

    fn run(&mut self) -> Result<Vec<f32>, Error> {
        let logits = no_grad(|| self.network.forward(&self.x, Mode::Eval))?;
        Ok(logits.softmax()?.to_vec()?)
    }
}

/// Duration of the clip from which features are extracted, in seconds.
const SECONDS: f32 = 30.0;

/// Extracts features from 30 seconds of synthetic music, with librosa's settings.
#[derive(Debug)]
pub struct Extract {
    device: Device,
    settings: FeatureSettings,
    clip: audio::Clip,
}

impl Extract {
    /// Creates the work for features of this kind.
    #[must_use]
    pub fn new(kind: Kind, device: &Device) -> Self {
        Extract::of_seconds(kind, SECONDS, device)
    }

    /// How often the clip can be halved: to less than four seconds.
    pub const MOST_HALVED: u32 = 3;

    /// [`Extract::new`] with the clip halved so many times, at most [`Extract::MOST_HALVED`].
    #[must_use]
    pub fn halved(kind: Kind, times: u32, device: &Device) -> Self {
        let times = times.min(Extract::MOST_HALVED) as i32;
        Extract::of_seconds(kind, SECONDS / 2f32.powi(times), device)
    }

    fn of_seconds(kind: Kind, seconds: f32, device: &Device) -> Self {
        let settings = FeatureSettings {
            kind,
            ..FeatureSettings::default()
        };
        Extract {
            device: device.clone(),
            clip: synth::clip(0, 1, seconds, settings.sample_rate),
            settings,
        }
    }
}

impl Work for Extract {
    fn shape(&self) -> String {
        format!("{} s", self.clip.seconds())
    }

    fn run(&mut self) -> Result<Vec<f32>, Error> {
        Ok(audio::extract(&self.device, &self.settings, &self.clip)?.values)
    }
}
