//! melgrad's side of `compare.sh`: the same work as `train_step.py`, `kernels.py` and `extract.py`, the same JSON.
//!
//! ```text
//! cargo run --release --example peer -- train_step [--threads N] [--steps N] [--only RECIPE,…] [--device D]
//! cargo run --release --example peer -- infer [--threads N] [--steps N] [--only RECIPE,…] [--device D]
//! cargo run --release --example peer -- kernels [--threads N] [--steps N] [--only NAME] [--device D]
//! cargo run --release --example peer -- extract FOLDER [--threads 1] [--rounds N] [--device D]
//! ```

use audio::FeatureSettings;
use kernels::catalogue::CATALOGUE;
use kernels::gru::{Gru, GruGrad};
use kernels::lstm::{Lstm, LstmGrad};
use kernels::matmul::Matmul;
use kernels::measure::Subject;
use kernels::recurrence::Recurrence;
use kernels::reduce::{Reduce, ReduceOp};
use kernels::{Activation, Case, Device, Kernel, Role};
use melgrad::bench::{Infer, TrainStep, Work};
use models::recipe::Recipe;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What both kinds of work are told.
struct Options {
    threads: usize,
    steps: usize,
    warmup: usize,
    rounds: usize,
    device: String,
    only: String,
    rest: Vec<String>,
}

fn options() -> Result<Options> {
    let mut options = Options {
        threads: 1,
        steps: 10,
        warmup: 2,
        rounds: 1,
        device: "cpu".into(),
        only: String::new(),
        rest: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word}: a value is missing"));
        match word.as_str() {
            "--threads" => options.threads = value()?.parse()?,
            "--steps" => options.steps = value()?.parse()?,
            "--warmup" => options.warmup = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--device" => options.device = value()?,
            "--only" => options.only = value()?,
            _ => options.rest.push(word),
        }
    }
    if options.steps == 0 || options.rounds == 0 {
        return Err("--steps and --rounds: at least 1".into());
    }
    Ok(options)
}

/// Median, least and most, in milliseconds.
fn spread(mut times: Vec<f64>) -> (f64, f64, f64) {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let median = match times.len() % 2 {
        0 => (times[middle - 1] + times[middle]) / 2.0,
        _ => times[middle],
    };
    (median, times[0], times[times.len() - 1])
}

/// Seconds of processor time that all threads have used: what other programs on the machine take does not count.
/// Linux only; NaN (null in JSON) elsewhere.
fn cpu_seconds() -> f64 {
    let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    match std::fs::read_dir("/proc/self/task") {
        Ok(tasks) => tasks.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9,
        Err(_) => f64::NAN,
    }
}

/// The networks of the comparison, where `--only` names no others.
const RECIPES: &str = "ajufo-cnn,ajufo-crnn,georgopoulos-cnn,northrop-cnn,amin-cnn";

/// Labels, as train_step.py has it.
const CLASSES: usize = 10;

/// A field of `/proc/self/status` in MiB: `VmHWM` is the most that the process ever held. NaN where there is no such file.
fn memory(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.strip_prefix(':')?.split_whitespace().next());
    let kib: Option<f64> = number.and_then(|number| number.parse().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// The recipes' networks, one after the other: a training step (the loss read at the end, as the peer does), or one
/// window from features to probabilities.
fn networks(device: &Device, options: &Options, infer: bool) -> Result<Value> {
    let recipes = match &*options.only {
        "" => RECIPES,
        only => only,
    };
    let mut rows = serde_json::Map::new();
    for name in recipes.split(',') {
        let (recipe, before) = (Recipe::load(name)?, memory("VmRSS"));
        let batch = if infer { 1 } else { recipe.training.batch };
        let mut work: Box<dyn Work> = match infer {
            true => Box::new(Infer::new(&recipe, CLASSES, device)?),
            false => Box::new(TrainStep::new(&recipe, CLASSES, device)?),
        };
        let architecture = recipe.architecture_for(CLASSES)?;
        let mut row = repeat(options, || {
            work.run()?;
            Ok(())
        })?;
        row["input"] = json!([&[batch], &architecture.input[..]].concat());
        row["parameters"] = json!(architecture.summary()?.parameters);
        row["peak_mib"] = json!(memory("VmHWM"));
        row["mib_before"] = json!(before);
        rows.insert(name.into(), row);
    }
    Ok(rows.into())
}

/// Does the work again and again.
fn repeat(options: &Options, mut work: impl FnMut() -> Result<()>) -> Result<Value> {
    let (mut times, mut busy) = (Vec::new(), 0.0);
    for step in 0..options.warmup + options.steps {
        let (start, busy_before) = (Instant::now(), cpu_seconds());
        work()?;
        if step >= options.warmup {
            times.push(start.elapsed().as_secs_f64() * 1e3);
            busy += cpu_seconds() - busy_before;
        }
    }
    let (median, min, max) = spread(times);
    Ok(json!({
        "steps": options.steps, "median_ms": median, "min_ms": min, "max_ms": max,
        "cpu_ms": busy * 1e3 / options.steps as f64,
    }))
}

/// Kernels to be timed, by name: each bench case by itself, convolution with pooling forward and back as one, and
/// recurrent layers with all the kernels that such a layer launches.
/// Nobody asks a first layer (case `…-1`) for its input's gradient.
fn timed_kernels() -> BTreeMap<String, Vec<Box<dyn Kernel>>> {
    let mut table: BTreeMap<_, Vec<Box<dyn Kernel>>> = BTreeMap::new();
    let families = ["matmul", "conv2d", "conv2d_pool"];
    for (family, cases, _) in CATALOGUE {
        if !families.contains(family) {
            continue;
        }
        let wanted = |case: &Case| {
            let first = case.name.ends_with("-1") && case.kernel.name().ends_with("input_grad");
            case.role == Role::Bench && !first
        };
        for case in cases().into_iter().filter(wanted) {
            let name = format!("{}/{}", case.kernel.name(), case.name);
            table.entry(name).or_default().push(case.kernel);
        }
        for case in cases().into_iter().filter(wanted) {
            if *family == "conv2d_pool" {
                let name = format!("conv2d_pool_step/{}", case.name);
                table.entry(name).or_default().push(case.kernel);
            }
        }
    }
    for (name, [n, t, features, h]) in [
        ("gru/ajufo-crnn-1", [20, 41, 128, 32]),
        ("gru/ajufo-crnn-2", [20, 41, 32, 32]),
        ("lstm/dwivedi-crnn", [32, 76, 56, 96]),
    ] {
        let shape = Recurrence::new([n, t, h]);
        let gru = name.starts_with("gru");
        let gates = if gru { 3 * h } else { 4 * h };
        let forward = || -> Vec<Box<dyn Kernel>> {
            let share = Matmul::new(n * t, gates, features).transposed(false, true);
            let share = Box::new(share.with(true, Activation::None));
            match gru {
                true => vec![share, Box::new(Gru(shape))],
                false => vec![share, Box::new(Lstm(shape))],
            }
        };
        let weights = |inputs| Matmul::new(gates, inputs, n * t).transposed(true, false);
        let mut step = forward();
        step.push(match gru {
            true => Box::new(GruGrad(shape)),
            false => Box::new(LstmGrad(shape)),
        });
        step.push(Box::new(weights(features)));
        step.push(Box::new(weights(h)));
        for _ in 0..2 {
            step.push(Box::new(Reduce::new(ReduceOp::Sum, [1, n * t, gates])));
        }
        step.push(Box::new(Matmul::new(n * t, features, gates)));
        table.insert(name.replace('/', "_step/"), step);
        table.insert(name.into(), forward());
    }
    table
}

/// One launch after the other of every kernel in the table.
fn kernels(device: &Device, options: &Options) -> Result<Value> {
    let mut rows = serde_json::Map::new();
    for (name, kernels) in timed_kernels() {
        if !name.starts_with(&options.only) {
            continue;
        }
        let subjects = kernels
            .iter()
            .map(|kernel| Subject::new(device, &**kernel))
            .collect::<::kernels::Result<Vec<_>>>()?;
        let mut row = repeat(options, || {
            for subject in &subjects {
                subject.launch(None)?;
            }
            Ok(device.synchronize()?)
        })?;
        let flops: u64 = kernels.iter().map(|kernel| kernel.flops()).sum();
        let median = row["median_ms"].as_f64().unwrap_or(f64::NAN);
        row["gflops"] = json!(flops as f64 / median * 1e-6);
        rows.insert(name, row);
    }
    Ok(json!({ "kernels": rows }))
}

/// Every MP3 under a folder, sorted.
fn clips(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            clips(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "mp3") {
            found.push(path);
        }
    }
    Ok(())
}

/// Decoding and log-mel with librosa's settings (other rates than its 22 050 Hz are resampled first), timed apart; the
/// best round counts.
fn extract(device: &Device, options: &Options, folder: &Path) -> Result<Value> {
    let mut files = Vec::new();
    clips(folder, &mut files)?;
    let settings = FeatureSettings::default();
    let decode = |path: &Path| -> audio::Result<audio::Clip> {
        audio::decode(path, &audio::Limits::default())
    };
    let first = files
        .first()
        .ok_or_else(|| format!("{}: no MP3 files", folder.display()))?;
    audio::extract(device, &settings, &decode(first)?)?;
    let (mut sound, mut best) = (0.0, f64::INFINITY);
    let mut answer = Value::Null;
    for _ in 0..options.rounds {
        // Seconds of decoding and of features: by the clock, and of processor time.
        let (mut wall, mut cpu) = ([0.0; 2], [0.0; 2]);
        sound = 0.0;
        for path in &files {
            // The processor's time comes from files: reading them is outside of what the clock sees.
            let before = cpu_seconds();
            let start = Instant::now();
            let clip = decode(path)?;
            wall[0] += start.elapsed().as_secs_f64();
            let between = cpu_seconds();
            let start = Instant::now();
            std::hint::black_box(audio::extract(device, &settings, &clip)?);
            wall[1] += start.elapsed().as_secs_f64();
            cpu[0] += between - before;
            cpu[1] += cpu_seconds() - between;
            sound += clip.samples.len() as f64 / f64::from(clip.sample_rate);
        }
        let total = wall[0] + wall[1];
        if total < best {
            best = total;
            answer = json!({
                "seconds": total, "decode_seconds": wall[0], "mel_seconds": wall[1],
                "ms_per_clip": total * 1e3 / files.len() as f64, "cpu_ms_per_clip": (cpu[0] + cpu[1]) * 1e3 / files.len() as f64,
                "decode_cpu_seconds": cpu[0], "mel_cpu_seconds": cpu[1],
            });
        }
    }
    answer["clips"] = json!(files.len());
    answer["seconds_of_sound"] = json!(sound);
    Ok(answer)
}

fn main() -> Result<()> {
    let options = options()?;
    kernels::cpu::set_threads(options.threads);
    let device = Device::open(&options.device)?;
    let mut document = match options.rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["train_step"] => json!({"train_step": networks(&device, &options, false)?}),
        ["infer"] => json!({"infer": networks(&device, &options, true)?}),
        ["kernels"] => kernels(&device, &options)?,
        ["extract", folder] => extract(&device, &options, Path::new(folder))?,
        _ => return Err("train_step, infer, kernels, or extract FOLDER".into()),
    };
    document["peer"] = json!(concat!("melgrad ", env!("CARGO_PKG_VERSION")));
    document["threads"] = json!(options.threads);
    document["device"] = json!(device.name());
    println!("{document}");
    Ok(())
}
