//! The golden files of `tests/goldens`, read and compared with.

use engine::{Array, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::BTreeMap;

/// One golden file: its arrays (integers as numbers) and the options of its cases.
pub struct Golden {
    pub arrays: BTreeMap<String, Array>,
    pub cases: serde_json::Map<String, Value>,
    pub device: Device,
}

impl Golden {
    pub fn open(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/goldens");
        let bytes = std::fs::read(format!("{folder}/{name}.safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let meta: Value =
            serde_json::from_str(&header.metadata().as_ref().unwrap()["golden"]).unwrap();
        assert_eq!(
            meta["format"], 1,
            "make the goldens again: tests/goldens/README.md"
        );
        let array = |view: safetensors::tensor::TensorView| Array {
            shape: view.shape().into(),
            values: (view.data().chunks_exact(4).map(|b| b.try_into().unwrap()))
                .map(|b| match view.dtype() {
                    Dtype::F32 => f32::from_le_bytes(b),
                    _ => i32::from_le_bytes(b) as f32,
                })
                .collect(),
        };
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let cases = meta["cases"].as_object().unwrap();
        assert!(!cases.is_empty(), "{name} has no cases");
        Golden {
            arrays: tensors
                .tensors()
                .into_iter()
                .map(|(name, view)| (name, array(view)))
                .collect(),
            cases: cases.clone(),
            device: Device::cpu(),
        }
    }

    pub fn tensor(&self, name: &str) -> Tensor {
        let array = self.arrays.get(name).unwrap_or_else(|| panic!("no {name}"));
        Tensor::from_vec(&self.device, &array.values, &array.shape).unwrap()
    }

    pub fn labels(&self, name: &str) -> engine::Buffer {
        let labels: Vec<u32> = self.arrays[name].values.iter().map(|v| *v as u32).collect();
        self.device.upload_u32(&labels).unwrap()
    }

    pub fn same(&self, name: &str, found: &Tensor) {
        self.near(name, found, 1e-5);
    }

    /// Equal within `tolerance` of the largest number, NaN and infinities in the same places.
    pub fn near(&self, name: &str, found: &Tensor, tolerance: f32) {
        let (want, found) = (&self.arrays[name].values, found.to_vec().unwrap());
        assert_eq!(want.len(), found.len(), "{name}");
        let finite = want.iter().filter(|w| w.is_finite());
        let scale = finite.fold(1e-3f32, |m, w| m.max(w.abs()));
        for (i, (w, f)) in want.iter().zip(&found).enumerate() {
            let same = w == f || w.is_nan() && f.is_nan() || (w - f).abs() <= tolerance * scale;
            assert!(same, "{name}[{i}] is {f}, PyTorch says {w}");
        }
    }

    /// Runs `f` on the case's inputs, and compares the output and each input's gradient for the case's `dy`.
    pub fn check(
        &self,
        case: &str,
        inputs: &[&str],
        f: impl FnOnce(&[Tensor]) -> engine::Result<Tensor>,
    ) {
        let load = |input: &&str| self.tensor(&format!("{case}/{input}")).parameter();
        let tensors: Vec<Tensor> = inputs.iter().map(load).collect();
        let y = f(&tensors).unwrap_or_else(|e| panic!("{case}: {e}"));
        self.same(&format!("{case}/y"), &y);
        let dy = self
            .tensor(&format!("{case}/dy"))
            .reshape(y.shape())
            .unwrap();
        let gradients = y.mul(&dy).unwrap().sum_all().unwrap().backward().unwrap();
        for (input, tensor) in inputs.iter().zip(&tensors) {
            self.same(&format!("{case}/d{input}"), gradients.get(tensor).unwrap());
        }
    }
}

pub fn pair(value: &Value) -> [usize; 2] {
    [0, 1].map(|i| value[i].as_u64().unwrap() as usize)
}
