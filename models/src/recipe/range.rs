//! Search ranges of a recipe's `[search]`, and draws from them.
//!
//! ```toml
//! [search]
//! "training.learning_rate" = { from = 1e-4, to = 1e-2, log = true }
//! "architecture.conv1.out_channels" = { from = 32, to = 128, step = 16 }
//! "architecture.conv1.activation" = ["relu", "elu", "tanh"]
//! ```
//!
//! A key is a setting of `Recipe::set`. Draws depend on the seed and the ranges only, so a resumed search continues
//! with the same draws.

use std::collections::{BTreeMap, BTreeSet};

use kernels::philox::Philox;
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::Error;
use crate::base::random::{Stream, stream};

/// Ranges of a recipe, by setting.
pub type Ranges = BTreeMap<String, Range>;

/// One draw: a value for every setting.
pub type Draw = BTreeMap<String, Value>;

/// Values that a setting may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Range {
    /// One of a list.
    Any(Vec<Value>),
    /// A number from a range.
    Between(Between),
}

/// Range of numbers, both ends included. The numbers are whole if both bounds and the step are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// Lower bound.
    pub from: Value,
    /// Upper bound.
    pub to: Value,
    /// Step; if missing, 1 for whole numbers and none for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Value>,
    /// Whether numbers are uniform on a logarithmic scale.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

/// Number of draws without a new one after which the ranges count as exhausted.
const TRIES: usize = 1000;

impl Range {
    /// Validates bounds and steps; `key` is used in errors.
    ///
    /// # Errors
    /// [`Error::Override`] for an empty list, bounds that are not numbers or not increasing, or an invalid step.
    pub fn check(&self, key: &str) -> Result<(), Error> {
        let reason = match self {
            Range::Any(values) if values.is_empty() => "an empty list",
            Range::Any(_) => return Ok(()),
            Range::Between(between) => match between.problem() {
                Some(problem) => problem,
                None => return Ok(()),
            },
        };
        Err(Error::Override {
            key: format!("search.{key}"),
            value: toml::Value::try_from(self).map_or_else(|_| "?".into(), |v| v.to_string()),
            reason: reason.into(),
        })
    }

    /// Returns the values at both ends, to check the setting's name and type.
    pub(crate) fn ends(&self) -> Vec<Value> {
        match self {
            Range::Any(values) => values.clone(),
            Range::Between(between) => vec![between.from.clone(), between.to.clone()],
        }
    }

    fn draw(&self, random: &mut Philox) -> Value {
        match self {
            // `check` rejects an empty list.
            Range::Any(values) => values[random.below(values.len())].clone(),
            Range::Between(between) => between.draw(random),
        }
    }
}

impl Between {
    /// Returns both bounds, the step, and whether all are whole numbers.
    fn numbers(&self) -> Option<(f64, f64, Option<f64>, bool)> {
        let step = match &self.step {
            Some(step) => Some(number(step)?),
            None => None,
        };
        let all = [Some(&self.from), Some(&self.to), self.step.as_ref()];
        let whole = all.into_iter().flatten().all(Value::is_integer);
        Some((number(&self.from)?, number(&self.to)?, step, whole))
    }

    fn problem(&self) -> Option<&'static str> {
        let Some((from, to, step, _)) = self.numbers() else {
            return Some("`from`, `to` and `step` are numbers");
        };
        if !(from.is_finite() && to.is_finite() && from <= to) {
            return Some("`from` is above `to`");
        }
        if self.log && from <= 0.0 {
            return Some("`log` needs bounds above 0");
        }
        if self.log && step.is_some() {
            return Some("`log` goes without `step`");
        }
        if step.is_some_and(|step| !(step.is_finite() && step > 0.0)) {
            return Some("`step` is above 0");
        }
        None
    }

    fn draw(&self, random: &mut Philox) -> Value {
        // `check` rejects values that are not numbers.
        let (from, to, step, whole) = self.numbers().unwrap_or((0.0, 0.0, None, false));
        let unit = f64::from(random.uniform());
        let step = step.or(whole.then_some(1.0)).filter(|_| !self.log);
        let value = match step {
            Some(step) => {
                let count = ((to - from) / step + 1e-9).floor() + 1.0;
                from + step * (unit * count).floor().min(count - 1.0)
            }
            None if self.log => from * (to / from).powf(unit),
            None => from + (to - from) * unit,
        };
        match whole {
            true => Value::Integer(value.round() as i64),
            false => Value::Float(short(value).clamp(from, to)),
        }
    }
}

/// Rounds to four significant digits, which are enough for a draw.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|n| n as f64))
}

/// Returns the first `count` distinct draws; fewer if the ranges hold no more.
#[must_use]
pub fn draws(ranges: &Ranges, seed: u64, count: usize) -> Vec<Draw> {
    let mut random = stream(seed, Stream::Search, 0);
    let (mut seen, mut draws) = (BTreeSet::new(), Vec::new());
    let mut tries = 0;
    while draws.len() < count && tries < TRIES {
        let draw: Draw = ranges
            .iter()
            .map(|(key, range)| (key.clone(), range.draw(&mut random)))
            .collect();
        let text: Vec<String> = draw.values().map(Value::to_string).collect();
        tries += 1;
        if seen.insert(text) {
            draws.push(draw);
            tries = 0;
        }
    }
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Ranges {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn draws_lie_in_their_ranges_and_fill_them() {
        let ranges = ranges(
            "rate = { from = 1e-4, to = 1e-2, log = true }\nunits = { from = 32, to = 128, step = 16 }\n\
             share = { from = 0.25, to = 1, step = 0.25 }\nfunction = [\"relu\", \"elu\"]\nplain = { from = 2, to = 4 }",
        );
        let all = draws(&ranges, 7, 400);
        assert_eq!(all.len(), 400);
        let of = |key: &str| -> Vec<f64> {
            all.iter().map(|draw| number(&draw[key]).unwrap()).collect()
        };
        let rates = of("rate");
        assert!(rates.iter().all(|rate| (1e-4..=1e-2).contains(rate)));
        let low = rates.iter().filter(|&&rate| rate < 1e-3).count();
        assert!(
            (150..250).contains(&low),
            "half of them in the lower decade: {low}"
        );
        let distinct = |key: &str| {
            let all: BTreeSet<String> = all.iter().map(|draw| draw[key].to_string()).collect();
            all.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            distinct("units"),
            ["112", "128", "32", "48", "64", "80", "96"]
        );
        assert_eq!(distinct("share"), ["0.25", "0.5", "0.75", "1.0"]);
        assert_eq!(distinct("function"), ["\"elu\"", "\"relu\""]);
        assert_eq!(distinct("plain"), ["2", "3", "4"]);
        assert_eq!(all[..9], draws(&ranges, 7, 9), "more draws change none");
        assert_ne!(all[..9], draws(&ranges, 8, 9));
    }

    #[test]
    fn a_small_range_runs_out() {
        let ranges = ranges("a = [1, 2, 3]\nb = [true, false]");
        assert_eq!(draws(&ranges, 0, 100).len(), 6);
        assert_eq!(draws(&Ranges::new(), 0, 100).len(), 1);
    }

    #[test]
    fn ranges_that_make_no_sense_are_named() {
        for (text, problem) in [
            ("a = []", "empty"),
            ("a = { from = 3, to = 2 }", "above"),
            ("a = { from = \"x\", to = 2 }", "numbers"),
            ("a = { from = 0, to = 2, log = true }", "above 0"),
            ("a = { from = 1, to = 2, log = true, step = 1 }", "without"),
            ("a = { from = 1, to = 2, step = 0 }", "`step` is above 0"),
            ("a = { from = 1, to = nan }", "above"),
        ] {
            let error = ranges(text)["a"].check("a").unwrap_err().to_string();
            assert!(
                error.contains("search.a") && error.contains(problem),
                "{text}: {error}"
            );
        }
        assert!(toml::from_str::<Ranges>("a = { from = 1, too = 2 }").is_err());
    }
}
