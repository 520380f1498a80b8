//! `melgrad lr-find`

use crate::failure::Failure;
use crate::options::{self, DeviceArgs, cache_dir};
use crate::overrides::{key_value, set_all};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::base::files;
use melgrad::models::recipe::Recipe;
use melgrad::models::run::lr_find::{Finding, lr_find};
use melgrad::models::training::train::Sweep;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Find a learning rate: raise it from step to step and plot the loss
#[derive(Debug, Args)]
#[command(
    after_help = "The loss is flat first, then falls, then diverges (Smith 2015). `suggested` is the rate where it falls fastest, `lowest` the rate of its minimum, which is too high for training. Nothing else is kept.\n\nExamples:\n  melgrad lr-find ajufo-cnn --data music --out rates.svg\n  \
                        melgrad train --data music --recipe ajufo-cnn --lr 0.0005 --out run"
)]
pub struct LrFind {
    /// Recipe: its name (`melgrad recipes` lists them) or a .toml file
    #[arg(value_name = "R")]
    recipe: PathBuf,
    /// Dataset: a folder with one folder per label
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Learning rate of the first step
    #[arg(long, value_name = "X", default_value_t = Sweep::default().from)]
    from: f64,
    /// Learning rate of the last step
    #[arg(long, value_name = "X", default_value_t = Sweep::default().to)]
    to: f64,
    /// Maximum number of steps; it ends earlier if the loss exceeds four times its minimum
    #[arg(long, value_name = "N", default_value_t = Sweep::default().steps)]
    steps: usize,
    /// Batch size
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Any other setting of the recipe
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Plot to write (SVG)
    #[arg(long, value_name = "F.svg")]
    out: Option<PathBuf>,
    /// Print one JSON document: {"suggested", "lowest", "rows": [{"learning_rate", "loss", "smoothed"}]}
    #[arg(long)]
    json: bool,
    /// Random seed of the split, initial weights, order of clips and dropout
    #[arg(long, value_name = "N", default_value = "0", value_parser = options::seed)]
    seed: u64,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl LrFind {
    pub fn run(self) -> Result<(), Failure> {
        let mut recipe = Recipe::load(&self.recipe.to_string_lossy())?;
        if let Some(batch) = self.batch {
            recipe.set("training.batch", &batch.to_string())?;
        }
        set_all(&mut recipe, &self.set)?;
        let cache = cache_dir(self.no_cache);
        let finding = Finding {
            data: &self.data,
            recipe: &recipe,
            seed: self.seed,
            cache: cache.as_deref(),
            sweep: Sweep {
                from: self.from,
                to: self.to,
                steps: self.steps,
            },
        };
        let device = self.device.open()?;
        let found = Progress::new().watch(|control| lr_find(&finding, &device, control));
        let found = found.map_err(|error| Failure::with_network(&self.recipe, error))?;
        if let Some(out) = &self.out {
            files::write_bytes(out, found.svg(&recipe.name).as_bytes())?;
            terminal::note(&format!("plot: {}", out.display()));
        }
        let (suggested, lowest) = (found.suggested, found.lowest);
        match self.json {
            true => terminal::print_json(&found),
            false => terminal::print(&format!(
                "suggested  {suggested:.2e}\nlowest     {lowest:.2e}\n"
            )),
        }
    }
}
