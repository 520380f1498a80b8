//! Recipes run under several seeds; weights to PyTorch and back; trainings that begin with another's weights.

use crate::program::{Ran, home, keys, melgrad, music, small_recipe, small_run, write};
use std::fs;
use std::path::Path;

fn cpu(home: &Path, args: &str) -> Ran {
    melgrad(home, args.split(' ').chain(["--device", "cpu"]))
}

fn plain(home: &Path, args: &str) -> Ran {
    melgrad(home, args.split(' '))
}

#[test]
fn claimed_beside_measured() {
    let home = home();
    let dir = home.path();
    music(dir, 3, 8);
    let recipe = small_recipe(dir);
    let text = fs::read_to_string(&recipe).unwrap();
    write(
        &recipe,
        format!("claimed = {{ accuracy = 0.625 }}\n{text}").as_bytes(),
    );
    let command = "reproduce small.toml --data music --seeds 0,7 --set training.epochs=1";
    let told = cpu(dir, command).done();
    for words in [
        "small on music: 3 labels",
        "claimed  measured",
        "0.625",
        "±",
        "seeds 0, 7",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    assert!(dir.join("reproduced/small/seed-7/report.html").is_file());
    let json = cpu(dir, &format!("{command} --json")).done();
    assert!(
        !json.err.contains("epoch 1"),
        "nothing is trained again: {}",
        json.err
    );
    let json = json.json();
    let expected = [
        "best_epochs",
        "claimed",
        "clips",
        "command",
        "data",
        "device",
        "fingerprint",
        "labels",
        "measured",
        "parameters",
        "recipe",
        "seconds",
        "seeds",
        "split",
    ];
    assert_eq!(keys(&json), expected);
    assert_eq!(
        keys(&json["measured"]["accuracy"]),
        ["deviation", "mean", "runs"]
    );
    assert_eq!(json["measured"]["f1"]["runs"].as_array().unwrap().len(), 2);
    let said = json["command"].as_str().unwrap();
    assert_eq!(
        said,
        "melgrad reproduce small.toml --data music --seeds 0,7 --set 'training.epochs=1'"
    );
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("reproduced/small.json")).unwrap()).unwrap();
    assert_eq!(file, json);

    cpu(
        dir,
        "reproduce small.toml --data music --seeds 0 --set training.batch=3",
    )
    .fails(1, &["reproduced/small", "is there already"]);
    let fewer = cpu(dir, &command.replace("0,7", "7")).done();
    assert!(!fewer.err.contains("epoch 1"), "{}", fewer.err);
    assert!(fewer.out.contains("seed 7") && !fewer.out.contains('±'));
    cpu(dir, &command.replace("0,7", "7,7")).fails(2, &["seeds", "twice"]);
    cpu(dir, "reproduce small.toml --data music --seeds=-1").fails(2, &["--seeds"]);
    cpu(dir, "reproduce smal --data music").fails(2, &["smal"]);
    cpu(dir, "reproduce small.toml --data none").fails(1, &["none"]);
}

#[test]
fn on_folds() {
    let home = home();
    let dir = home.path();
    music(dir, 2, 6);
    small_recipe(dir);
    let command = "reproduce small.toml --data music --seeds 3 --folds 2 --split paper --json";
    let told = cpu(dir, command).done().json();
    assert_eq!((&told["folds"], &told["seeds"][0]), (&2.into(), &3.into()));
    assert_eq!(
        told["measured"]["accuracy"]["runs"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let said = told["command"].as_str().unwrap();
    assert!(
        said.ends_with("--seeds 3 --folds 2 --split paper"),
        "{said}"
    );
    assert!(dir.join("reproduced/small-2-folds.json").is_file());
    let series = dir.join("reproduced/small-2-folds");
    assert!(
        series.join("seed-3-fold-2/report.html").is_file() && series.join("series.json").is_file()
    );
    cpu(dir, "reproduce small.toml --data music --folds 1").fails(2, &["folds", "at least 2"]);
    cpu(dir, "reproduce small.toml --data music --folds 99").fails(2, &["99 folds"]);
}

#[test]
fn weights_to_pytorch_and_back() {
    let home = home();
    let dir = home.path();
    music(dir, 3, 8);
    small_run(dir);
    let ask = |model: &str| {
        cpu(
            dir,
            &format!("classify music/blues/blues.00000.wav --json --model {model}"),
        )
        .done()
        .json()
    };
    assert_eq!(
        plain(dir, "export run --out weights.safetensors")
            .done()
            .out
            .trim(),
        "weights.safetensors"
    );
    plain(
        dir,
        "import weights.safetensors --like run --out again.safetensors",
    )
    .done();
    assert_eq!(ask("again.safetensors"), ask("run/best.safetensors"));

    // A run's recipe says how they call its layers.
    let bytes = std::fs::read(dir.join("weights.safetensors")).unwrap();
    let at = bytes.windows(5).position(|name| name == b"conv1").unwrap();
    let named = [&bytes[..at], b"first", &bytes[at + 5..]].concat();
    let at = at
        + named[at..]
            .windows(5)
            .position(|name| name == b"conv1")
            .unwrap();
    let named = [&named[..at], b"first", &named[at + 5..]].concat();
    write(&dir.join("theirs.safetensors"), &named);
    let import = "import theirs.safetensors --like run --out named.safetensors";
    plain(dir, import).fails(1, &["first"]);
    let settings = std::fs::read_to_string(dir.join("run/run.toml")).unwrap();
    let settings = format!("{settings}\n[recipe.transfer.names]\nfirst = \"conv1\"\n");
    write(&dir.join("run/run.toml"), settings.as_bytes());
    plain(dir, import).done();
    assert_eq!(ask("named.safetensors"), ask("run/best.safetensors"));
    plain(dir, "import weights.safetensors --recipe small.toml --labels blues,classical,country --mean=-40 --deviation 20 --out own.safetensors").done();
    assert_eq!(
        keys(&ask("own.safetensors")[0]),
        ["file", "label", "probability", "top"]
    );

    // A second training begins with the first one's weights.
    let begun = cpu(
        dir,
        "train --data music --recipe small.toml --weights weights.safetensors --epochs 1 --out next",
    );
    begun.done().warns("4 of 4 arrays taken over");

    plain(
        dir,
        "import weights.safetensors --recipe small.toml --labels a,b --out no.safetensors",
    )
    .fails(1, &["weights.safetensors", "linear1.weight"]);
    plain(
        dir,
        "import weights.safetensors --recipe ajufo-cnn --labels a,b,c --out no.safetensors",
    )
    .fails(1, &["missing"]);
    plain(dir, "import small.toml --like run --out no.safetensors").fails(1, &["small.toml"]);
    plain(
        dir,
        "import weights.safetensors --recipe small.toml --out no.safetensors",
    )
    .fails(2, &["--labels"]);
    plain(dir, "import weights.safetensors --out no.safetensors").fails(2, &["--recipe"]);
    plain(
        dir,
        "import weights.safetensors --recipe small.toml --labels a,a,b --out no.safetensors",
    )
    .fails(1, &["two labels"]);
    plain(dir, "import weights.safetensors --recipe small.toml --labels a,b,c --deviation 0 --out no.safetensors")
        .fails(2, &["normalisation"]);
    plain(dir, "export small.toml --out no.safetensors").fails(1, &["small.toml"]);
    plain(dir, "export again.safetensors --out ./again.safetensors").fails(2, &["--out"]);
    cpu(
        dir,
        "train --data music --recipe small.toml --weights small.toml --out other",
    )
    .fails(1, &["small.toml"]);
    assert!(!dir.join("no.safetensors").exists());
}
