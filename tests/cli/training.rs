//! Training, evaluating, classifying: files, figures, JSON against the contract.

use crate::program::{home, keys, melgrad, music, small_recipe, small_run, write};
use std::fs;

#[test]
fn train_evaluate_classify() {
    let home = home();
    music(home.path(), 3, 8);
    let run = small_run(home.path());
    for file in [
        "run.toml",
        "best.safetensors",
        "last.safetensors",
        "history.csv",
        "metrics.json",
        "report.html",
        "confusion.svg",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    assert_eq!(
        fs::read_to_string(run.join("history.csv"))
            .unwrap()
            .lines()
            .count(),
        1 + 2
    );
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("Confusion matrix") && report.ends_with("</html>\n"));
    melgrad(
        home.path(),
        [
            "train",
            "--data",
            "music",
            "--recipe",
            "small.toml",
            "--out",
            "run",
            "--device",
            "cpu",
        ],
    )
    .fails(1, &["run", "is there already"])
    .hints("--resume");
    let again = |rest: &str| {
        let args = format!("train --resume --out run --device cpu {rest}");
        melgrad(home.path(), args.split_whitespace())
    };
    again("--data music --recipe small.toml --seed 0 --batch 8 --lr 0.003").done();
    again("--recipe demo").fails(2, &["--recipe demo", "small"]);
    again("--seed 3").fails(2, &["--seed 3", "has 0"]);
    again("--batch 9").fails(2, &["--batch 9", "has 8"]);
    again("--lr 0.1").fails(2, &["--lr 0.1", "has 0.003"]);
    again("--test 0.5").fails(2, &["--test"]);
    let layers = |args: &[&str]| melgrad(home.path(), [&["summary"], args].concat());
    assert_eq!(
        layers(&["run"]).done().out,
        layers(&["run/best.safetensors"]).done().out
    );
    layers(&["run", "--classes", "4"]).fails(2, &["--classes"]);

    let json = melgrad(
        home.path(),
        ["evaluate", "run", "--json", "--device", "cpu"],
    )
    .done()
    .json();
    assert_eq!(
        keys(&json),
        ["accuracy", "classes", "confusion", "macro", "weighted"]
    );
    for mean in ["macro", "weighted"] {
        assert_eq!(keys(&json[mean]), ["f1", "precision", "recall"]);
    }
    assert_eq!(
        keys(&json["classes"][0]),
        ["f1", "label", "precision", "recall", "support"]
    );
    assert_eq!(json["confusion"].as_array().unwrap().len(), 3);
    let metrics: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(json, metrics, "the run's own figures again");
    let text = melgrad(home.path(), ["evaluate", "run", "--device", "cpu"]).done();
    assert!(
        text.out.contains("accuracy") && text.out.contains("truth"),
        "{}",
        text.out
    );
    let compare = |rest: &[&str]| {
        let runs = ["evaluate", "run", "run", "--device", "cpu"];
        melgrad(home.path(), [&runs[..], rest].concat()).done()
    };
    let text = compare(&["--out", "page.html"]).out;
    assert_eq!(text.lines().count(), 1 + 2, "{text}");
    let page = fs::read_to_string(home.path().join("page.html")).unwrap();
    assert!(page.contains("Runs compared") && page.ends_with("</html>\n"));
    let list = compare(&["--json"]).json();
    let figures = list.as_array().unwrap();
    assert_eq!(figures.len(), 2);
    assert_eq!(
        (&figures[1]["run"], &figures[1]["accuracy"]),
        (&"run".into(), &metrics["accuracy"])
    );
    let one = [
        "evaluate", "run", "--device", "cpu", "--json", "--out", "one.html",
    ];
    let one = melgrad(home.path(), one).done().json();
    assert_eq!(one, metrics, "beside a page too, one run is no list");

    let json = melgrad(home.path(), ["summary", "run/best.safetensors", "--json"])
        .done()
        .json();
    assert_eq!(
        json["layers"].as_array().unwrap().last().unwrap()["output"],
        serde_json::json!([3])
    );

    write(&home.path().join("no.wav"), b"no sound at all");
    let files = [
        "music/blues/blues.00000.wav",
        "no.wav",
        "music/disco",
        "music/classical",
    ];
    let classify = |files: &[&str], rest: &[&str]| {
        let model = ["--model", "run/best.safetensors", "--device", "cpu"];
        melgrad(home.path(), [&["classify"], files, &model, rest].concat())
    };
    classify(&files[2..3], &[]).fails(1, &["music/disco"]);
    let json = classify(&[files[0], files[1], files[3]], &["--json", "--top", "2"])
        .fails(1, &["no.wav"])
        .json();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), 2 + 8, "the others are answered");
    assert_eq!(keys(&rows[1]), ["error", "file"]);
    assert_eq!(rows[1]["file"], "no.wav");
    for row in [&rows[0], &rows[2]] {
        assert_eq!(keys(row), ["file", "label", "probability", "top"]);
        assert_eq!(row["top"].as_array().unwrap().len(), 2);
        assert_eq!(keys(&row["top"][0]), ["label", "probability"]);
        assert_eq!(row["top"][0]["label"], row["label"]);
    }
    let text = classify(&files[..1], &["--top", "9"]).done();
    assert!(
        text.out.starts_with("music/blues/blues.00000.wav\t") && text.out.matches('%').count() == 3,
        "{}",
        text.out
    );
}

#[test]
fn flags_change_the_recipe() {
    let home = home();
    music(home.path(), 2, 4);
    small_recipe(home.path());
    let flags = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        "run",
        "--device",
        "cpu",
        "--epochs",
        "1",
        "--batch",
        "3",
        "--lr",
        "0.0005",
        "--patience",
        "4",
        "--test",
        "*.00003",
        "--validation",
        "0",
        "--seconds",
        "0.5",
        "--set",
        "training.l2=0.001",
        "--seed",
        "5",
        "--threads",
        "1",
        "--no-cache",
    ];
    melgrad(home.path(), flags).done();
    let settings = fs::read_to_string(home.path().join("run/run.toml")).unwrap();
    for line in [
        "seed = 5",
        "epochs = 1",
        "batch = 3",
        "learning_rate = 0.0005",
        "patience = 4",
        "test = \"*.00003\"",
        "seconds = 0.5",
        "l2 = 0.001",
    ] {
        assert!(
            settings.lines().any(|found| found == line),
            "{line} in {settings}"
        );
    }
    let bad = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        "r2",
        "--set",
        "training.epoks=3",
    ];
    melgrad(home.path(), bad).fails(2, &["--set", "epoks"]);
    melgrad(home.path(), ["train", "--resume", "--out", "nowhere"]).fails(1, &["nowhere"]);
}

#[test]
fn what_is_no_network_names_genres_too() {
    let home = home();
    music(home.path(), 2, 6);
    let train = [
        "train",
        "--data",
        "music",
        "--recipe",
        "floor-logistic",
        "--out",
        "run",
    ];
    let trained = melgrad(home.path(), train).done();
    assert_eq!(trained.out.trim(), "run/model.json");
    let classify = |rest: &[&str]| melgrad(home.path(), [&["classify", "music"], rest].concat());
    let answers = classify(&["--model", "run/model.json", "--json"]).done();
    assert_eq!(answers.json().as_array().unwrap().len(), 12);
    let of_run = classify(&["--model", "run", "--json"]).done();
    assert_eq!(of_run.json(), answers.json());
    write(&home.path().join("model.json"), b"{}");
    classify(&["--model", "model.json"]).fails(1, &["model.json", "labels"]);
    classify(&["--model", "music"]).fails(1, &["run.toml", "no run"]);
}
