//! One training step (forward, cross-entropy, backward, Adam) of a recipe's network in burn or in candle.
//!
//! ```text
//! RAYON_NUM_THREADS=2 frameworks burn-flex|burn-ndarray|candle RECIPE.toml [--steps N] [--warmup N]
//! ```
//!
//! The network is built from the recipe's own file. One JSON document on standard output, as `train_step.py` writes it:
//! the median of the steps after the warm-up, and the most memory that the process ever held. Both frameworks take the
//! number of threads from `RAYON_NUM_THREADS`.
//!
//! burn's backend `cpu` is not here: it needs an LLVM that its build script takes from GitHub, not from crates.io. `ndarray` is deprecated
//! in burn 0.22 and `flex` follows it. candle's max-pooling has a gradient only where the windows stand side by side, and a
//! wrong one where they do not divide the map: there the rest is cut off first, which is what pooling does with it anyway.

mod in_burn;
mod in_candle;
mod recipe;

use recipe::Recipe;
use serde_json::json;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Labels, as the other sides have it.
const CLASSES: usize = 10;

/// A training: every call is a step and gives the loss.
type Training = Box<dyn FnMut() -> Result<f32>>;

/// A field of `/proc/self/status` in MiB.
fn memory(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(field))?;
    let kib: f64 = line
        .strip_prefix(':')?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}

#[allow(deprecated)] // burn's ndarray: see above.
fn main() -> Result<()> {
    let (mut steps, mut warmup, mut words) = (3, 1, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(word) = arguments.next() {
        let mut number = || {
            arguments
                .next()
                .ok_or("a number is missing")?
                .parse::<usize>()
                .map_err(Box::<dyn std::error::Error>::from)
        };
        match &*word {
            "--steps" => steps = number()?,
            "--warmup" => warmup = number()?,
            _ => words.push(word),
        }
    }
    let [backend, path] = &words[..] else {
        return Err("burn-flex|burn-ndarray|candle RECIPE.toml [--steps N] [--warmup N]".into());
    };
    if steps == 0 {
        return Err("--steps: at least 1".into());
    }
    let before = memory("VmRSS");
    let recipe: Recipe = toml::from_str(&std::fs::read_to_string(path)?)?;
    let (peer, mut training) = match &**backend {
        "burn-flex" => (
            "burn 0.22.1, flex",
            in_burn::training(&recipe, burn::tensor::Device::flex())?,
        ),
        "burn-ndarray" => (
            "burn 0.22.1, ndarray",
            in_burn::training(&recipe, burn::tensor::Device::ndarray())?,
        ),
        "candle" => ("candle 0.11.1", in_candle::training(&recipe)?),
        _ => return Err(format!("{backend}: burn-flex, burn-ndarray or candle").into()),
    };
    let (mut times, mut loss) = (Vec::new(), f32::NAN);
    for step in 0..warmup + steps {
        let start = Instant::now();
        loss = training()?;
        if step >= warmup {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let median = (times[(steps - 1) / 2] + times[steps / 2]) / 2.0;
    let row = json!({
        "input": recipe.batch_shape(), "steps": steps, "median_ms": median, "min_ms": times[0], "max_ms": times[steps - 1],
        "peak_mib": memory("VmHWM"), "mib_before": before, "loss": loss,
    });
    let threads = std::env::var("RAYON_NUM_THREADS").ok();
    println!(
        "{}",
        json!({"peer": peer, "threads": threads, "train_step": {&*recipe.name: row}})
    );
    Ok(())
}
