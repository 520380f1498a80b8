//! The same seed on the same device gives the same weights, bit for bit: run twice, interrupted and resumed, or with
//! another number of threads.

use crate::program::{home, melgrad, music, small_recipe};
use std::fs;
use std::path::Path;

fn train<'a>(out: &'a str, device: &'a str, epochs: &'a str) -> Vec<&'a str> {
    let recipe = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--seed",
        "3",
    ];
    [
        &recipe[..],
        &["--out", out, "--device", device, "--epochs", epochs],
    ]
    .concat()
}

/// Both model files of two runs are the same to the last byte.
#[track_caller]
fn same_files(home: &Path, a: &str, b: &str) {
    for name in ["best.safetensors", "last.safetensors"] {
        let file = |run: &str| fs::read(home.join(run).join(name)).unwrap();
        assert!(file(a) == file(b), "{name} of {a} and {b}");
    }
}

/// The seconds of every epoch in `history.csv`.
fn seconds(home: &Path, run: &str) -> Vec<f64> {
    let table = fs::read_to_string(home.join(run).join("history.csv")).unwrap();
    let (head, rows) = table.split_once('\n').unwrap();
    assert_eq!(head.rsplit(',').next(), Some("seconds"));
    let last = |row: &str| row.rsplit(',').next().unwrap().parse().unwrap();
    rows.lines().map(last).collect()
}

#[test]
fn on_the_cpu() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    melgrad(home.path(), train("a", "cpu", "3")).done();
    melgrad(
        home.path(),
        [train("b", "cpu", "3"), vec!["--threads", "1"]].concat(),
    )
    .done();
    same_files(home.path(), "a", "b");
    let mut other = train("c", "cpu", "3");
    let seed = other.iter().position(|&arg| arg == "--seed").unwrap();
    other[seed + 1] = "4";
    melgrad(home.path(), other).done();
    assert_ne!(
        fs::read(home.path().join("a/best.safetensors")).unwrap(),
        fs::read(home.path().join("c/best.safetensors")).unwrap(),
        "another seed gives others"
    );
}

#[cfg(feature = "gpu")]
#[test]
fn on_a_gpu() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    let first = melgrad(home.path(), train("a", "gpu", "2")).done();
    assert!(
        first
            .err
            .lines()
            .any(|line| line.starts_with("device: ") && !line.contains("cpu,")),
        "{}",
        first.err
    );
    melgrad(home.path(), train("b", "gpu", "2")).done();
    same_files(home.path(), "a", "b");
}

#[cfg(unix)]
#[test]
fn after_an_interrupt() {
    use crate::program::command;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    let epochs = "60";
    melgrad(home.path(), train("whole", "cpu", epochs)).done();

    let mut child = command(home.path())
        .args(train("halves", "cpu", epochs))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch   3") {
        line.clear();
        assert!(
            err.read_line(&mut line).unwrap() > 0,
            "it ended before its third epoch"
        );
    }
    // The signal that Ctrl-C sends.
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
    assert!(
        rest.contains("hint: `melgrad train --resume --out halves`"),
        "{rest}"
    );
    let done = fs::read_to_string(home.path().join("halves/history.csv"))
        .unwrap()
        .lines()
        .count()
        - 1;
    assert!((3..60).contains(&done), "interrupted after {done} epochs");

    melgrad(
        home.path(),
        ["train", "--resume", "--out", "halves", "--device", "cpu"],
    )
    .done();
    assert_eq!(
        fs::read_to_string(home.path().join("halves/history.csv"))
            .unwrap()
            .lines()
            .count(),
        61
    );
    same_files(home.path(), "whole", "halves");
}

#[test]
fn a_longer_run_is_a_run_that_went_on() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    melgrad(home.path(), train("whole", "cpu", "4")).done();
    melgrad(home.path(), train("longer", "cpu", "2")).done();
    melgrad(
        home.path(),
        [
            "train", "--resume", "--out", "longer", "--epochs", "4", "--device", "cpu",
        ],
    )
    .done();
    same_files(home.path(), "whole", "longer");
    let times = seconds(home.path(), "longer");
    assert!(
        times.len() == 4 && times.iter().all(|&seconds| seconds > 0.0),
        "times stand in history.csv alone, those before the stop too: {times:?}"
    );
}
