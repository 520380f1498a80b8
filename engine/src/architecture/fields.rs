//! Options of a layer as a file gives them, with hints where a name is wrong.

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

/// The fields of one layer.
pub(super) type Fields = Map<String, Value>;

/// The options of one kind; only those that it has.
pub(super) fn fields<T: DeserializeOwned>(kind: &str, given: Fields) -> Result<T, String> {
    let known = names::<T>();
    if let Some(name) = given.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{kind}: {}", unknown("option", name, known)));
    }
    T::deserialize(Value::Object(given)).map_err(|error| format!("{kind}: {error}"))
}

/// `unknown kind `conv2`; did you mean `Conv2d`? (one of …)`
pub(super) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known.iter().copied());
    let hint = hint.map_or(String::new(), |hint| format!("; did you mean `{hint}`?"));
    match known {
        [] => format!("unknown {what} `{name}`: there are none"),
        _ => format!(
            "unknown {what} `{name}`{hint} (one of {})",
            known.join(", ")
        ),
    }
}

/// The candidate that differs least from `name`, where that is little enough to be a slip. Case does not count.
///
/// ```
/// assert_eq!(engine::nearest("conv2", ["Linear", "Conv2d"]), Some("Conv2d"));
/// assert_eq!(engine::nearest("banana", ["Linear", "Conv2d"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let near = candidates
        .into_iter()
        .map(|c| (distance(&name, &c.to_lowercase()), c));
    let (distance, found) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.chars().count() / 3).then_some(found)
}

/// How many letters must be put in, left out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The names of a struct's fields, as serde knows them.
fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Spy<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Spy<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(Self::Error::custom("only the names were wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("not a struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut found: &[&str] = &[];
    // The spy always ends in an error; what it saw is what counts.
    let _ = T::deserialize(Spy(&mut found));
    found
}
