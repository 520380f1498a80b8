//! `melgrad import` and `melgrad export`

use crate::failure::Failure;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::base::files;
use melgrad::models::classify::convert;
use melgrad::models::input::{Fit, Normalisation, Normalise};
use melgrad::models::recipe::Recipe;
use std::path::PathBuf;

/// Convert weights from PyTorch or Keras to a model file
#[derive(Debug, Args)]
#[command(
    after_help = "WEIGHTS is a safetensors file: a state dict of PyTorch whose modules are called as the network's \
                        layers (`melgrad summary` names them; `.` for `/`), or Keras' layers. Missing, unexpected or mismatched arrays are listed, and nothing is written then.\n\nExamples:\n  melgrad import \
                        theirs.safetensors --recipe ajufo-crnn --labels blues,jazz,rock --mean=-38 --deviation 19 \
                        --out model.safetensors\n  melgrad import theirs.safetensors --like run --out model.safetensors"
)]
pub struct Import {
    /// Weights of the other library (safetensors)
    #[arg(value_name = "WEIGHTS")]
    weights: PathBuf,
    /// Network and features: a recipe's name or a .toml file
    #[arg(
        long,
        value_name = "R",
        required_unless_present = "like",
        requires = "labels"
    )]
    recipe: Option<PathBuf>,
    /// Labels of the network's outputs, in order
    #[arg(long, value_name = "L,L…", value_delimiter = ',')]
    labels: Vec<String>,
    /// Mean of the features before normalisation [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    mean: Option<f32>,
    /// Standard deviation of the features before normalisation [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    deviation: Option<f32>,
    /// Take everything but the weights from this model: a run or a model file
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["recipe", "labels", "mean", "deviation"])]
    like: Option<PathBuf>,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let model = match (&self.like, &self.recipe) {
            (Some(like), _) => convert::with_weights(like, &self.weights)?,
            (None, Some(recipe)) => {
                let recipe = Recipe::load(&recipe.to_string_lossy())?;
                let given = self.mean.or(self.deviation).is_some();
                let normalisation = match recipe.input.normalise {
                    Normalise::Window if given => {
                        return Err(Failure::usage(format!(
                            "--mean, --deviation: {} normalises every window by its own",
                            recipe.name
                        )));
                    }
                    Normalise::Window => Fit::new(Normalise::Window, 1).finish(),
                    _ => Normalisation {
                        mean: vec![self.mean.unwrap_or(0.0)],
                        deviation: vec![self.deviation.unwrap_or(1.0)],
                        ..Normalisation::default()
                    },
                };
                convert::import(&self.weights, &recipe, self.labels.clone(), &normalisation)?
            }
            // clap requires one of them.
            (None, None) => return Err(Failure::usage("--recipe or --like is missing")),
        };
        let bytes = model.to_bytes().map_err(Error::from)?;
        files::write_bytes(&self.out, &bytes)?;
        terminal::print_path(&self.out)
    }
}

/// Convert a model's weights for PyTorch
#[derive(Debug, Args)]
#[command(
    after_help = "In PyTorch, with modules that have the names of the network's layers (`melgrad summary` lists them; \
                        `.` for `/`):\n  net.load_state_dict(safetensors.torch.load_file(\"weights.safetensors\"))\n\nExample:\n  \
                        melgrad export run --out weights.safetensors"
)]
pub struct Export {
    /// A run or a model file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// File to write (safetensors)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub fn run(self) -> Result<(), Failure> {
        let (path, model) = convert::open(&self.model)?;
        let same = |path: PathBuf| self.out.canonicalize().is_ok_and(|out| out == path);
        if path.canonicalize().is_ok_and(same) {
            return Err(Failure::usage("--out is the model itself"));
        }
        files::write_bytes(&self.out, &convert::export(&model)?)?;
        terminal::print_path(&self.out)
    }
}
