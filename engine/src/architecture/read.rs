//! Reading layers from TOML or JSON, with errors that say which layer, and which name was probably meant.

use super::fields::Fields;
use super::layer::{Kind, Layer};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        layer(d.deserialize_map(Once)?).map_err(D::Error::custom)
    }
}

/// Reads fields of which none may be said twice.
struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a layer's fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, value)) = given.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "a layer's `{name}` is said twice"
                )));
            }
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

fn layer(mut fields: Fields) -> Result<Layer, String> {
    let mut text = |field: &str| match fields.remove(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value) => Err(format!("a layer's `{field}` is {value}, not a text")),
    };
    let (name, kind) = (text("name")?, text("kind")?);
    let said = name
        .as_ref()
        .map_or(String::new(), |name| format!("layer `{name}`: "));
    let kinds = Kind::NAMES.join(", ");
    let kind = kind.ok_or_else(|| format!("{said}a layer has no `kind` (one of {kinds})"))?;
    let kind = Kind::read(&kind, fields).map_err(|problem| format!("{said}{problem}"))?;
    Ok(Layer { name, kind })
}
