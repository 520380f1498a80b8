//! Features of many files, in parts and from where they were; parts of sounds.

use crate::program::{home, melgrad, music};
use std::fs;

#[test]
fn parts_of_a_folder_join_to_the_whole() {
    let home = home();
    music(home.path(), 3, 2);
    let small = [
        "--sr", "8000", "--n-fft", "512", "--hop", "250", "--n-mels", "20", "--device", "cpu",
    ];
    let features =
        |rest: &[&str]| melgrad(home.path(), [&["features", "music"], rest, &small].concat());
    features(&["--out", "whole.npy"]).done();
    for (shard, out) in [
        ("1/4", "a.npy"),
        ("2/4", "b.npy"),
        ("3/4", "c.npy"),
        ("4/4", "d.npy"),
    ] {
        features(&["--shard", shard, "--out", out]).done();
    }
    let join = [
        "features",
        "--join",
        "a.npy",
        "b.npy",
        "c.npy",
        "d.npy",
        "--out",
        "joined.npy",
    ];
    assert_eq!(melgrad(home.path(), join).done().out, "joined.npy\n");
    let read = |name: &str| fs::read(home.path().join(name)).unwrap();
    assert!(read("joined.npy") == read("whole.npy"));

    for wrong in ["0/4", "5/4", "1", "1/0", "a/b", "-1/2"] {
        features(&["--shard", wrong, "--out", "x.npy"]).fails(2, &["I/N"]);
    }
    let join = [
        "features",
        "--join",
        "a.npy",
        "nothing.npy",
        "--out",
        "x.npy",
    ];
    melgrad(home.path(), join).fails(1, &["nothing.npy"]);
    let both = [
        "features", "--join", "a.npy", "--shard", "1/2", "--out", "x.npy",
    ];
    assert_eq!(melgrad(home.path(), both).code, Some(2));
}

#[test]
fn a_table_of_features_is_trained_on() {
    let home = home();
    music(home.path(), 2, 6);
    let table = ["features", "music", "--kind", "gtzan", "--device", "cpu"];
    let table = |rest: &[&str]| melgrad(home.path(), [&table[..], rest].concat());
    table(&["--out", "table.csv"]).done();
    let csv = fs::read_to_string(home.path().join("table.csv")).unwrap();
    let head = csv.lines().next().unwrap();
    assert!(
        head.starts_with("filename,length,chroma_stft_mean,chroma_stft_var,rms_mean,"),
        "{head}"
    );
    assert!(head.ends_with(",mfcc20_mean,mfcc20_var,label"), "{head}");
    let last = csv.lines().last().unwrap();
    assert!(last.starts_with("music/classical/classical.00005.wav,22050,"));
    assert!(last.ends_with(",classical"), "{last}");
    let train = |data: &str, out: &str| {
        let train = ["train", "--recipe", "northrop-fcnn", "--device", "cpu"];
        let few = ["--epochs", "1", "--data", data, "--out", out];
        melgrad(home.path(), [&train[..], &few].concat()).done();
        fs::read(home.path().join(out).join("history.csv")).unwrap()
    };
    // The table holds what training on the sound computes, to the last bit.
    let columns = |history: Vec<u8>| {
        let text = String::from_utf8(history).unwrap();
        let last = text.lines().last().unwrap().to_string();
        last.split(',')
            .take(5)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        columns(train("table.csv", "a")),
        columns(train("music", "b"))
    );

    let parquet = table(&["--out", "table.parquet"]);
    if cfg!(feature = "parquet") {
        parquet.done();
        for (shard, out) in [("1/2", "a.parquet"), ("2/2", "b.parquet")] {
            table(&["--shard", shard, "--out", out]).done();
        }
        let join = ["features", "--join", "a.parquet", "b.parquet"];
        melgrad(home.path(), [&join[..], &["--out", "c.parquet"]].concat()).done();
        let read = |name: &str| fs::read(home.path().join(name)).unwrap();
        assert!(read("c.parquet") == read("table.parquet"));
    } else {
        parquet
            .fails(2, &["table.parquet"])
            .hints("--features parquet");
    }
}

#[test]
fn a_part_of_a_sound_is_that_part() {
    let home = home();
    music(home.path(), 1, 1);
    let waveform = |rest: &[&str], out: &str| {
        let fixed = [
            "features",
            "music/blues/blues.00000.wav",
            "--kind",
            "waveform",
            "--sr",
            "8000",
            "--device",
            "cpu",
            "--out",
            out,
        ];
        melgrad(home.path(), [&fixed, rest].concat()).done();
        fs::read(home.path().join(out)).unwrap()[128..].to_vec()
    };
    let whole = waveform(&[], "whole.npy");
    let part = waveform(&["--offset", "0.25", "--duration", "0.125"], "part.npy");
    assert!(part == whole[4 * 2000..4 * 3000]);
    let end = waveform(&["--offset", "-0.25", "--duration", "0.125"], "end.npy");
    assert!(end == whole[4 * 6000..4 * 7000]);
    let features = ["features", "music", "--out", "x.npy", "--device", "cpu"];
    for (flags, code, words) in [
        (["--offset", "1.5"], 1, "the sound, which is 1.000 s long"),
        (["--offset", "-1.5"], 1, "offset -1.5 s lies outside"),
        (["--offset", "NaN"], 2, "offset NaN s is not finite"),
        (["--duration", "0"], 2, "duration 0 s is not above 0"),
    ] {
        melgrad(home.path(), [&features[..], &flags].concat()).fails(code, &[words]);
    }
}
