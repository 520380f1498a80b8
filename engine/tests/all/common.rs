//! A small network with every kind of layer, and data that it can learn.

use engine::architecture::layer::{
    Activation, BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Sequential,
};
use engine::{
    Architecture, Device, Function, Layer, Mode, Network, Optimizer, Padding, Result, Tensor, optim,
};
use kernels::philox::Philox;

/// 1×12×16 pictures, 3 classes.
pub fn architecture() -> Architecture {
    let block: Vec<Layer> = vec![
        Conv2d {
            l2: 1e-3,
            ..Conv2d::new(8, [3, 3]).padded(Padding::Same)
        }
        .into(),
        BatchNorm::default().into(),
        Activation {
            function: Function::Elu,
        }
        .into(),
        MaxPool2d {
            stride: Some([2, 2]),
            padding: Padding::Zeros([[1, 1]; 2]),
            ..MaxPool2d::new([3, 3])
        }
        .into(),
    ];
    Architecture {
        input: vec![1, 12, 16],
        layers: vec![
            Conv2d::new(4, [3, 3]).into(),
            Activation {
                function: Function::Relu,
            }
            .into(),
            MaxPool2d::new([2, 2]).into(),
            Layer::from(Sequential { layers: block }).named("middle"),
            Conv2d {
                groups: 2,
                ..Conv2d::new(6, [2, 2]).with(Function::Gelu)
            }
            .into(),
            Flatten::default().into(),
            Linear::new(12).with(Function::Tanh).into(),
            Dropout { p: 0.25 }.into(),
            Linear::classes().into(),
        ],
    }
    .with_classes(3)
}

/// A batch of pictures whose brightest third tells the class, and the labels.
pub fn batch(device: &Device, n: usize, seed: u64) -> (Tensor, kernels::Buffer) {
    try_batch(device, n, seed).unwrap()
}

fn try_batch(device: &Device, n: usize, seed: u64) -> Result<(Tensor, kernels::Buffer)> {
    let mut random = Philox::new(seed, 0);
    let (mut pictures, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let label = random.below(3);
        labels.push(label as u32);
        pictures.extend(
            (0..12 * 16).map(|i| random.normal() + if i / 16 / 4 == label { 1.0 } else { 0.0 }),
        );
    }
    let x = Tensor::from_vec(device, pictures, [n, 1, 12, 16])?;
    Ok((x, device.upload_u32(&labels)?))
}

/// A training that can be stopped.
pub struct Training {
    pub network: Network,
    pub optimizer: Optimizer,
}

impl Training {
    pub fn new(device: &Device, seed: u64) -> Self {
        Training::try_new(device, seed).unwrap()
    }

    pub fn try_new(device: &Device, seed: u64) -> Result<Self> {
        let network = Network::new(&architecture(), device, seed)?;
        let rule = optim::Adam {
            weight_decay: 1e-4,
            ..Default::default()
        };
        let optimizer = Optimizer::new(network.parameters(), rule, 3e-3)?;
        Ok(Training { network, optimizer })
    }

    /// The losses of these steps.
    pub fn run(&mut self, steps: std::ops::Range<u64>) -> Vec<f32> {
        steps
            .map(|step| self.step(step).unwrap().to_vec().unwrap()[0])
            .collect()
    }

    /// One step; its loss, not yet read.
    pub fn step(&mut self, step: u64) -> Result<Tensor> {
        let (x, labels) = try_batch(self.network.device(), 16, 100 + step)?;
        let logits = self.network.forward(&x, Mode::Train { seed: 5, step })?;
        let loss = logits.cross_entropy(&labels, None)?;
        let gradients = loss.backward()?;
        self.optimizer.step(self.network.parameters(), &gradients)?;
        Ok(loss)
    }
}
