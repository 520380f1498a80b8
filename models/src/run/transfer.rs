//! Initial weights from another training: an earlier stage, or another library's network.

use std::path::Path;

use engine::state_dict::{self, Names};
use engine::{ModelFile, Weights};

use crate::Error;
use crate::base::control::Control;
use crate::base::files;
use crate::recipe::Recipe;
use crate::run::folder::RunFolder;
use crate::training::train::Trainer;

/// Reads the weights of a run, a model file or another library's file, under our names; also returns the file's name.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`] if the file is not safetensors, or if a model file is damaged or too new.
pub fn read(path: &Path, names: &Names) -> Result<(String, Weights), Error> {
    let file = RunFolder::model_of(path)?;
    let name = file.display().to_string();
    let bytes = files::read_bytes(&file)?;
    let weights = match ModelFile::is_one(&bytes) {
        true => ModelFile::from_bytes(&bytes).map(|model| model.weights),
        false => state_dict::read(&bytes, names),
    };
    let weights = weights.map_err(Error::model(&name))?;
    Ok((name, weights))
}

/// Unfreezes all layers if there are no initial weights: a frozen layer would keep its random weights. Returns a
/// warning.
pub(crate) fn thaw(recipe: &mut Recipe) -> Option<String> {
    let frozen = &mut recipe.training.frozen;
    if frozen.is_empty() || recipe.transfer.weights.is_some() {
        return None;
    }
    let layers = std::mem::take(frozen).join(", ");
    let from = match &recipe.transfer.stage {
        Some(stage) => format!("the run of {stage}"),
        None => "a file with weights".into(),
    };
    Some(format!(
        "{layers} would be frozen with the weights of an earlier training: without {from} (--weights), all of it learns from scratch"
    ))
}

/// Sets the initial weights of a training, and returns a description of the result.
///
/// # Errors
/// As [`read`]; [`Error::Model`] if no weights match, or a frozen layer gets none.
pub(crate) fn begin(
    trainer: &mut Trainer<'_>,
    recipe: &Recipe,
    control: Control<'_>,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let transfer = &recipe.transfer;
    let Some(path) = &transfer.weights else {
        return Ok(());
    };
    let (name, weights) = read(path, &transfer.names)?;
    let refuse = |reason: String| Error::Model {
        name: name.clone(),
        source: engine::Error::ModelFile(reason),
    };
    let loaded = trainer.start_from(&weights).map_err(|error| match error {
        Error::Engine(source @ engine::Error::ModelFile(_)) => Error::model(&name)(source),
        error => error,
    })?;
    if loaded.taken.is_empty() {
        return Err(refuse(format!("none of its weights fits: {loaded}")));
    }
    let frozen = |array: &str| {
        let layers = recipe.training.frozen.iter();
        let mut rests = layers.filter_map(|layer| array.strip_prefix(layer.as_str()));
        rests.any(|rest| rest.starts_with(['/', '.']))
    };
    let other = loaded.mismatched.iter().map(|(array, ..)| array);
    if let Some(array) = loaded.kept.iter().chain(other).find(|array| frozen(array)) {
        let problem = format!("`{array}` is to be frozen and gets no weights: {loaded}");
        return Err(refuse(problem));
    }
    control.warn(warnings, [format!("{name}: {loaded}")]);
    Ok(())
}
