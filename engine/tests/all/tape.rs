//! The tape: what it keeps, what it lets go, and what it is asked for twice.

use engine::ops::Activation;
use engine::{Device, Tensor};

#[test]
fn the_tape() {
    let device = Device::cpu();
    let x = Tensor::from_vec(&device, [2.0], [1]).unwrap().parameter();
    let y = x.mul(&x).unwrap();
    y.retain_grad();
    let loss = y.mul(&x).unwrap().sum_all().unwrap();
    let mut gradients = loss.backward().unwrap();
    assert_eq!(gradients.take(&x).unwrap().to_vec().unwrap(), [12.0]);
    assert_eq!(gradients.get(&y).unwrap().to_vec().unwrap(), [2.0]);
    assert!(loss.backward().unwrap_err().to_string().contains("used up"));
    assert!(engine::no_grad(|| x.mul(&x).unwrap().backward()).is_err());
    assert!(x.detach().mul(&x.detach()).unwrap().backward().is_err());
    assert!(y.detach().reshape([1, 1]).unwrap().matmul(&x).is_err());

    // A history of a hundred thousand steps is dropped without recursion.
    let mut long = x.clone();
    for _ in 0..100_000 {
        long = long.reshape([1]).unwrap();
    }
    drop(long);
}

#[test]
fn memory_shrinks_on_the_way_back_and_is_reused() {
    let device = Device::cpu();
    let w = Tensor::full(&device, [64, 64], 0.01).unwrap().parameter();
    let x = Tensor::full(&device, [256, 64], 1.0).unwrap();
    let mut allocations = Vec::new();
    for _ in 0..4 {
        let mut y = x.clone();
        for _ in 0..10 {
            y = y.linear(&w, None, Activation::Tanh).unwrap();
        }
        y.sum_all().unwrap().backward().unwrap();
        allocations.push(device.counters().allocations);
    }
    assert_eq!(
        allocations[1], allocations[3],
        "the second step meets the first one's blocks"
    );
    // Two inputs of ours, one gradient of w at the end; everything else is back in the pool.
    assert!(
        device.usage().live_bytes <= 4 * (64 * 64 + 256 * 64) * 9 / 8,
        "{:?}",
        device.usage()
    );
}
