//! Conversion of weights to and from other libraries: PyTorch's state dicts, torchvision's files, Keras' layers, all as
//! safetensors.
//!
//! Names consist of a layer and one of its arrays: `block2.conv1.weight`. PyTorch's arrays have our names and layouts;
//! its layers' paths have `.` where ours have `/`. So they need no mapping. Keras' arrays are transposed:
//!
//! | Keras | here |
//! | --- | --- |
//! | `kernel` of a convolution `[h, w, in, out]` or `[t, in, out]` | `weight` `[out, in, h, w]`, `[out, in, t]` |
//! | `kernel` of a Dense layer `[in, out]` | `weight` `[out, in]` |
//! | `gamma`, `beta` | `weight`, `bias` |
//! | `moving_mean`, `moving_variance` | `running_mean`, `running_var` |
//!
//! Layers with other names are mapped: `{"features.0": "vgg16/block1_conv1"}`. After a Flatten the order differs in
//! Keras, which is channels-last: such a Dense layer must not be mapped.

use crate::error::{Error, Result};
use crate::model_file::refused;
use crate::network::{Array, Weights};
use crate::shape::Shape;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;

/// Our layers' paths, by the other library's.
pub type Names = BTreeMap<String, String>;

/// Returns the arrays of a safetensors file under our names. `names` maps their path of a layer, or its last part, to
/// ours; other layers keep their names. f16 and f64 become f32; integer arrays (PyTorch's `num_batches_tracked`) are
/// left out.
///
/// # Errors
/// [`Error::ModelFile`] if the file is not safetensors, has other types, or if two arrays get the same name.
pub fn read(bytes: &[u8], names: &Names) -> Result<Weights> {
    let dotted: BTreeMap<String, &String> = names
        .iter()
        .map(|(theirs, ours)| (theirs.replace('/', "."), ours))
        .collect();
    let mut weights = Weights::new();
    for (theirs, view) in SafeTensors::deserialize(bytes).map_err(refused)?.tensors() {
        let Some(values) = numbers(&theirs, &view)? else {
            continue;
        };
        let shape = Shape::from(view.shape());
        let (ours, array) = renamed(&theirs, Array { shape, values }, &dotted);
        if weights.insert(ours.clone(), array).is_some() {
            let problem = format!("`{theirs}` and another array both become `{ours}`");
            return Err(Error::ModelFile(problem));
        }
    }
    Ok(weights)
}

/// Returns a safetensors file for PyTorch's `load_state_dict`, whose modules must have our layers' names: nested
/// `nn.Sequential`s, or modules with attributes of these names.
///
/// # Errors
/// [`Error::ModelFile`] if the format cannot hold them.
pub fn write(weights: &Weights) -> Result<Vec<u8>> {
    let arrays = weights
        .iter()
        .map(|(name, array)| (name.replace('/', "."), array));
    let metadata = [("format".to_string(), "pt".to_string())].into();
    safetensors::serialize(arrays, Some(metadata)).map_err(refused)
}

/// Returns an array's values as f32; `None` for integers.
fn numbers(name: &str, view: &TensorView<'_>) -> Result<Option<Vec<f32>>> {
    fn all<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        let (numbers, _) = bytes.as_chunks::<N>();
        numbers.iter().map(|bytes| number(*bytes)).collect()
    }
    let bytes = view.data();
    Ok(Some(match view.dtype() {
        Dtype::F32 => all(bytes, f32::from_le_bytes),
        Dtype::F64 => all(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => all(bytes, |b| half(u16::from_le_bytes(b))),
        Dtype::BF16 => all(bytes, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        Dtype::BOOL | Dtype::U8 | Dtype::I8 | Dtype::I16 | Dtype::U16 => return Ok(None),
        Dtype::I32 | Dtype::U32 | Dtype::I64 | Dtype::U64 => return Ok(None),
        other => {
            let problem = format!("`{name}` is {other}: numbers of that kind are not read");
            return Err(Error::ModelFile(problem));
        }
    }))
}

/// Converts IEEE 754 half precision: a sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    let value = match exponent {
        0 => fraction as f32 / (1 << 24) as f32,
        31 if fraction == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => f32::from_bits((exponent + 127 - 15) << 23 | fraction << 13),
    };
    if bits >> 15 == 1 { -value } else { value }
}

/// Returns our name of an array, and its values in our order.
fn renamed(theirs: &str, array: Array, names: &BTreeMap<String, &String>) -> (String, Array) {
    let plain = theirs.split(':').next().unwrap_or(theirs); // TensorFlow's `kernel:0`
    let plain = plain.replace('/', ".");
    let Some((layer, which)) = plain.rsplit_once('.') else {
        return (plain, array);
    };
    let last = layer.rsplit('.').next().unwrap_or(layer);
    let path = match names.get(layer).or_else(|| names.get(last)) {
        Some(ours) => (*ours).clone(),
        None => layer.replace('.', "/"),
    };
    let (which, array) = match which {
        "kernel" => ("weight", turned(array)),
        "gamma" => ("weight", array),
        "beta" => ("bias", array),
        "moving_mean" => ("running_mean", array),
        "moving_variance" => ("running_var", array),
        which => (which, array),
    };
    (format!("{path}.{which}"), array)
}

/// Transposes `[places.., in, out]` to `[out, in, places..]`.
fn turned(array: Array) -> Array {
    let [places @ .., inputs, outputs] = &array.shape[..] else {
        return array;
    };
    if array.values.is_empty() {
        return array; // Lengths beside a 0 may be anything.
    }
    let (inputs, outputs, count) = (*inputs, *outputs, places.iter().product::<usize>());
    let mut values = Vec::with_capacity(array.values.len());
    for output in 0..outputs {
        for input in 0..inputs {
            let place = |place| array.values[(place * inputs + input) * outputs + output];
            values.extend((0..count).map(place));
        }
    }
    let shape = [&[outputs, inputs], places].concat();
    Array {
        shape: shape.into(),
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize]) -> Array {
        let shape = Shape::from(shape);
        let values = (0..shape.elements()).map(|i| i as f32).collect();
        Array { shape, values }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let names = [
            "parallel1/branch1/conv1.weight",
            "norm1.running_var",
            "gru1.weight_ih_l0_reverse",
        ];
        let weights: Weights = names.map(|name| (name.to_string(), array(&[2, 3]))).into();
        let bytes = write(&weights).unwrap();
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        assert!(theirs.tensor("parallel1.branch1.conv1.weight").is_ok());
        assert_eq!(read(&bytes, &Names::new()).unwrap(), weights);
    }

    #[test]
    fn keras_names_and_orders() {
        let bytes = write(
            &[
                (
                    "vgg16/block1_conv1/kernel:0".to_string(),
                    array(&[2, 1, 3, 2]),
                ),
                ("vgg16/block1_conv1/bias:0".into(), array(&[2])),
                ("dense/kernel".into(), array(&[2, 3])),
                ("bn/gamma".into(), array(&[2])),
                ("bn/moving_variance".into(), array(&[2])),
            ]
            .into(),
        );
        let names = [("block1_conv1".to_string(), "block1/a".to_string())].into();
        let read = read(&bytes.unwrap(), &names).unwrap();
        let kernel = &read["block1/a.weight"];
        assert_eq!(kernel.shape[..], [2, 3, 2, 1]);
        // out 1, in 2, row 1: (1·3 + 2)·2 + 1.
        assert_eq!(kernel.values[6 + 2 * 2 + 1], 11.0);
        assert_eq!(read["dense.weight"].values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        for name in ["block1/a.bias", "bn.weight", "bn.running_var"] {
            assert_eq!(read[name], array(&[2]), "{name}");
        }
        assert_eq!(read.len(), 5);
    }

    #[test]
    fn two_that_become_one_are_refused() {
        let bytes = write(
            &[
                ("a.weight".to_string(), array(&[1])),
                ("b.weight".into(), array(&[1])),
            ]
            .into(),
        );
        let names: Names = [("a".to_string(), "b".to_string())].into();
        let error = read(&bytes.unwrap(), &names).unwrap_err().to_string();
        assert!(error.contains("both become `b.weight`"), "{error}");
        assert!(read(b"no safetensors", &names).is_err());
    }

    #[test]
    fn other_kinds_of_numbers() {
        let view = |dtype, bytes: &'static [u8], len: usize| {
            TensorView::new(dtype, vec![len], bytes).unwrap()
        };
        // 1, -2, the smallest and the largest half numbers, infinity.
        let halves = [0x3c00u16, 0xc000, 1, 0x7bff, 0x7c00].map(half);
        assert_eq!(halves, [1.0, -2.0, 2f32.powi(-24), 65504.0, f32::INFINITY]);
        assert!(half(0x7e00).is_nan());
        let tensors = [
            ("h.weight", view(Dtype::F16, &[0, 0x3c], 1)),
            ("b.weight", view(Dtype::BF16, &[0x80, 0xbf], 1)),
            (
                "d.weight",
                view(Dtype::F64, &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f], 1),
            ),
            ("n.num_batches_tracked", view(Dtype::I64, &[0; 8], 1)),
        ];
        let bytes = safetensors::serialize(tensors, None).unwrap();
        let read = read(&bytes, &Names::new()).unwrap();
        let found: Vec<(&str, f32)> = read
            .iter()
            .map(|(name, a)| (name.as_str(), a.values[0]))
            .collect();
        assert_eq!(
            found,
            [("b.weight", -1.0), ("d.weight", 0.5), ("h.weight", 1.0)]
        );
    }
}
