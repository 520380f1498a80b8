//! The smallest program with the classifier inside: CPU only, no command line library, no thread pool.
//!
//! ```text
//! cargo run --release --example classify --no-default-features -- --model best.safetensors song.mp3
//! cargo run --release --example classify --no-default-features --features shipped -- song.mp3
//! ```
//!
//! `benches/build.sh` builds both for size and says what they weigh.

use melgrad::{Classifier, Error};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The model of this file; without one that which is compiled in, where it is.
fn classifier(model: Option<&Path>) -> Option<Result<Classifier, Error>> {
    match model {
        Some(model) => Some(Classifier::load(model)),
        #[cfg(feature = "shipped")]
        None => Some(Classifier::shipped()),
        #[cfg(not(feature = "shipped"))]
        None => None,
    }
}

fn main() -> ExitCode {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let named = paths.len() >= 2 && paths[0] == Path::new("--model");
    let model = named.then(|| paths.drain(..2).nth(1)).flatten();
    let classifier = match classifier(model.as_deref()) {
        Some(Ok(classifier)) if !paths.is_empty() => classifier,
        Some(Err(error)) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
        _ => {
            eprintln!("usage: classify [--model FILE.safetensors] SOUND…");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for path in &paths {
        match classifier.classify_file(path) {
            Ok(answer) => {
                let best = answer.best();
                let percent = 100.0 * best.probability;
                println!("{}\t{} {percent:.1} %", path.display(), best.label);
            }
            Err(error) => {
                eprintln!("error: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
