//! Models and recipes that are none, and disks that take nothing: one line that names the file, nothing half-written.

use crate::program::{SMALL, home, melgrad, music, small_recipe, small_run, write};
use std::fs;

#[test]
fn models_that_are_none() {
    let home = home();
    music(home.path(), 2, 4);
    let run = small_run(home.path());
    let sound = fs::read(run.join("best.safetensors")).unwrap();
    let classify = |name: &str, bytes: &[u8], words: &[&str]| {
        write(&home.path().join(name), bytes);
        let args = [
            "classify",
            "music/blues/blues.00000.wav",
            "--model",
            name,
            "--device",
            "cpu",
        ];
        let ran = melgrad(home.path(), args).fails(1, words);
        assert!(ran.out.is_empty(), "{}", ran.out);
    };
    classify(
        "truncated.safetensors",
        &sound[..sound.len() / 2],
        &["truncated.safetensors"],
    );
    classify("empty.safetensors", b"", &["empty.safetensors"]);
    classify(
        "text.safetensors",
        b"not a model at all, but some words",
        &["text.safetensors"],
    );
    // An architecture of other shapes than the weights: both shapes are told.
    let text = String::from_utf8_lossy(&sound).into_owned();
    assert!(
        text.contains(r#"\"out_channels\":4"#),
        "the metadata is where the test looks for it"
    );
    let from: &[u8] = br#"\"out_channels\":4"#;
    let at = sound
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    let mut wrong = sound.clone();
    wrong[at + from.len() - 1] = b'5';
    classify(
        "wrong.safetensors",
        &wrong,
        &["wrong.safetensors", "4", "5"],
    );
    melgrad(
        home.path(),
        ["classify", "music", "--model", "missing.safetensors"],
    )
    .fails(1, &["missing.safetensors"]);
    melgrad(home.path(), ["evaluate", "music"]).fails(1, &["music"]);
    melgrad(home.path(), ["summary", "truncated.safetensors"]).fails(1, &["truncated.safetensors"]);
}

#[test]
fn recipes_that_make_no_sense() {
    let home = home();
    music(home.path(), 2, 4);
    let train = |recipe: &str| {
        write(&home.path().join("bad.toml"), recipe.as_bytes());
        melgrad(
            home.path(),
            [
                "train", "--data", "music", "--recipe", "bad.toml", "--out", "run", "--device",
                "cpu",
            ],
        )
    };
    train("name = ").fails(1, &["bad.toml", "line 1"]);
    train(&SMALL.replace("hop = 256", "hopp = 256")).fails(1, &["bad.toml", "hopp"]);
    train(&SMALL.replace("epochs = 2", "epochs = 0")).fails(1, &["bad.toml", "training.epochs"]);
    train(&SMALL.replace("kernel = 3", "kernel = 99")).fails(1, &["bad.toml", "99"]);
    melgrad(home.path(), ["summary", "bad.toml"]).fails(1, &["bad.toml", "99"]);
    train(&SMALL.replace("Conv2d", "Conf2d")).fails(1, &["Conf2d"]);
    let huge = SMALL.replace("out_channels = 4", "out_channels = 500000000");
    train(&huge).fails(1, &["bad.toml", "500000000"]);
    let layers = br#"{"input": [1, 8, 8], "layers": [{"kind": "MaxPool2d", "kernel": 9}]}"#;
    write(&home.path().join("mine.json"), layers);
    melgrad(home.path(), ["summary", "mine.json"]).fails(1, &["mine.json", "pool1"]);
    assert!(!home.path().join("run/best.safetensors").exists());
}

/// Writing to `/dev/full` fails as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    use crate::program::{command, second, write_wav};
    let home = home();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command(home.path())
        .args(["recipes", "--json"])
        .stdout(full)
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.starts_with("error: cannot write to standard output: "),
        "{err}"
    );

    // A folder that takes no files stands for the rest: the system's own, where not even root may write.
    write_wav(&home.path().join("a.wav"), &second(0, 0));
    let picture = [
        "spectrogram",
        "a.wav",
        "--out",
        "/proc/a.png",
        "--device",
        "cpu",
    ];
    melgrad(home.path(), picture).fails(1, &["/proc/a.png"]);
    melgrad(
        home.path(),
        [
            "features",
            "a.wav",
            "--out",
            "/proc/a.npy",
            "--device",
            "cpu",
        ],
    )
    .fails(1, &["/proc/a.npy"]);
    melgrad(
        home.path(),
        ["synth", "--out", "/proc/music", "--clips", "1"],
    )
    .fails(1, &["/proc/music"]);
    music(home.path(), 2, 4);
    small_recipe(home.path());
    let train = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        "/proc/run",
        "--device",
        "cpu",
    ];
    melgrad(home.path(), train).fails(1, &["/proc/run"]);
}

/// A limit on the size of files ends a write in its middle, as a full disk does, and needs no disk of its own.
#[cfg(unix)]
#[test]
fn a_write_that_fails_in_the_middle() {
    use crate::program::command;
    let home = home();
    music(home.path(), 2, 5);
    small_recipe(home.path());
    let limited = |args: &str| {
        let binary = env!("CARGO_BIN_EXE_melgrad");
        let script = format!("trap '' XFSZ; ulimit -f 16; exec '{binary}' {args} --device cpu");
        let mut shell = std::process::Command::new("sh");
        let inherited = command(home.path());
        shell.args(["-c", &script]).current_dir(home.path());
        inherited.get_envs().for_each(|(key, value)| {
            shell.env(key, value.unwrap_or_default());
        });
        let output = shell.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{err}");
        err
    };
    let files = |dir: &str| -> Vec<String> {
        let entries = fs::read_dir(home.path().join(dir)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let err = limited("features music --n-mels 20 --out x.npy");
    assert!(err.contains("error: cannot write x.npy: "), "{err}");
    assert!(
        !files(".").iter().any(|name| name.contains("x.npy")),
        "nothing half-written: {:?}",
        files(".")
    );

    let err = limited("train --data music --recipe small.toml --out run");
    assert!(
        err.contains("error: cannot write run/last.safetensors: "),
        "{err}"
    );
    assert!(
        !files("run")
            .iter()
            .any(|name| name.contains("last") || name.contains("report")),
        "{:?}",
        files("run")
    );

    // Once there is room, it goes on.
    melgrad(
        home.path(),
        ["train", "--resume", "--out", "run", "--device", "cpu"],
    )
    .done();
    assert!(files("run").contains(&"report.html".to_string()));
}
