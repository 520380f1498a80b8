//! The smallest whole story: a network learns that "one or the other, but not both" is no straight line.
//!
//!     cargo run --release -p melgrad-engine --example xor

use engine::architecture::layer::Linear;
use engine::{Architecture, Device, Function, Mode, Network, Optimizer, Rule, Tensor};

fn main() -> engine::Result<()> {
    let device = Device::cpu();
    let architecture = Architecture {
        input: vec![2],
        layers: vec![
            Linear::new(8).with(Function::Tanh).into(),
            Linear::new(2).into(),
        ],
    };
    println!("{}\n", architecture.summary()?);
    let network = Network::new(&architecture, &device, 42)?;
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 0.05)?;

    let x = Tensor::from_vec(&device, [0., 0., 0., 1., 1., 0., 1., 1.], [4, 2])?;
    let labels = device.upload_u32(&[0, 1, 1, 0])?;
    for step in 0..=200 {
        // Forward: what does the network say, and how wrong is it?
        let logits = network.forward(&x, Mode::Train { seed: 42, step })?;
        let loss = logits.cross_entropy(&labels, None)?;
        // Backward: how does the loss change with every weight? Then one step downhill.
        let gradients = loss.backward()?;
        optimizer.step(network.parameters(), &gradients)?;
        if step % 50 == 0 {
            println!("step {step:3}: loss {:.4}", loss.to_vec()?[0]);
        }
    }
    let probabilities = network.forward(&x, Mode::Eval)?.softmax()?.to_vec()?;
    for (row, p) in ["0 0", "0 1", "1 0", "1 1"]
        .iter()
        .zip(probabilities.chunks(2))
    {
        println!("{row}: {:.3} that they differ", p[1]);
    }
    Ok(())
}
