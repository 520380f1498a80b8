//! What people really feed a program: each gets an answer, a warning or one line that names the thing; the rest of the
//! work is done, and nothing is left half-written.

use crate::program::{
    command, home, melgrad, music, second, small_recipe, small_run, write, write_wav,
};
use melgrad::Clip;
use melgrad::audio::wav;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// A WAV file of 16-bit samples with any number of channels.
fn channels(count: u16, frames: u32, rate: u32) -> Vec<u8> {
    let mono = Clip {
        samples: vec![0.1; frames as usize * usize::from(count)],
        sample_rate: rate,
    };
    let mut bytes = wav::encode(&mono);
    bytes[22..24].copy_from_slice(&count.to_le_bytes());
    bytes[28..32].copy_from_slice(&(rate * 2 * u32::from(count)).to_le_bytes());
    bytes[32..34].copy_from_slice(&(2 * count).to_le_bytes());
    bytes
}

/// Odd sound that has an answer, by name.
fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let clip = |samples: Vec<f32>, sample_rate| {
        wav::encode(&Clip {
            samples,
            sample_rate,
        })
    };
    let mut truncated = wav::encode(&second(1, 1));
    truncated.truncate(9001);
    vec![
        ("silence.wav", clip(vec![0.0; 8000], 8000)),
        ("one-sample.wav", clip(vec![0.5], 22_050)),
        ("8khz.wav", wav::encode(&second(0, 1))),
        ("192khz.wav", clip(vec![0.25; 96_000], 192_000)),
        ("six-channels.wav", channels(6, 8000, 8000)),
        ("truncated.wav", truncated),
        ("wav-called.mp3", wav::encode(&second(2, 1))),
    ]
}

/// What is no sound, by name, and what the error must say.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let empty = Clip {
        samples: Vec::new(),
        sample_rate: 8000,
    };
    vec![
        ("empty.wav", Vec::new(), "empty"),
        ("zero-length.wav", wav::encode(&empty), "no audio samples"),
        (
            "text.mp3",
            b"this is a text, and a long one at that, but no music".to_vec(),
            "not a sound file of a known format",
        ),
        (
            "picture.wav",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on".to_vec(),
            "not a sound file of a known format",
        ),
        (
            "header-only.wav",
            wav::encode(&second(0, 0))[..30].to_vec(),
            "header-only.wav",
        ),
    ]
}

fn write_all(dir: &Path) {
    odd()
        .iter()
        .for_each(|(name, bytes)| write(&dir.join(name), bytes));
    broken()
        .iter()
        .for_each(|(name, bytes, _)| write(&dir.join(name), bytes));
}

#[test]
fn a_batch_is_answered_around_what_is_broken() {
    let home = home();
    music(home.path(), 2, 4);
    small_run(home.path());
    write_all(&home.path().join("odd"));
    let args = [
        "classify",
        "odd",
        "missing.wav",
        "--model",
        "run/best.safetensors",
        "--json",
        "--device",
        "cpu",
    ];
    let ran = melgrad(home.path(), args);
    assert_eq!(ran.code, Some(1));
    let json = ran.json();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), odd().len() + broken().len() + 1);
    let row = |name: &str| {
        rows.iter()
            .find(|row| row["file"].as_str().unwrap().ends_with(name))
            .unwrap()
    };
    for (name, _) in odd() {
        let probability = row(name)["probability"].as_f64();
        assert!(
            probability.is_some_and(|p| p > 0.0 && p <= 1.0),
            "{name}: {}",
            row(name)
        );
    }
    for (name, _, words) in broken() {
        let error = row(name)["error"].as_str().unwrap();
        assert!(error.contains(name) && error.contains(words), "{error}");
        assert_eq!(
            ran.err.lines().filter(|line| line.contains(name)).count(),
            1,
            "{}",
            ran.err
        );
    }
    assert!(
        row("missing.wav")["error"]
            .as_str()
            .unwrap()
            .contains("missing.wav")
    );

    for (name, _, words) in broken() {
        let file = format!("odd/{name}");
        melgrad(
            home.path(),
            ["spectrogram", &file, "--out", "x.png", "--device", "cpu"],
        )
        .fails(1, &[name, words]);
        melgrad(
            home.path(),
            ["features", &file, "--out", "x.npy", "--device", "cpu"],
        )
        .fails(1, &[name, words]);
    }
    let features = [
        "features",
        "odd",
        "--seconds",
        "1",
        "--n-mels",
        "32",
        "--out",
        "x.npy",
        "--device",
        "cpu",
    ];
    let ran = melgrad(home.path(), features).done();
    assert_eq!(ran.out.lines().count(), odd().len());
    let warned = |name: &str| {
        let mut lines = ran.err.lines();
        lines.any(|line| line.starts_with("warning: ") && line.contains(name))
    };
    assert!(
        broken().iter().all(|(name, ..)| warned(name)),
        "{}",
        ran.err
    );
    assert!(!home.path().join("x.png").exists());
}

#[test]
fn training_goes_around_what_is_broken() {
    let home = home();
    let music = music(home.path(), 2, 5);
    small_recipe(home.path());
    let train = |out: &str| {
        melgrad(
            home.path(),
            [
                "train",
                "--data",
                "music",
                "--recipe",
                "small.toml",
                "--out",
                out,
                "--device",
                "cpu",
            ],
        )
    };
    write_all(&music.join("blues"));
    let ran = train("mixed").done();
    for (name, _, _) in broken() {
        let told = ran
            .err
            .lines()
            .filter(|line| line.starts_with("warning: ") && line.contains(name))
            .count();
        assert_eq!(told, 1, "{name}: {}", ran.err);
    }
    assert!(home.path().join("mixed/report.html").is_file());

    // One clip in a class: used, and warned of.
    write_wav(&music.join("rare/only.wav"), &second(5, 0));
    train("rare").done().warns("rare");
}

#[test]
fn datasets_that_cannot_be_learnt_from() {
    let home = home();
    small_recipe(home.path());
    let train = |data: &str| {
        melgrad(
            home.path(),
            [
                "train",
                "--data",
                data,
                "--recipe",
                "small.toml",
                "--out",
                "run",
                "--device",
                "cpu",
            ],
        )
    };
    train("missing").fails(1, &["missing"]);
    fs::create_dir(home.path().join("nothing")).unwrap();
    train("nothing").fails(1, &["nothing", "no audio"]);
    write(&home.path().join("texts/blues/notes.txt"), b"words");
    train("texts").fails(1, &["texts", "no audio"]);
    write_wav(&home.path().join("single/blues/a.wav"), &second(0, 0));
    write_wav(&home.path().join("single/blues/b.wav"), &second(0, 1));
    train("single").fails(1, &["single", "label"]);
    for label in ["blues", "jazz"] {
        write(&home.path().join("broken").join(label).join("a.wav"), b"");
    }
    train("broken").fails(1, &["broken"]);
    assert!(home.path().join("run/run.toml").exists());
    // A run that never finished an epoch does not stand in the way of the next.
    music(home.path(), 2, 4);
    train("music").done();
    melgrad(home.path(), ["features", "nothing", "--out", "x.npy"]).fails(1, &["nothing"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    let home = home();
    let music = music(home.path(), 2, 5);
    small_recipe(home.path());
    let odd = music
        .join("blues")
        .join(OsStr::from_bytes(b"caf\xe9 \x1b[31m.wav"));
    write_wav(&odd, &second(0, 7));
    let out = OsStr::from_bytes(b"run\xff");
    let train: [&OsStr; 9] = [
        "train".as_ref(),
        "--data".as_ref(),
        "music".as_ref(),
        "--recipe".as_ref(),
        "small.toml".as_ref(),
        "--out".as_ref(),
        out,
        "--device".as_ref(),
        "cpu".as_ref(),
    ];
    let ran = melgrad(home.path(), train).done().warns("not UTF-8");
    assert!(!ran.err.contains('\x1b'), "names cannot drive the terminal");
    let model = home.path().join(out).join("best.safetensors");
    let classify: Vec<OsString> = vec![
        "classify".into(),
        odd.into(),
        "--model".into(),
        model.into(),
        "--json".into(),
        "--device".into(),
        "cpu".into(),
    ];
    let json = melgrad(home.path(), classify).done().json();
    assert!(json[0]["file"].as_str().unwrap().contains("caf\u{fffd}"));
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_read() {
    use std::os::unix::fs::symlink;
    let home = home();
    let music = music(home.path(), 2, 5);
    small_recipe(home.path());
    // Links into nowhere, and a loop: root, who runs the tests in containers, may read anything else.
    symlink("/nowhere/at/all.wav", music.join("blues/dangling.wav")).unwrap();
    symlink(&music, music.join("blues/loop")).unwrap();
    let train = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        "run",
        "--device",
        "cpu",
    ];
    melgrad(home.path(), train).done().warns("dangling.wav");
    let features = [
        "features",
        "music/blues",
        "--out",
        "x.npy",
        "--device",
        "cpu",
    ];
    melgrad(home.path(), features).done().warns("dangling.wav");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let home = home();
    let sound = home.path().join("a.wav");
    write_wav(&sound, &second(3, 1));
    let heard = |input: &str, args: &str| {
        let mut command = command(home.path());
        command.args(args.split_whitespace()).arg(input);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Closed behind the sound. Nobody reads it where the file is named.
        let _ = child
            .stdin
            .take()
            .unwrap()
            .write_all(&fs::read(&sound).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let classify = |input| String::from_utf8(heard(input, "classify --device cpu")).unwrap();
    assert_eq!(
        classify("/dev/stdin").replace("/dev/stdin", "a.wav"),
        classify("a.wav")
    );
    heard("a.wav", "features --device cpu --out a.npy");
    heard("/dev/stdin", "features --device cpu --out b.npy");
    let read = |name| fs::read(home.path().join(name)).unwrap();
    assert!(read("a.npy") == read("b.npy"));
}
