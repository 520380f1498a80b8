//! A recipe: everything that makes one experiment, as a TOML file.
//!
//! The recipes of the papers ship inside the program ([`SHIPPED`]); your own recipe is a file of the same form. Where a
//! paper is silent, the value is ours, and the recipe's `notes` say so. A variant of another recipe says `like =
//! "NAME"` and gives the differences (`like.rs`).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`Recipe`] |
//! | `layers.rs` | one option of one layer, changed by its path |
//! | `like.rs` | a recipe based on a shipped one |
//! | `range.rs` | [`Ranges`]: search ranges of settings |
//! | `transfer.rs` | [`Transfer`]: source of the initial weights |
//! | `texts.rs`, `shipped.rs` | [`SHIPPED`]: the recipes that ship with the program |
//! | `toml_text.rs` | TOML errors in one line |

mod layers;
mod like;
#[cfg(test)]
mod papers;
mod range;
mod shipped;
#[cfg(test)]
mod tests;
mod texts;
mod toml_text;
mod transfer;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use engine::{Architecture, nearest};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::files;
use crate::classical::Classical;
use crate::data::dataset::Layout;
use crate::data::labels;
use crate::data::split::SplitSettings;
use crate::input::Input;
use crate::input::frontend::Frontend;
use crate::training::settings::{Extract, TrainingSettings};
pub use range::{Between, Draw, Range, Ranges, draws};
pub use shipped::{networks, shipped};
pub use texts::SHIPPED;
use toml_text::one_line;
pub(crate) use toml_text::read_toml;
pub use transfer::Transfer;

/// One experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name; the file's stem.
    pub name: String,
    /// Paper that published it.
    #[serde(default)]
    pub paper: String,
    /// Dataset of the paper's results.
    #[serde(default)]
    pub dataset: String,
    /// Number of classes in the paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<NonZeroUsize>,
    /// Short description of the network.
    #[serde(default)]
    pub network: String,
    /// Notes for readers: what the paper leaves open, and what was chosen.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Results that the paper claims, by metric: `accuracy`, `precision`, `recall`, `f1` (macro), `weighted_f1`,
    /// `validation_accuracy`…
    #[serde(default)]
    pub claimed: BTreeMap<String, f64>,
    /// Layout of the dataset on disk; detected if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Labels put together: the name of each, and the dataset's labels that it stands for. Others are left out; where
    /// it
    /// is empty, the dataset's own are taken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Vec<String>>,
    /// Input settings: from a clip to the network's input.
    pub input: Input,
    /// Split into training, validation and test clips.
    #[serde(default)]
    pub split: SplitSettings,
    /// Training settings.
    #[serde(default)]
    pub training: TrainingSettings,
    /// Source of the initial weights.
    #[serde(default, skip_serializing_if = "Transfer::is_empty")]
    pub transfer: Transfer,
    /// The network.
    #[serde(default = "no_network", skip_serializing_if = "is_no_network")]
    pub architecture: Architecture,
    /// Settings that a search may change, with their ranges (see [`crate::run::search`]).
    #[serde(default, skip_serializing_if = "Ranges::is_empty")]
    pub search: Ranges,
    /// Classifier of another kind, in place of a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<Classical>,
}

fn no_network() -> Architecture {
    Architecture {
        input: Vec::new(),
        layers: Vec::new(),
    }
}

fn is_no_network(architecture: &Architecture) -> bool {
    architecture.layers.is_empty()
}

/// One row of `melgrad recipes`. The names in its JSON are stable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listing {
    /// Name of the recipe.
    pub name: String,
    /// Paper that published it.
    pub paper: String,
    /// Dataset of the paper's results.
    pub dataset: String,
    /// Number of classes in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<NonZeroUsize>,
    /// Short description of the network.
    pub network: String,
    /// Results that the paper claims, by metric.
    pub claimed: BTreeMap<String, f64>,
}

impl Recipe {
    /// Loads a shipped recipe by its name, or your own recipe by a path that ends in `.toml`.
    ///
    /// # Errors
    /// [`Error::UnknownRecipe`] with the nearest name; [`Error::Io`] or [`Error::Malformed`] for a file.
    pub fn load(name_or_path: &str) -> Result<Recipe, Error> {
        if name_or_path.ends_with(".toml") {
            let path = Path::new(name_or_path);
            return Recipe::parse(&files::read_text(path)?, path);
        }
        match SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            Some((name, text)) => Recipe::parse(text, Path::new(name)),
            None => Err(Error::UnknownRecipe {
                name: name_or_path.into(),
                nearest: nearest(name_or_path, SHIPPED.iter().map(|recipe| recipe.0)),
            }),
        }
    }

    /// Parses a recipe; `path` is used in errors.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the line, or the invalid value.
    pub fn parse(text: &str, path: &Path) -> Result<Recipe, Error> {
        let malformed = |error: toml::de::Error| Error::Malformed {
            path: path.into(),
            reason: one_line(&error, text),
        };
        let recipe: Recipe = match like::whole(text, path)? {
            Some(whole) => toml::Value::Table(whole).try_into().map_err(malformed)?,
            None => toml::from_str(text).map_err(malformed)?,
        };
        recipe.check().map_err(|error| error.of(path))?;
        Ok(recipe)
    }

    /// Validates the settings, each by itself and together.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first invalid setting.
    pub fn check(&self) -> Result<(), Error> {
        self.input.check()?;
        labels::check(&self.labels)?;
        match (&self.classifier, is_no_network(&self.architecture)) {
            (Some(classifier), true) => classifier.check()?,
            (None, false) => (),
            (Some(_), false) => return Err(Error::setting("classifier", "a network as well")),
            (None, true) => {
                return Err(Error::setting(
                    "architecture",
                    "no network, and no classifier",
                ));
            }
        }
        if let Some(sound) = &self.training.sound {
            sound.check_crop(self.input.seconds)?;
        }
        if self.training.extract == Extract::Device {
            if self.classifier.is_some() {
                let reason = "a classifier that is no network learns on the host";
                return Err(Error::setting("training.extract", reason));
            }
            Frontend::check(&self.input)?;
        }
        self.training.check()
    }

    /// Changes one setting by its name, as flags do: `("training.epochs", "10")`, `("split.test", "4-*")`, and of a
    /// layer
    /// by its path, `("architecture.conv1.out_channels", "32")`. The value is TOML; what is no TOML is a text.
    ///
    /// # Errors
    /// [`Error::Override`] for an unknown setting or a value of the wrong type; [`Error::Setting`] for an invalid
    /// value.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let refuse = |reason: String| Error::Override {
            key: key.into(),
            value: value.into(),
            reason,
        };
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
        let parsed = parsed.ok().filter(|table| table.len() == 1);
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        let parsed = parsed.unwrap_or_else(|| toml::Value::String(value.into()));
        if let Some((path, field)) = layers::field(key) {
            let mut changed = self.clone();
            layers::set(&mut changed.architecture, path, field, parsed).map_err(refuse)?;
            changed.check()?;
            *self = changed;
            return Ok(());
        }
        let table = toml::Table::try_from(&*self).map_err(|error| refuse(error.to_string()))?;
        let mut whole = toml::Value::Table(table);
        let mut place = &mut whole;
        for part in key.split('.') {
            let table = place.as_table_mut();
            let table = table.ok_or_else(|| refuse("no such setting".into()))?;
            place = table
                .entry(part)
                .or_insert_with(|| toml::Table::new().into());
        }
        *place = parsed;
        let changed: Result<Recipe, toml::de::Error> = whole.try_into();
        let changed = changed.map_err(|error| refuse(error.message().replace('\n', ", ")))?;
        changed.check()?;
        *self = changed;
        Ok(())
    }

    /// Sets the search range of a setting: `range` is TOML, a list or `{ from = …, to = … }`.
    ///
    /// # Errors
    /// [`Error::Override`] for an invalid range.
    pub fn set_range(&mut self, key: &str, range: &str) -> Result<(), Error> {
        let parsed: Result<BTreeMap<String, Range>, _> =
            toml::from_str(&format!("range = {range}"));
        let parsed = parsed.ok().and_then(|mut table| table.remove("range"));
        let parsed = parsed.ok_or_else(|| Error::Override {
            key: key.into(),
            value: range.into(),
            reason: "a range is a list, or { from = …, to = … } with `step` or `log`".into(),
        })?;
        parsed.check(key)?;
        self.search.insert(key.into(), parsed);
        Ok(())
    }

    /// Returns the same experiment with your own network: a `.toml` or `.json` file with `layers`.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Malformed`].
    pub fn with_architecture(&self, path: &Path) -> Result<Recipe, Error> {
        let architecture = read_architecture(path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Recipe {
            name: stem.into_owned(),
            paper: String::new(),
            dataset: String::new(),
            classes: None,
            network: path.display().to_string(),
            notes: Vec::new(),
            claimed: BTreeMap::new(),
            search: Ranges::new(),
            architecture,
            // Layers of this name may be different ones.
            transfer: Transfer::default(),
            training: TrainingSettings {
                frozen: Vec::new(),
                ..self.training.clone()
            },
            classifier: None,
            ..self.clone()
        })
    }

    /// Returns the network for this many labels; its input has the shape of the recipe's features.
    ///
    /// # Errors
    /// [`Error::Engine`] with the layer that does not fit; [`Error::Setting`] if the network's own input shape differs
    /// from that of the features, or if its output is not one logit per label.
    pub fn architecture_for(&self, labels: usize) -> Result<Architecture, Error> {
        let [channels, bands, frames] = self.input.shape();
        let refuse = |reason: String| Err(Error::setting("architecture", reason));
        if let Some(classifier) = &self.classifier {
            return refuse(format!("a classifier ({}), no network", classifier.name()));
        }
        let own = engine::Shape::from(&self.architecture.input[..]);
        let architecture = match own.is_empty() {
            true => self.architecture.with_input([channels, bands, frames]),
            false => self.architecture.clone(),
        };
        if !own.is_empty() && own.elements() != self.input.rows().saturating_mul(frames) {
            return refuse(format!(
                "its input is {own}, the features are {channels}×{bands}×{frames}"
            ));
        }
        let architecture = architecture.with_classes(labels);
        let output = architecture.output()?;
        if output[..] != [labels] {
            return refuse(format!("it puts out {output} for {labels} labels"));
        }
        let last = architecture.summary()?.layers.pop();
        if last.is_some_and(|layer| layer.kind == "Softmax") {
            return refuse("its last layer is Softmax, and cross-entropy takes logits".into());
        }
        Ok(architecture)
    }

    /// Returns the recipe as TOML.
    ///
    /// # Errors
    /// [`Error::Setting`] for values that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self).map_err(|error| Error::setting("recipe", error.to_string()))
    }

    /// Returns the recipe's row in `melgrad recipes`.
    #[must_use]
    pub fn listing(&self) -> Listing {
        Listing {
            name: self.name.clone(),
            paper: self.paper.clone(),
            dataset: self.dataset.clone(),
            classes: self.classes,
            network: self.network.clone(),
            claimed: self.claimed.clone(),
        }
    }
}

/// Loads a network alone: by the name of its recipe, or from a file that is a recipe or just has `layers` (`.toml`,
/// `.json`). A recipe's network takes the shape of its features as its input; a file with just `layers` may leave it
/// open. Without `labels` it has one output for each of the paper's classes, or 10 if the file does not give their
/// number.
///
/// # Errors
/// As [`Recipe::load`] and [`Recipe::with_architecture`].
pub fn architecture(
    name_or_path: &Path,
    labels: Option<NonZeroUsize>,
) -> Result<Architecture, Error> {
    let count = |labels: Option<NonZeroUsize>| labels.map_or(10, NonZeroUsize::get);
    let name = name_or_path.to_string_lossy();
    let just_layers = match name_or_path.extension().and_then(|e| e.to_str()) {
        Some("json") => true,
        Some("toml") => toml::from_str::<toml::Table>(&files::read_text(name_or_path)?)
            .is_ok_and(|table| table.contains_key("layers")),
        _ => false,
    };
    if just_layers {
        return Ok(read_architecture(name_or_path)?.with_classes(count(labels)));
    }
    let recipe = Recipe::load(&name)?;
    recipe.architecture_for(count(labels.or(recipe.classes)))
}

/// Loads a network from a `.toml` or `.json` file with just `layers`.
fn read_architecture(path: &Path) -> Result<Architecture, Error> {
    let extension = path.extension().unwrap_or_default();
    if !extension.eq_ignore_ascii_case("json") {
        return read_toml(path);
    }
    Architecture::from_json(&files::read_text(path)?).map_err(|error| Error::Malformed {
        path: path.into(),
        reason: error.to_string(),
    })
}
