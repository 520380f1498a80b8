//! Learning rates and random search: files, JSON, going on, mistakes.

use crate::program::{SMALL, home, keys, melgrad, music, small_recipe, write};
use std::fs;
use std::path::Path;

const RANGES: &str = r#"
[search]
"training.learning_rate" = { from = 1e-4, to = 1e-2, log = true }
"architecture.conv1.out_channels" = { from = 2, to = 6, step = 2 }
"architecture.conv1.activation" = ["relu", "tanh"]
"#;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_rate_is_found_and_drawn() {
    let home = home();
    music(home.path(), 3, 6);
    small_recipe(home.path());
    let find = [
        "lr-find",
        "small.toml",
        "--data",
        "music",
        "--device",
        "cpu",
        "--out",
        "rates.svg",
    ];
    let found = melgrad(home.path(), [&find[..], &["--json"]].concat())
        .done()
        .json();
    assert_eq!(keys(&found), ["lowest", "rows", "suggested"]);
    let rate = |name: &str| found[name].as_f64().unwrap();
    assert!(rate("suggested") < rate("lowest"));
    assert!(
        (1e-6..1.0).contains(&rate("suggested")),
        "{}",
        rate("suggested")
    );
    assert_eq!(
        keys(&found["rows"][0]),
        ["learning_rate", "loss", "smoothed"]
    );
    let plot = fs::read_to_string(home.path().join("rates.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("suggested"));
    let text = melgrad(home.path(), find).done().out;
    assert!(
        text.starts_with("suggested  ") && text.contains("\nlowest     "),
        "{text}"
    );
    melgrad(
        home.path(),
        [&find[..], &["--from", "1", "--to", "0.1"]].concat(),
    )
    .fails(2, &["sweep"]);
    melgrad(home.path(), ["lr-find", "smal", "--data", "music"]).fails(2, &["smal"]);
}

#[test]
fn a_search_goes_on_and_its_best_recipe_trains() {
    let home = home();
    music(home.path(), 2, 8);
    write(
        &home.path().join("own.toml"),
        format!("{SMALL}{RANGES}").as_bytes(),
    );
    let search = |out: &str, trials: &str| {
        let fixed = [
            "search", "own.toml", "--data", "music", "--device", "cpu", "--epochs", "1",
        ];
        melgrad(
            home.path(),
            [&fixed[..], &["--out", out, "--trials", trials]].concat(),
        )
    };
    let done = search("whole", "4").done();
    assert_eq!(done.out.trim(), "whole/best.toml");
    search("parts", "2").done();
    search("parts", "2")
        .fails(1, &["parts: a run is there already"])
        .hints("--resume");
    let resume = [
        "search", "--resume", "--out", "parts", "--trials", "4", "--json", "--device", "cpu",
    ];
    let found = melgrad(home.path(), resume).done().json();
    assert_eq!(
        found,
        json(&home.path().join("whole/search.json")),
        "as if never stopped"
    );
    let trials = found["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 4);
    assert_eq!(keys(&trials[0]["drawn"]).len(), 3);
    let score = |trial: &serde_json::Value| trial["score"].as_f64().unwrap();
    let best = found["best"].as_u64().unwrap() as usize;
    let highest = trials.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(score(&trials[best - 1]), highest);
    let table = fs::read_to_string(home.path().join("parts/trials.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 4);
    assert!(
        table
            .lines()
            .next()
            .unwrap()
            .ends_with(",training.learning_rate"),
        "{table}"
    );
    for trial in 1..=4 {
        let run = home.path().join(format!("parts/trial-{trial:03}"));
        assert!(run.join("history.csv").is_file() && !run.join("metrics.json").exists());
        assert!(!run.join("last.safetensors").exists());
        assert_eq!(
            run.join("best.safetensors").exists(),
            trial == best,
            "{trial}"
        );
    }

    // The best recipe trains to the weights of the best trial.
    let train = [
        "train",
        "--data",
        "music",
        "--recipe",
        "parts/best.toml",
        "--out",
        "run",
        "--device",
        "cpu",
    ];
    melgrad(home.path(), train).done();
    let history = |run: &str| {
        let text = fs::read_to_string(home.path().join(run).join("history.csv")).unwrap();
        let row = text.lines().nth(1).unwrap().to_string();
        row.rsplit_once(',').unwrap().0.to_string()
    };
    assert_eq!(history("run"), history(&format!("parts/trial-{best:03}")));
    let notes = fs::read_to_string(home.path().join("parts/best.toml")).unwrap();
    assert!(
        notes.contains("random search") && !notes.contains("[search"),
        "{notes}"
    );
}

#[test]
fn draws_that_go_wrong_are_told_and_the_search_goes_on() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    let fixed = [
        "search",
        "small.toml",
        "--data",
        "music",
        "--device",
        "cpu",
        "--epochs",
        "1",
    ];
    let search = |rest: &[&str]| melgrad(home.path(), [&fixed[..], rest].concat());
    let kernels = [
        "--range",
        "architecture.pool1.kernel=[2, 64]",
        "--out",
        "a",
        "--trials",
        "9",
    ];
    search(&kernels)
        .done()
        .warns("pool1")
        .warns("2 different draws");
    let found = json(&home.path().join("a/search.json"));
    let errors = found["trials"].as_array().unwrap().iter();
    assert_eq!(errors.filter(|trial| trial["error"].is_string()).count(), 1);
    let astray = ["--range", "training.learning_rate=[1e30]", "--out", "b"];
    search(&astray).fails(1, &["every trial failed"]);
    let as_json = ["--resume", "--out", "b", "--json"];
    melgrad(home.path(), [&["search"], &as_json[..]].concat()).fails(1, &["every trial failed"]);

    let ran = search(&["--range", "training.batch=[8]"]).done();
    assert_eq!(ran.out.trim(), "found/best.toml");
    search(&["--resume"]).fails(2, &["--resume"]);
    search(&["--out", "c"]).fails(2, &["no ranges"]);
    for (range, words) in [
        ("training.learning_rate={ from = 1, to = 0.1 }", "above"),
        ("training.learning_rate=7", "a range is"),
        ("training.learning_rat=[1]", "learning_rat"),
        ("architecture.conv9.out_channels=[1]", "conv9"),
        ("input.frames=[16, 32]", "input.frames"),
        (
            "training.extract=[\"ahead\", \"device\"]",
            "training.extract",
        ),
    ] {
        search(&["--range", range, "--out", "c"]).fails(2, &[words]);
    }
    assert!(!home.path().join("c").exists());
    search(&[
        "--range",
        "training.epochs=[1]",
        "--validation",
        "0",
        "--out",
        "d",
    ])
    .fails(2, &["split.validation"]);
    melgrad(home.path(), ["search", "--resume", "--out", "none"]).fails(1, &["search.toml"]);
}
