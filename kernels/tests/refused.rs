//! A shader that the driver refuses is an error of its own launch and of nothing else.
#![cfg(feature = "gpu")]

use kernels::kernel::{Pass, Plan};
use kernels::matmul::Matmul;
use kernels::{Arg, Device, Error, Kernel, Limits, Result, Rung};

/// A shader that names a binding nobody provides.
#[derive(Debug)]
struct Broken;

const BROKEN: [Rung; 1] = [Rung {
    name: "broken_1",
    source: "@group(0) @binding(9) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main() { y[0] = 1.0; }",
}];

impl Kernel for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn inputs(&self) -> Vec<Arg> {
        Vec::new()
    }
    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", 1)]
    }
    fn flops(&self) -> u64 {
        0
    }
    fn reduction(&self) -> usize {
        1
    }
    fn oracle(&self, _: &[&[f64]], _: &mut [Vec<f64>]) {}
    fn cpu(&self, _: &[&[f32]], _: &mut [&mut [f32]]) {}
    fn rungs(&self) -> &'static [Rung] {
        &BROKEN
    }
    fn plan(&self, rung: &Rung, _: &Limits) -> Option<Plan> {
        Some(Pass::of(rung, 1, vec![0], [1, 1, 1]).into())
    }
}

#[test]
fn what_was_recorded_before_and_after_is_done() {
    let device = Device::open("gpu").expect("an adapter");
    let (a, b) = (
        device.upload(&[2.0]).unwrap(),
        device.upload(&[3.0]).unwrap(),
    );
    let [before, after, none] = [(); 3].map(|()| device.alloc(1).unwrap());
    let product = Matmul::new(1, 1, 1);
    device.launch(&product, &[&a, &b], &[&before]).unwrap();
    for _ in 0..2 {
        let error = device.launch(&Broken, &[], &[&none]).unwrap_err();
        assert!(
            matches!(&error, Error::Driver { operation, .. } if operation == "broken"),
            "{error}"
        );
    }
    device.launch(&product, &[&a, &before], &[&after]).unwrap();
    device.flush().unwrap();
    assert_eq!(before.to_vec().unwrap(), [6.0]);
    assert_eq!(after.to_vec().unwrap(), [12.0]);
}
