//! Conversion of weights: from other libraries to model files, and back.

use std::path::{Path, PathBuf};

use engine::ModelFile;
use engine::state_dict::{self, Names};

use crate::Error;
use crate::base::files;
use crate::input::Normalisation;
use crate::recipe::Recipe;
use crate::run::folder::RunFolder;
use crate::run::transfer::read;

/// Opens a model file, or the model of a run's folder; also returns its path.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`].
pub fn open(model: &Path) -> Result<(PathBuf, ModelFile), Error> {
    let path = RunFolder::model_of(model)?;
    let bytes = files::read_bytes(&path)?;
    let file = ModelFile::from_bytes(&bytes).map_err(Error::model(path.display().to_string()))?;
    Ok((path, file))
}

/// Creates a model from a recipe's network and another library's weights: see [`engine::state_dict`]. Layers are
/// matched by their own names, or by those of the recipe's `transfer.names`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`] with every array that is missing, unexpected or of another shape;
/// [`Error::Setting`].
pub fn import(
    weights: &Path,
    recipe: &Recipe,
    labels: Vec<String>,
    normalisation: &Normalisation,
) -> Result<ModelFile, Error> {
    normalisation.check(recipe.input.rows())?;
    let value = |value: Result<serde_json::Value, serde_json::Error>| {
        value.map_err(|error| Error::setting("input", error.to_string()))
    };
    let (name, weights) = read(weights, &recipe.transfer.names)?;
    let file = ModelFile {
        architecture: recipe.architecture_for(labels.len())?,
        labels,
        features: value(serde_json::to_value(&recipe.input))?,
        normalisation: value(serde_json::to_value(normalisation))?,
        weights,
        resume: None,
    };
    // Writing checks the same as reading.
    file.to_bytes().map_err(Error::model(name))?;
    Ok(file)
}

/// Creates a model from another model, or that of a run, with its weights replaced by another library's. With a run,
/// the recipe's `transfer.names` gives the other library's names of the layers.
///
/// # Errors
/// As [`import`] and [`open`].
pub fn with_weights(like: &Path, weights: &Path) -> Result<ModelFile, Error> {
    let names = match like.is_dir() {
        true => RunFolder::open(like)?.settings()?.recipe.transfer.names,
        false => Names::new(),
    };
    let (_, model) = open(like)?;
    let (name, weights) = read(weights, &names)?;
    let file = ModelFile {
        weights,
        resume: None,
        ..model
    };
    file.to_bytes().map_err(Error::model(name))?;
    Ok(file)
}

/// Returns a model's weights in the form that PyTorch's `load_state_dict` takes: see [`engine::state_dict::write`].
///
/// # Errors
/// [`Error::Engine`] if the format cannot hold them.
pub fn export(model: &ModelFile) -> Result<Vec<u8>, Error> {
    Ok(state_dict::write(&model.weights)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use engine::{Array, Device, Mode, Network, Shape, Tensor, Weights};

    const GOLDEN: &[u8] = include_bytes!("../../../tests/goldens/ajufo_crnn.safetensors");

    /// The formula of `make_state_dict.py`.
    fn numbers(which: usize, shape: &[usize], scale: f64, offset: f64) -> Array {
        let shape = Shape::from(shape);
        let start = (which * 1_000_003) as u32;
        let number = |i: usize| {
            let mut x = (i as u32).wrapping_add(start);
            for _ in 0..2 {
                x = (x ^ (x >> 15)).wrapping_mul(0x2c1b_3c6d);
            }
            x ^= x >> 16;
            let unit = f64::from(x) / 2f64.powi(31) - 1.0;
            (offset + scale * unit) as f32
        };
        let values = (0..shape.elements()).map(number).collect();
        Array { shape, values }
    }

    /// Contents of PyTorch's module, by the formula, under PyTorch's names; without `num_batches_tracked`.
    fn theirs() -> Weights {
        let len = u64::from_le_bytes(GOLDEN[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&GOLDEN[8..8 + len]).unwrap();
        let golden = header["__metadata__"]["golden"].as_str().unwrap();
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let arrays = golden["cases"]["ajufo_crnn"]["arrays"].as_array().unwrap();
        let array = |(which, array): (usize, &serde_json::Value)| {
            let name = array["name"].as_str().unwrap().to_string();
            let shape: Vec<usize> = serde_json::from_value(array["shape"].clone()).unwrap();
            let tail: usize = shape.iter().skip(1).product();
            let near_1 = name.ends_with("weight") || name.ends_with("running_var");
            let (scale, offset) = match (name.starts_with("norm") && near_1, shape.len()) {
                (true, _) => (0.5, 1.0),
                (false, 0 | 1) => (0.25, 0.0),
                (false, _) => (2.0 / (tail as f64).sqrt(), 0.0),
            };
            (name, numbers(which, &shape, scale, offset))
        };
        let whole = |(name, _): &(String, Array)| name.ends_with("num_batches_tracked");
        let all = arrays.iter().enumerate().map(array);
        all.filter(|array| !whole(array)).collect()
    }

    fn labels(n: usize) -> Vec<String> {
        (0..n).map(|label| label.to_string()).collect()
    }

    fn written(dir: &tempfile::TempDir, weights: &Weights) -> PathBuf {
        let path = dir.path().join("theirs.safetensors");
        std::fs::write(&path, state_dict::write(weights).unwrap()).unwrap();
        path
    }

    #[test]
    fn pytorchs_weights_give_pytorchs_logits_and_go_back_as_they_came() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(&dir, &theirs());
        let recipe = Recipe::load("ajufo-crnn").unwrap();
        let model = import(&path, &recipe, labels(10), &Normalisation::default()).unwrap();
        let device = Device::cpu();
        let network = Network::with_weights(&model.architecture, &device, &model.weights).unwrap();
        let x = numbers(1000, &[2, 1, 128, 660], 2.0, 0.0);
        let x = Tensor::from_vec(&device, x.values, x.shape).unwrap();
        let logits = network.forward(&x, Mode::Eval).unwrap().to_vec().unwrap();
        let wanted = &state_dict::read(GOLDEN, &Names::new()).unwrap()["ajufo_crnn.logits"];
        assert_eq!(wanted.shape[..], [2, 10]);
        for (got, wanted) in logits.iter().zip(&wanted.values) {
            assert!(
                abs_diff_eq!(got, wanted, epsilon = 1e-4),
                "{got}, PyTorch: {wanted}"
            );
        }

        let back = state_dict::read(&export(&model).unwrap(), &Names::new()).unwrap();
        assert_eq!(back, model.weights);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(export(&model).unwrap(), bytes, "to the last bit");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let recipe = Recipe::load("ajufo-crnn").unwrap();
        let refused = |weights: &Weights, count: usize, normalisation: &Normalisation| {
            let path = written(&dir, weights);
            let error = import(&path, &recipe, labels(count), normalisation).unwrap_err();
            error.to_string()
        };
        let mut some = theirs();
        let conv = some.remove("conv2.weight").unwrap();
        some.insert("features.0.weight".into(), conv);
        let told = refused(&some, 10, &Normalisation::default());
        for part in [
            "theirs.safetensors",
            "missing `conv2.weight`",
            "unexpected `features/0.weight`",
        ] {
            assert!(told.contains(part) && !told.contains('\n'), "{told}");
        }
        assert!(
            refused(&theirs(), 3, &Normalisation::default()).contains("`linear1.weight` is 10×32")
        );
        let flat = Normalisation {
            mean: vec![0.0],
            deviation: vec![0.0],
            ..Normalisation::default()
        };
        assert!(refused(&theirs(), 10, &flat).contains("normalisation"));
    }
}
