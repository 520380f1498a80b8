//! Every command through the binary: its output, its JSON against the contract, its exit code.

use crate::program::{Ran, command, home, keys, melgrad, music, second, write, write_wav};
use approx::assert_abs_diff_eq;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

#[test]
fn help_is_data() {
    let home = home();
    let alone = melgrad(home.path(), [""; 0]).done();
    assert_eq!(alone.out, melgrad(home.path(), ["--help"]).done().out);
    let (_, commands) = alone.out.split_once("Commands:\n").unwrap();
    // Names stand two places in; what does not fit a line, farther.
    let rows = commands.lines().take_while(|line| !line.is_empty());
    let rows = rows.filter_map(|line| line.strip_prefix("  ").filter(|row| !row.starts_with(' ')));
    let names: Vec<&str> = (rows.filter_map(|row| row.split(' ').next()))
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(names.len(), 16, "{names:?}");
    for command in names {
        let help = melgrad(home.path(), [command, "--help"]).done();
        assert!(help.out.contains("Usage: melgrad"), "{}", help.out);
        assert!(
            help.out.contains("\n  melgrad "),
            "an example: {}",
            help.out
        );
        assert!(help.err.is_empty(), "{}", help.err);
    }
    assert!(
        melgrad(home.path(), ["--version"])
            .done()
            .out
            .starts_with("melgrad ")
    );
}

#[test]
fn wrong_usage_is_one_line_and_a_hint() {
    let home = home();
    // What is typed, what the error names, what the hint does.
    for line in [
        "trian => trian => train",
        "train --data d --recipe demo => --out => melgrad train --help",
        "train --dta d --recipe demo --out r => --dta => --data",
        "train --data d --recipe demo --out r --epochs 0 => --epochs => --help",
        "train --data d --recipe demo --out r --lr -1 => --lr => --help",
        "train --data d --recipe ajufo-cn --out r => ajufo-cn => \"ajufo-cnn\"",
        "train --data d --recipe demo --out r --device tpu => --device tpu => --help",
        "features a.wav --out f.txt => f.txt .npy => --help",
        "features a.wav --out f.npy --kind chromium => --kind chromium => chroma",
        "features a.wav --out f.npy --hop 0 => hop => --help",
        "spectrogram a.wav --out f.gif => f.gif .png => --help",
        "spectrogram a.wav --out f.png --kind gtzan => --kind gtzan => --help",
        "spectrogram a.wav --out f.png --deltas 1 => slopes => --help",
        "spectrogram a.wav --out f.png --duration 0 => duration => --help",
        "features --join a.npy b.npy --out f.npy --kind mel => --join --kind => --help",
        "import w.safetensors --recipe melgrad-best --labels a,b --mean 1 --out m.safetensors => --mean melgrad-best => --help",
        "synth --out d --clips 0 => --clips => --help",
        "summary demo --input 1x0x3 => --input => --help",
        "summary dem => dem => \"demo\"",
    ] {
        let parts: Vec<&str> = line.split(" => ").collect();
        let words: Vec<&str> = parts[1].split(' ').collect();
        let ran = melgrad(home.path(), parts[0].split(' '));
        ran.fails(2, &words).hints(parts[2]);
    }
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "nothing was written"
    );
}

#[test]
fn doctor_tells_the_devices() {
    let home = home();
    let json = melgrad(home.path(), ["doctor", "--json"]).done().json();
    assert_eq!(keys(&json), ["chosen", "devices"]);
    for device in json["devices"].as_array().unwrap() {
        assert_eq!(
            keys(device),
            ["driver", "features", "kind", "limits", "name", "software"]
        );
    }
    let names = |json: &serde_json::Value| -> Vec<String> {
        json["devices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["name"].as_str().unwrap().to_string())
            .collect()
    };
    assert!(names(&json).contains(&json["chosen"].as_str().unwrap().to_string()));
    assert!(
        melgrad(home.path(), ["doctor"])
            .done()
            .out
            .starts_with("chosen: ")
    );

    let output = command(home.path())
        .args(["doctor", "--json"])
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .output()
        .unwrap();
    assert!(output.status.success(), "no driver is no failure");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(
            (json["chosen"].as_str(), names(&json)),
            (Some("cpu"), vec!["cpu".to_string()])
        );
    }
}

#[test]
fn recipes_and_summaries() {
    let home = home();
    let json = melgrad(home.path(), ["recipes", "--json"]).done().json();
    let recipes = json.as_array().unwrap();
    let names: Vec<&str> = recipes
        .iter()
        .map(|recipe| recipe["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"ajufo-cnn") && names.contains(&"georgopoulos-cnn"),
        "{names:?}"
    );
    let networks = melgrad::models::recipe::networks().unwrap();
    for (recipe, name) in recipes.iter().zip(&names) {
        let classes = recipe["classes"].as_u64();
        let mut expected = vec!["claimed", "dataset", "name", "network", "paper"];
        expected.extend(classes.map(|_| "classes"));
        expected.sort_unstable();
        assert_eq!(keys(recipe), expected);
        let ran = melgrad(home.path(), ["summary", name, "--json"]);
        if !networks.iter().any(|network| network.name == *name) {
            ran.fails(2, &["a classifier"]);
            continue;
        }
        let json = ran.done().json();
        assert_eq!(keys(&json), ["layers", "multiply_adds", "parameters"]);
        let layers = json["layers"].as_array().unwrap();
        for layer in layers {
            assert_eq!(
                keys(layer),
                ["kind", "multiply_adds", "name", "output", "parameters"]
            );
        }
        for total in ["parameters", "multiply_adds"] {
            let sum: u64 = layers
                .iter()
                .map(|layer| layer[total].as_u64().unwrap())
                .sum();
            assert_eq!(json[total].as_u64().unwrap(), sum);
        }
        let outputs = &layers.last().unwrap()["output"];
        assert_eq!(outputs[0].as_u64(), classes, "{name}: its paper's classes");
    }
    let summary = |args: &[&str]| melgrad(home.path(), [&["summary"], args].concat()).done();
    let dense = summary(&["amin-dense", "--json"]).json();
    assert_eq!(dense["parameters"], 10_008, "as the text says");
    let two = summary(&["amin-dense", "--classes", "2", "--json"]).json();
    assert_eq!(two["parameters"], 10_008 - 6 * 51);
    let recipes = melgrad(home.path(), ["recipes"]).done();
    assert!(
        recipes.out.contains("ajufo-cnn\n")
            && recipes.out.contains("classes  2\n")
            && recipes.out.contains("accuracy 0.41"),
        "{}",
        recipes.out
    );

    let layers =
        r#"layers = [{ kind = "Flatten" }, { kind = "Linear", out_features = "classes" }]"#;
    write(&home.path().join("mine.toml"), layers.as_bytes());
    melgrad(home.path(), ["summary", "mine.toml"])
        .fails(1, &["mine.toml", "input"])
        .hints("--input");
    let mine = [
        "summary",
        "mine.toml",
        "--input",
        "1x4x5",
        "--classes",
        "3",
        "--json",
    ];
    assert_eq!(
        melgrad(home.path(), mine).done().json()["parameters"],
        20 * 3 + 3
    );
}

#[test]
fn synth_is_fixed_by_its_seed() {
    let home = home();
    let synth = |out: &str, seed: &str| {
        melgrad(
            home.path(),
            [
                "synth",
                "--out",
                out,
                "--clips",
                "12",
                "--seconds",
                "0.5",
                "--sr",
                "8000",
                "--seed",
                seed,
            ],
        )
    };
    assert_eq!(synth("a", "1").done().out, "a\n");
    synth("b", "1").done();
    synth("c", "2").done();
    let clip = |dir: &str| fs::read(home.path().join(dir).join("blues/blues.00001.wav")).unwrap();
    assert_eq!(clip("a"), clip("b"));
    assert_ne!(clip("a"), clip("c"));
    assert_eq!(clip("a").len(), 44 + 2 * 4000);
    synth("a", "1")
        .fails(1, &["--out a", "not empty"])
        .hints("folder");
}

/// The shape in a `.npy` file's header, and its numbers.
fn npy(path: &Path) -> (String, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(header % 64, 0);
    let text = String::from_utf8(bytes[10..header].to_vec()).unwrap();
    assert!(
        text.contains("'descr': '<f4', 'fortran_order': False"),
        "{text}"
    );
    let shape = text
        .split("'shape': ")
        .nth(1)
        .unwrap()
        .split_inclusive(')')
        .next()
        .unwrap()
        .to_string();
    let values = bytes[header..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    (shape, values)
}

#[test]
fn features_of_files_and_folders() {
    let home = home();
    let small = [
        "--sr", "8000", "--n-fft", "512", "--hop", "250", "--n-mels", "20", "--device", "cpu",
    ];
    let features = |inputs: &[&str], rest: &[&str]| -> Ran {
        melgrad(home.path(), [&["features"], inputs, &small, rest].concat())
    };
    music(home.path(), 2, 2);
    let one = features(&["music/blues/blues.00000.wav"], &["--out", "one.npy"]).done();
    assert_eq!(one.out, "music/blues/blues.00000.wav\n");
    assert!(one.err.contains("device: cpu"), "{}", one.err);
    let (shape, values) = npy(&home.path().join("one.npy"));
    assert_eq!((shape.as_str(), values.len()), ("(20, 33)", 20 * 33));

    let all = features(&["music"], &["--out", "all.npy"]).done();
    assert_eq!(all.out.lines().count(), 4);
    assert!(
        all.out.starts_with(
            "music/blues/blues.00000.wav\nmusic/blues/blues.00001.wav\nmusic/classical/"
        )
    );
    let (shape, together) = npy(&home.path().join("all.npy"));
    assert_eq!(shape, "(4, 20, 33)");
    assert_eq!(
        together[..values.len()],
        values,
        "the same numbers, alone or together"
    );

    features(&["music"], &["--kind", "stft", "--out", "all.csv"]).done();
    let csv = fs::read_to_string(home.path().join("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 4 * 257);
    assert!(csv.starts_with("filename,band,0,1,2,"));

    // A shorter clip: an error that names both, unless a length is asked for.
    let mut short = second(0, 9);
    short.samples.truncate(4000);
    write_wav(&home.path().join("short.wav"), &short);
    let inputs = ["music/blues/blues.00000.wav", "short.wav"];
    features(&inputs, &["--out", "no.npy"])
        .fails(1, &["short.wav: 17 frames", "blues.00000.wav has 33"])
        .hints("--seconds");
    assert!(!home.path().join("no.npy").exists());
    features(&inputs, &["--seconds", "1", "--out", "padded.npy"]).done();
    let (shape, padded) = npy(&home.path().join("padded.npy"));
    assert_eq!(shape, "(2, 20, 33)");
    assert_eq!(padded[..values.len()], values);
    features(&inputs, &["--seconds", "0", "--out", "no.npy"]).fails(2, &["seconds"]);
}

#[test]
fn a_spectrogram_is_a_png() {
    let home = home();
    write_wav(&home.path().join("a.wav"), &second(3, 1));
    for kind in ["logmel", "stft", "mfcc", "chroma", "waveform", "rms"] {
        melgrad(
            home.path(),
            [
                "spectrogram",
                "a.wav",
                "--kind",
                kind,
                "--out",
                "a.png",
                "--device",
                "cpu",
            ],
        )
        .done();
        let png = fs::read(home.path().join("a.png")).unwrap();
        assert!(
            png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 2000,
            "{}",
            png.len()
        );
    }
    // What a clip lacks for a kind is the clip's fault.
    let mut short = second(3, 1);
    short.samples.truncate(100);
    write_wav(&home.path().join("short.wav"), &short);
    let pyaudio = "spectrogram short.wav --kind pyaudio --out b.png --device cpu";
    let ran = melgrad(home.path(), pyaudio.split_whitespace());
    ran.fails(1, &["short.wav", "shorter than a frame"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = home();
    let mut child = command(home.path())
        .args(["recipes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert!(child.wait().unwrap().success() && err.is_empty(), "{err}");
}

#[test]
fn the_demo_overwrites_nothing() {
    let home = home();
    write(&home.path().join("mine/run/run.toml"), b"");
    write(&home.path().join("mine/run/best.safetensors"), b"");
    melgrad(home.path(), ["demo", "--out", "mine", "--device", "cpu"])
        .fails(1, &["mine", "already"])
        .hints("give another --out; without it");
}

#[test]
fn classify_without_a_model_asks_the_one_that_ships() {
    let home = home();
    let mut sound = second(0, 1);
    sound.samples = sound.samples.repeat(9);
    write_wav(&home.path().join("nine-seconds.wav"), &sound);
    let ran = melgrad(
        home.path(),
        ["classify", "nine-seconds.wav", "--top", "10", "--json"],
    )
    .done();
    let json = ran.json();
    let top = json[0]["top"].as_array().unwrap();
    let mut labels: Vec<&str> = top
        .iter()
        .map(|guess| guess["label"].as_str().unwrap())
        .collect();
    labels.sort_unstable();
    assert_eq!(
        labels,
        [
            "blues",
            "classical",
            "country",
            "disco",
            "hiphop",
            "jazz",
            "metal",
            "pop",
            "reggae",
            "rock"
        ]
    );
    let sum: f64 = top
        .iter()
        .map(|guess| guess["probability"].as_f64().unwrap())
        .sum();
    assert_abs_diff_eq!(sum, 1.0, epsilon = 1e-9);
}
