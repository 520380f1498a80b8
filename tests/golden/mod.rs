//! Reads golden arrays (`tests/goldens/README.md` tells their layout) and compares with them.

use kernels::Device;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One file of golden arrays.
pub struct Golden {
    bytes: Vec<u8>,
    cases: BTreeMap<String, Value>,
}

impl Golden {
    /// The file `tests/goldens/NAME.safetensors`; a broken one fails the test.
    pub fn read(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let text = header
            .metadata()
            .as_ref()
            .and_then(|m| m.get("golden"))
            .expect("metadata `golden`");
        let golden: Value = serde_json::from_str(text).expect("JSON in metadata `golden`");
        assert_eq!(
            golden["format"],
            1,
            "{}: make it again, see tests/goldens/README.md",
            path.display()
        );
        let cases = golden["cases"]
            .as_object()
            .expect("cases")
            .clone()
            .into_iter()
            .collect();
        Golden { bytes, cases }
    }

    /// The cases and their options; there is at least one.
    pub fn cases(&self) -> impl Iterator<Item = (&String, &Value)> {
        assert!(!self.cases.is_empty(), "no cases");
        self.cases.iter()
    }

    fn array(&self, name: &str, dtype: Dtype) -> (Vec<usize>, Vec<[u8; 4]>) {
        let file = SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
        let view = file
            .tensor(name)
            .unwrap_or_else(|e| panic!("golden {name}: {e}"));
        assert_eq!(view.dtype(), dtype, "golden {name}");
        let words = view
            .data()
            .chunks_exact(4)
            .map(|word| [word[0], word[1], word[2], word[3]]);
        (view.shape().to_vec(), words.collect())
    }

    /// Shape and values of a float array.
    pub fn floats(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let (shape, words) = self.array(name, Dtype::F32);
        (shape, words.into_iter().map(f32::from_le_bytes).collect())
    }

    /// An array of labels or places.
    pub fn integers(&self, name: &str) -> Vec<u32> {
        self.array(name, Dtype::I32)
            .1
            .into_iter()
            .map(u32::from_le_bytes)
            .collect()
    }

    /// The names that start with `prefix`, without it.
    pub fn under(&self, prefix: &str) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
        file.names()
            .into_iter()
            .filter_map(|name| name.strip_prefix(prefix))
            .map(str::to_string)
            .collect()
    }
}

/// The CPU, and with the feature `gpu` this machine's adapter; none is a failure.
pub fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu()];
    if cfg!(feature = "gpu") {
        devices.push(
            Device::open("gpu")
                .expect("an adapter: `scripts/test` installs Mesa's software Vulkan"),
        );
    }
    devices
}

/// Fails unless every number is within `tolerance` times the largest golden number; infinities and NaN must agree.
pub fn assert_close(name: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{name}: number of values");
    let scale = want
        .iter()
        .filter(|w| w.is_finite())
        .fold(0.0f32, |most, w| most.max(w.abs()));
    for (at, (&g, &w)) in got.iter().zip(want).enumerate() {
        let fits = if w.is_finite() {
            (g - w).abs() <= tolerance * scale
        } else {
            g == w || g.is_nan() && w.is_nan()
        };
        assert!(
            fits,
            "{name}[{at}]: got {g}, PyTorch has {w} (allowed: {:e})",
            tolerance * scale
        );
    }
}

/// A whole number among a case's options.
pub fn number(value: &Value) -> usize {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no whole number")) as usize
}

/// Several.
pub fn numbers(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
        .iter()
        .map(number)
        .collect()
}

/// A pair, height first.
pub fn pair(value: &Value) -> [usize; 2] {
    numbers(value)
        .try_into()
        .unwrap_or_else(|_| panic!("{value} is no pair"))
}

/// A number among a case's options.
pub fn float(value: &Value) -> f32 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number")) as f32
}
