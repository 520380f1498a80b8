//! Sizes as spelled in files: one number for both axes, or two; padding by name; as many units as labels.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Largest size in a file: the limit of 32-bit indices.
const LARGEST: u64 = (1 << 31) - 1;

/// Zero padding of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// None.
    #[default]
    Valid,
    /// Padding for an output of `input / stride`, rounded up; an odd zero goes after (TensorFlow's `same`; PyTorch's
    /// with stride 1).
    Same,
    /// Before and after, along height and width.
    Zeros([[usize; 2]; 2]),
}

impl Padding {
    /// Returns the zeros before and after along one axis of length `input`, for windows that extend over `reach`.
    pub(crate) fn resolve(
        self,
        axis: usize,
        input: usize,
        reach: usize,
        stride: usize,
    ) -> [usize; 2] {
        match self {
            Padding::Valid => [0, 0],
            Padding::Zeros(zeros) => zeros[axis],
            Padding::Same => {
                let output = input.div_ceil(stride.max(1));
                let needed = output
                    .saturating_sub(1)
                    .saturating_mul(stride)
                    .saturating_add(reach);
                let total = needed.saturating_sub(input);
                [total / 2, total - total / 2]
            }
        }
    }
}

impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Padding::Valid => s.serialize_str("valid"),
            Padding::Same => s.serialize_str("same"),
            Padding::Zeros(zeros) => zeros.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for Padding {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        if let Some(pair) = as_pair(&value) {
            return Ok(Padding::Zeros(pair.map(|zeros| [zeros; 2])));
        }
        match &value {
            Value::String(name) if name == "valid" => Ok(Padding::Valid),
            Value::String(name) if name == "same" => Ok(Padding::Same),
            Value::Array(axes)
                if let [Some(h), Some(w)] = axes.iter().map(as_pair).collect::<Vec<_>>()[..] =>
            {
                Ok(Padding::Zeros([h, w]))
            }
            _ => Err(D::Error::custom(format!(
                "padding {value} is not \"valid\", \"same\", a number, [height, width] or [[before, after], [before, after]]"
            ))),
        }
    }
}

/// Number of outputs of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// This many.
    Number(usize),
    /// As many as there are labels; see [`Architecture::with_classes`](super::Architecture::with_classes).
    Classes,
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Units::Number(units) => units.serialize(s),
            Units::Classes => s.serialize_str("classes"),
        }
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        match (as_size(&value), value.as_str()) {
            (Some(units), _) => Ok(Units::Number(units)),
            (None, Some("classes")) => Ok(Units::Classes),
            _ => Err(D::Error::custom(format!(
                "{value} is neither a number of units nor \"classes\""
            ))),
        }
    }
}

fn as_size(value: &Value) -> Option<usize> {
    value.as_u64().filter(|&n| n <= LARGEST).map(|n| n as usize)
}

fn as_pair(value: &Value) -> Option<[usize; 2]> {
    match value {
        Value::Array(list) => match list.as_slice() {
            [a, b] => Some([as_size(a)?, as_size(b)?]),
            _ => None,
        },
        value => as_size(value).map(|n| [n, n]),
    }
}

/// Reads `3` as `[3, 3]`, and `[3, 5]` as it stands.
pub(super) fn pair<'de, D: Deserializer<'de>>(d: D) -> Result<[usize; 2], D::Error> {
    let value = Value::deserialize(d)?;
    as_pair(&value)
        .ok_or_else(|| D::Error::custom(format!("{value} is neither a size nor [height, width]")))
}

/// [`pair`], where the field may be left out.
pub(super) fn some_pair<'de, D: Deserializer<'de>>(d: D) -> Result<Option<[usize; 2]>, D::Error> {
    pair(d).map(Some)
}
