//! Several trainings of one experiment: seeds, folds, their figures together.

use crate::program::{home, keys, melgrad, music, small_recipe, small_run};
use approx::assert_abs_diff_eq;
use std::fs;
use std::path::Path;

fn train<'a>(out: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let recipe = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--device",
        "cpu",
    ];
    [&recipe[..], &["--out", out], rest].concat()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn repeats_are_runs_with_the_seeds_that_follow() {
    let home = home();
    music(home.path(), 2, 8);
    let alone = small_run(home.path());
    let series = home.path().join("series");
    let done = melgrad(home.path(), train("series", &["--repeats", "3"])).done();
    assert_eq!(done.out.trim(), "series/series.json");
    assert!(done.err.contains("run 3 of 3: seed-2"), "{}", done.err);
    assert!(done.err.contains("accuracy: ") && done.err.contains("(3 runs)"));
    assert_eq!(
        fs::read(alone.join("best.safetensors")).unwrap(),
        fs::read(series.join("seed-0/best.safetensors")).unwrap(),
        "the first repeat is the run with that seed"
    );
    let found = json(&series.join("series.json"));
    assert_eq!(keys(&found), ["runs", "spread", "together"]);
    let runs = found["runs"].as_array().unwrap();
    let accuracies: Vec<f64> = (0..3)
        .map(|seed| {
            let own = json(&series.join(format!("seed-{seed}/metrics.json")));
            assert_eq!(runs[seed]["figures"]["accuracy"], own["accuracy"]);
            own["accuracy"].as_f64().unwrap()
        })
        .collect();
    let spread = &found["spread"]["accuracy"];
    let mean = accuracies.iter().sum::<f64>() / 3.0;
    assert_abs_diff_eq!(spread["mean"].as_f64().unwrap(), mean, epsilon = 1e-12);
    assert_eq!(spread["runs"], 3);
    let page = fs::read_to_string(series.join("report.html")).unwrap();
    assert!(page.contains("seed-2: ") && page.contains("Confusion matrix"));

    // What is missing is trained again, what is there is not.
    let kept = fs::read(series.join("seed-1/last.safetensors")).unwrap();
    fs::remove_dir_all(series.join("seed-2")).unwrap();
    fs::remove_file(series.join("series.json")).unwrap();
    let resume = ["train", "--resume", "--out", "series", "--device", "cpu"];
    melgrad(home.path(), resume).done();
    assert_eq!(json(&series.join("series.json")), found);
    assert_eq!(
        fs::read(series.join("seed-1/last.safetensors")).unwrap(),
        kept
    );
    melgrad(home.path(), [&resume[..], &["--epochs", "3"]].concat()).done();
    for seed in 0..3 {
        let history = fs::read_to_string(series.join(format!("seed-{seed}/history.csv")));
        assert_eq!(history.unwrap().lines().count(), 1 + 3);
    }
    melgrad(home.path(), train("series", &["--repeats", "3"]))
        .fails(1, &["series: a run is there already"])
        .hints("--resume");
}

#[test]
fn folds_test_every_clip_once() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    melgrad(home.path(), train("series", &["--folds", "3"])).done();
    let series = home.path().join("series");
    let found = json(&series.join("series.json"));
    let support: Vec<u64> = found["together"]["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class["support"].as_u64().unwrap())
        .collect();
    assert_eq!(support, [6, 6], "every clip once");
    assert_eq!(found["runs"][1]["fold"], "2/3");
    let settings = fs::read_to_string(series.join("seed-0-fold-2/run.toml")).unwrap();
    assert!(settings.contains("fold = \"2/3\""), "{settings}");
    let run = "series/seed-0-fold-2";
    let again = melgrad(home.path(), ["evaluate", run, "--json", "--device", "cpu"]).done();
    assert_eq!(
        again.json(),
        json(&series.join("seed-0-fold-2/metrics.json"))
    );

    // The series as one: its runs side by side.
    let all = melgrad(
        home.path(),
        ["evaluate", "series", "--json", "--device", "cpu"],
    );
    let all = all
        .done()
        .warns("2 of 3 runs were not evaluated on the same clips");
    assert!(
        all.err.contains("accuracy: ") && all.err.contains("(3 runs)"),
        "{}",
        all.err
    );
    let rows = all.json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(rows[1]["run"], run);
    assert_eq!(rows[1]["accuracy"], found["runs"][1]["figures"]["accuracy"]);
    fs::remove_dir_all(&series).unwrap();
    fs::create_dir(&series).unwrap();
    fs::write(series.join("series.toml"), settings).unwrap();
    melgrad(home.path(), ["evaluate", "series"]).fails(1, &["series.toml"]);
}

#[test]
fn series_that_make_no_sense_are_refused() {
    let home = home();
    music(home.path(), 2, 4);
    small_recipe(home.path());
    let refused = |rest: &[&str], words: &[&str]| {
        melgrad(home.path(), train("out", rest)).fails(2, words);
    };
    refused(&["--repeats", "0"], &["--repeats"]);
    refused(&["--folds", "1"], &["folds", "at least 2"]);
    refused(&["--folds", "9"], &["9 folds", "8 groups"]);
    refused(&["--repeats", "2000"], &["repeats", "2000"]);
    refused(&["--folds", "2", "--test", "0.1"], &["--test"]);
    refused(
        &["--repeats", "2", "--seed", "9223372036854775807"],
        &["seed"],
    );
}
