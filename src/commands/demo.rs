//! `melgrad demo`

use crate::failure::Failure;
use crate::interrupt;
use crate::options::{self, DeviceArgs};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::run::demo;
use std::path::PathBuf;
use std::time::Instant;

/// Make music, train on it, test and report, in a few seconds: no download, no GPU
#[derive(Debug, Args)]
#[command(
    after_help = "The music is synthetic, made by melgrad: the results show that everything works, and say \
                        nothing about real music.\n\nExample:\n  melgrad demo --out demo"
)]
pub struct Demo {
    /// Folder to write [default: melgrad-demo, or the first free of melgrad-demo-2, -3, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Random seed of the music and the weights
    #[arg(long, value_name = "N", default_value = "0", value_parser = options::seed)]
    seed: u64,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        let began = Instant::now();
        let out = self.out.unwrap_or_else(|| options::free("melgrad-demo"));
        terminal::note(
            "synthesise music of ten kinds, extract log-mel, train a small CNN, test it on clips held back",
        );
        let device = self.device.open()?;
        let run = out.join("run");
        interrupt::last_words(move || options::training_stopped(&run));
        let demo = Progress::new()
            .watch(|control| demo::demo(&out, self.seed, &device, control))
            .map_err(|error| match error {
                Error::Stopped => options::training_stopped(&out.join("run")),
                Error::RunExists { .. } => Failure::from(error)
                    .hint("give another --out; without it the next free folder is taken"),
                error => error.into(),
            })?;
        let outcome = &demo.outcome;
        if let Some(metrics) = &outcome.metrics {
            terminal::print(&format!("{}\n\n", metrics.confusion_text()))?;
        }
        let best = demo.answer.best();
        terminal::print(&format!(
            "one clip, never heard: {}\n  it is {}; the network says {} ({:.1} %)\n\nreport: {}\n\n\
             This music is synthetic: the figures show that everything works, not how well real genres are told apart.\n",
            terminal::one_line(&demo.clip.display().to_string()),
            demo.truth,
            best.label,
            100.0 * best.probability,
            terminal::one_line(&outcome.run.report().display().to_string()),
        ))?;
        terminal::note(&format!("done in {:.0} s", began.elapsed().as_secs_f64()));
        Ok(())
    }
}
