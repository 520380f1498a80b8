//! `melgrad summary`

use crate::failure::Failure;
use crate::terminal;
use clap::Args;
use melgrad::engine::Architecture;
use melgrad::models::Error;
use melgrad::models::classify::convert;
use melgrad::models::recipe::architecture;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Print a network's layers: output shapes, parameters, multiply-adds, memory
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  melgrad summary amin-dense\n  melgrad summary ajufo-cnn --classes 2\n  melgrad summary my-network.toml --input 1x128x660 \
                        --classes 8\n  melgrad summary run"
)]
pub struct Summary {
    /// Recipe's name; or a file: recipe (.toml), architecture (.toml, .json), trained model (.safetensors); or a run
    #[arg(value_name = "ARCH")]
    architecture: PathBuf,
    /// Input shape of one example; replaces that of the file
    #[arg(long, value_name = "CxHxW", value_parser = shape)]
    input: Option<Shape>,
    /// Number of classes [default: that of the recipe's paper; 10 if there is none]
    #[arg(long, value_name = "N")]
    classes: Option<NonZeroUsize>,
    /// Print one JSON document: {"layers": [{"name", "kind", "output", "parameters", "multiply_adds"}], "parameters",
    /// "multiply_adds"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
struct Shape(Vec<usize>);

impl Summary {
    pub fn run(self) -> Result<(), Failure> {
        let refused = |error| Failure::with_network(&self.architecture, Error::Engine(error));
        let mut architecture = self.architecture()?;
        if let Some(Shape(input)) = &self.input {
            architecture = architecture.with_input(input.clone());
        }
        if architecture.input.is_empty() {
            let message = format!(
                "{}: it does not say the shape of its input",
                self.architecture.display()
            );
            return Err(Failure::new(message).hint("--input CxHxW, for example --input 1x128x660"));
        }
        let summary = architecture.summary().map_err(refused)?;
        match self.json {
            true => terminal::print_json(&serde_json::json!({
                "layers": summary.layers,
                "parameters": summary.parameters,
                "multiply_adds": summary.multiply_adds,
            })),
            false => terminal::print(&format!("{summary}\n")),
        }
    }

    fn architecture(&self) -> Result<Architecture, Failure> {
        let path = &self.architecture;
        let trained = |path: &Path| path.extension().is_some_and(|e| e == "safetensors");
        if !path.is_dir() && !trained(path) {
            let refused = |error| Failure::with_network(path, error);
            return architecture(path, self.classes).map_err(refused);
        }
        match self.classes {
            Some(_) => Err(Failure::usage(
                "--classes: a trained model has labels of its own",
            )),
            None => Ok(convert::open(path)?.1.architecture),
        }
    }
}

fn shape(text: &str) -> Result<Shape, String> {
    let sizes: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
    match sizes {
        Ok(sizes) if !sizes.contains(&0) => Ok(Shape(sizes)),
        _ => Err("a shape is written as 1x128x660".into()),
    }
}
