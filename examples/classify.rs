//! The smallest program with the classifier inside: CPU only, no command line library, no thread pool.
//!
//! ```text
//! cargo run --release --example classify --no-default-features --features mp3 -- best.safetensors song.mp3
//! ```
//!
//! `benches/build.sh` builds it for size and says what it weighs.

use melgrad::Classifier;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(model), Some(first)) = (paths.next(), paths.next()) else {
        eprintln!("usage: classify MODEL.safetensors SOUND…");
        return ExitCode::from(2);
    };
    let classifier = match Classifier::load(&model) {
        Ok(classifier) => classifier,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut code = ExitCode::SUCCESS;
    for path in std::iter::once(first).chain(paths) {
        match classifier.classify_file(&path) {
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
