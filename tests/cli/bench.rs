//! Measuring: the JSON against the contract, two reports side by side, a profile of training steps.

use crate::program::{home, keys, melgrad, music, small_recipe, write};

#[test]
fn figures_are_a_table_and_json() {
    let home = home();
    let bench = ["bench", "softmax", "--quick", "--device", "cpu", "--json"];
    let run = |path: &str| melgrad(home.path(), bench.iter().chain(&[path])).done();
    let json = run("-").json();
    let expected = [
        "clock",
        "complete",
        "device",
        "driver",
        "failed",
        "left_out",
        "melgrad",
        "peak_gbps",
        "peak_gflops",
        "quick",
        "rows",
        "software",
        "threads",
    ];
    assert_eq!(keys(&json), expected);
    assert!(json["peak_gflops"].as_f64() > Some(0.0) && json["peak_gbps"].as_f64() > Some(0.0));
    assert_eq!(
        (&json["device"], &json["software"]),
        (&"cpu".into(), &false.into())
    );
    let rows = json["rows"].as_array().unwrap();
    for row in rows {
        let expected = [
            "bound",
            "case",
            "checked_against",
            "clock",
            "cold_us",
            "copy_gbps",
            "error",
            "gbps",
            "gflops",
            "halved",
            "kernel",
            "least_us",
            "median_us",
            "percent_of_peak",
            "rung",
            "runs",
        ];
        assert_eq!(keys(row), expected);
        assert!(
            row["kernel"].as_str().unwrap().starts_with("softmax"),
            "{row}"
        );
        assert_eq!(
            (&row["rung"], &row["checked_against"]),
            (&"cpu".into(), &"oracle".into())
        );
        for figure in [
            "median_us",
            "least_us",
            "cold_us",
            "copy_gbps",
            "gbps",
            "percent_of_peak",
        ] {
            assert!(row[figure].as_f64() > Some(0.0), "{figure} in {row}");
        }
    }
    assert!(rows.len() >= 4, "{rows:?}");

    let ran = run("a.json");
    assert!(
        ran.out.contains("% of peak") && ran.out.contains("softmax_cross_entropy_grad"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("bench: 1/"), "{}", ran.err);
    let same = melgrad(home.path(), ["bench", "compare", "a.json", "a.json"]).done();
    assert!(
        same.out.contains("B takes 1.00 times as long as A"),
        "{}",
        same.out
    );
}

#[test]
fn training_steps_answers_and_features_are_measured() {
    let home = home();
    for (filter, rows) in [("train_step/demo", 1), ("infer/demo", 1), ("extract", 3)] {
        let args = ["bench", filter, "--quick", "--device", "cpu", "--json", "-"];
        let json = melgrad(home.path(), args).done().json();
        let found = json["rows"].as_array().unwrap();
        assert!(found.len() >= rows, "{json}");
        let positive = |row: &serde_json::Value, what: &str| row[what].as_f64() > Some(0.0);
        assert!(found.iter().all(|row| positive(row, "median_us")), "{json}");
        // Of features only the kernels' work is counted: not, for one, that of sorting.
        let counted = |row: &&serde_json::Value| {
            let name = row["kernel"].as_str().unwrap();
            !name.starts_with("extract/") || name == "extract/logmel"
        };
        let counted: Vec<_> = found.iter().filter(counted).collect();
        assert!(
            !counted.is_empty() && counted.iter().all(|row| positive(row, "gflops")),
            "{json}"
        );
    }
}

#[test]
fn wrong_names_and_files_are_told() {
    let home = home();
    melgrad(home.path(), ["bench", "conv3d", "--device", "cpu"])
        .fails(2, &["conv3d"])
        .hints("conv2d");
    melgrad(home.path(), ["bench", "--rung", "middle"]).fails(2, &["--rung", "middle"]);
    write(&home.path().join("a.json"), b"{}");
    melgrad(home.path(), ["bench", "compare", "a.json", "b.json"])
        .fails(1, &["a.json", "melgrad bench"]);
    melgrad(home.path(), ["bench", "compare", "b.json", "a.json"]).fails(1, &["b.json"]);
}

#[test]
fn a_training_tells_where_its_time_goes() {
    let home = home();
    music(home.path(), 2, 8);
    small_recipe(home.path());
    let train = |out: &str, rest: &[&str]| {
        let args = [
            "train",
            "--data",
            "music",
            "--recipe",
            "small.toml",
            "--batch",
            "2",
            "--device",
            "cpu",
            "--out",
            out,
        ];
        melgrad(home.path(), [&args, rest].concat()).done()
    };
    let plain = train("run", &[]);
    assert!(!plain.err.contains("a training step"), "{}", plain.err);
    let ran = train("other", &["--profile"]);
    for words in [
        "a training step: ",
        "share",
        "conv2d",
        "host, transfers, gaps",
        "in one step: ",
        "allocations",
    ] {
        assert!(ran.err.contains(words), "{words} in {}", ran.err);
    }
    let weights =
        |run: &str| std::fs::read(home.path().join(run).join("best.safetensors")).unwrap();
    assert!(
        weights("run") == weights("other"),
        "looking changes nothing"
    );
}
