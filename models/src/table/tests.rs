//! Tables, whole and in parts.

use super::*;
use std::fs;

fn settings() -> FeatureSettings {
    FeatureSettings {
        sample_rate: 8000,
        n_fft: 256,
        hop: 64,
        n_mels: 12,
        ..FeatureSettings::default()
    }
}

/// Seven clips of half a second in `dir/music`, and one file that is none.
fn music(dir: &Path) -> PathBuf {
    let music = dir.join("music");
    fs::create_dir_all(&music).unwrap();
    for i in 0..7 {
        let clip = audio::synth::clip(i, 1, 0.5, 8000);
        fs::write(music.join(format!("a,{i}.wav")), audio::wav::encode(&clip)).unwrap();
    }
    fs::write(music.join("a,3-bad.wav"), b"no sound").unwrap();
    music
}

struct Try<'a> {
    inputs: &'a [PathBuf],
    shard: Shard,
    cache: Option<&'a Path>,
}

impl Try<'_> {
    fn write(&self, out: &Path) -> Result<Tabled, Error> {
        let settings = settings();
        let tabling = Tabling {
            inputs: self.inputs,
            settings: &settings,
            segment: Segment::default(),
            seconds: None,
            shard: self.shard,
            cache: self.cache,
        };
        tabulate(&tabling, &Device::cpu(), out, Control::none())
    }
}

#[test]
fn parts_concatenate_to_the_whole_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [music(dir.path())];
    for ending in [
        "npy",
        "csv",
        #[cfg(feature = "parquet")]
        "parquet",
    ] {
        let make = |index, count, name: String| {
            let out = dir.path().join(name);
            let shard = Shard { index, count };
            let cache = None;
            let inputs = &inputs;
            let tabled = Try {
                inputs,
                shard,
                cache,
            }
            .write(&out)
            .unwrap();
            (out, tabled)
        };
        let (whole, tabled) = make(1, 1, format!("whole.{ending}"));
        assert_eq!(tabled.shape, [7, 12, 63]);
        // More parts than files too: some of them are empty.
        for count in [2, 3, 11] {
            let parts: Vec<_> = (1..=count)
                .map(|index| make(index, count, format!("{index}-{count}.{ending}")))
                .collect();
            let files: Vec<_> = parts
                .iter()
                .flat_map(|(_, part)| part.files.clone())
                .collect();
            let (mut all, mut whole_files) = (files, tabled.files.clone());
            all.sort();
            whole_files.sort();
            assert_eq!(all, whole_files);
            let paths: Vec<PathBuf> = parts.into_iter().map(|(path, _)| path).collect();
            let joined = dir.path().join(format!("joined.{ending}"));
            join(&paths, &joined).unwrap();
            assert!(
                fs::read(&joined).unwrap() == fs::read(&whole).unwrap(),
                "{count} {ending}"
            );
        }
    }
    let csv = fs::read_to_string(dir.path().join("whole.csv")).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("filename,band,0,1,2,"));
    let first = lines.next().unwrap();
    assert!(
        first.starts_with('"') && first.contains("a,0.wav\",0,"),
        "{first}"
    );
    assert_eq!(lines.count(), 7 * 12 - 1);
}

#[test]
fn a_table_has_names_and_labels_and_is_a_dataset() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [music(dir.path()), dir.path().join("more")];
    let clip = audio::synth::clip(3, 9, 0.7, 8000);
    fs::create_dir_all(inputs[1].join("jazz/live")).unwrap();
    fs::write(inputs[1].join("jazz/live/x.wav"), audio::wav::encode(&clip)).unwrap();
    let settings = FeatureSettings {
        kind: audio::Kind::Mfcc,
        n_mfcc: 2,
        statistics: vec![
            audio::features::Statistic::Mean,
            audio::features::Statistic::Var,
        ],
        ..settings()
    };
    let table = |shard, name: &str| {
        let tabling = Tabling {
            inputs: &inputs,
            settings: &settings,
            segment: Segment::default(),
            seconds: None,
            shard,
            cache: None,
        };
        let out = dir.path().join(name);
        tabulate(&tabling, &Device::cpu(), &out, Control::none()).unwrap();
        out
    };
    let whole = table(Shard::WHOLE, "whole.csv");
    let csv = fs::read_to_string(&whole).unwrap();
    let head = "filename,mfcc_1_mean,mfcc_2_mean,mfcc_1_var,mfcc_2_var,label";
    assert_eq!(csv.lines().next(), Some(head));
    assert_eq!(csv.lines().count(), 1 + 8);
    assert!(csv.lines().nth(8).unwrap().ends_with(",jazz"), "{csv}");
    #[cfg(feature = "parquet")]
    {
        let part = |index| table(Shard { index, count: 3 }, &format!("{index}.parquet"));
        let joined = dir.path().join("joined.parquet");
        join(&[1, 2, 3].map(part), &joined).unwrap();
        let whole = table(Shard::WHOLE, "whole.parquet");
        assert!(fs::read(joined).unwrap() == fs::read(whole).unwrap());
    }

    let opening = crate::data::dataset::Opening::default();
    let dataset = crate::data::dataset::Dataset::open(&whole, &opening).unwrap();
    assert_eq!(dataset.labels, ["jazz", "music"]);
    assert_eq!(dataset.counts(), [1, 7]);
    assert!(dataset.warnings.is_empty(), "{:?}", dataset.warnings);
    let item = &dataset.items[0];
    assert_eq!(item.name, "jazz/x");
    let crate::data::dataset::Content::Row(row) = &item.content else {
        panic!("{item:?}");
    };
    let computed = audio::extract(&Device::cpu(), &settings, &clip).unwrap();
    assert_eq!(*row.columns, settings.names());
    let off = row.values.iter().zip(&computed.values);
    // The sound went through 16 bits.
    assert!(
        off.clone().all(|(a, b)| (a - b).abs() < 1e-2 * b.abs()),
        "{row:?} {computed:?}"
    );
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [music(dir.path())];
    let good = dir.path().join("good.npy");
    let shard = Shard::WHOLE;
    let inputs = &inputs;
    Try {
        inputs,
        shard,
        cache: None,
    }
    .write(&good)
    .unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let bytes = fs::read(&good).unwrap();
    let other = [&npy::npy_header(&[1, 12, 2])[..], &[0; 96]].concat();
    let out = dir.path().join("out.npy");
    for (bad, words) in [
        (write("empty.npy", b""), "no array"),
        (write("text.npy", b"some text, and more"), "no array"),
        (write("short.npy", &bytes[..bytes.len() - 1]), "do not fit"),
        (write("other.npy", &other), "clips of [12, 2]"),
        (write("part.csv", b""), "not of the kind"),
        (dir.path().join("missing.npy"), "missing.npy"),
    ] {
        let error = join(&[good.clone(), bad.clone()], &out)
            .unwrap_err()
            .to_string();
        let name = bad.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(words) && error.contains(name), "{error}");
        assert!(!out.exists());
    }
    let first = write("first.csv", b"filename,a,label\nx,1,y\n");
    let out = dir.path().join("out.csv");
    for (bad, words) in [
        (write("wide.csv", b"x,1,2,y\n"), "4 columns, but"),
        (write("head.csv", b"filename,b,label\nx,1,y\n"), "a head"),
        (write("bytes.csv", b"\xff,1,y\n"), "no sound CSV"),
        (dir.path().join("missing.csv"), "cannot read"),
    ] {
        let error = join(&[first.clone(), bad.clone()], &out).unwrap_err();
        let (error, bad) = (error.to_string(), bad.display().to_string());
        assert!(error.contains(words) && error.contains(&bad), "{error}");
        assert!(!out.exists());
    }
    let out = dir.path().join("out.npy");
    let nothing = [write("nothing.npy", &npy::npy_header(&[0, 12, 0]))];
    let error = join(&nothing, &out).unwrap_err().to_string();
    assert!(error.contains("none of the parts holds a clip"), "{error}");
}

#[test]
fn what_was_kept_is_not_computed_again() {
    let dir = tempfile::tempdir().unwrap();
    let music = music(dir.path());
    let (inputs, cache) = ([music.clone()], dir.path().join("cache"));
    let shard = Shard::WHOLE;
    let table = |cache, name: &str| {
        let out = dir.path().join(name);
        let inputs = &inputs;
        Try {
            inputs,
            shard,
            cache,
        }
        .write(&out)
        .unwrap();
        fs::read(out).unwrap()
    };
    let fresh = table(None, "fresh.npy");
    assert!(table(Some(cache.as_path()), "first.npy") == fresh);
    // One entry of them all is changed: only its numbers change, and only with the cache.
    let folder = fs::read_dir(&cache)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 7);
    let content = ContentHash::of_file(&music.join("a,0.wav")).unwrap();
    let bytes = fs::read(music.join("a,0.wav")).unwrap();
    assert_eq!(content, ContentHash::of(&bytes));
    fs::remove_file(folder.join(format!("{content}.features"))).unwrap();
    assert!(table(Some(cache.as_path()), "again.npy") == fresh);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 7);
}

#[test]
fn one_file_has_no_axis_for_clips_and_a_long_one_waits_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.wav");
    let clip = audio::synth::clip(2, 5, 20.0, 8000);
    fs::write(&path, audio::wav::encode(&clip)).unwrap();
    let out = dir.path().join("long.npy");
    let inputs = std::slice::from_ref(&path);
    let shard = Shard::WHOLE;
    let tabled = Try {
        inputs,
        shard,
        cache: None,
    }
    .write(&out)
    .unwrap();
    assert_eq!(tabled.shape, [12, 2501]);

    let (settings, device) = (settings(), Device::cpu());
    let mut stream = Stream::open(&path, &Limits::LONG).unwrap();
    let segment = Segment::default();
    let spool = Spool::of(
        &mut stream,
        &segment,
        &settings,
        &device,
        &out,
        &path,
        Control::none(),
    );
    let mut spool = spool.unwrap();
    assert_eq!(spool.shape(), [12, 2501]);
    let (mut row, mut bytes) = (Vec::new(), npy::npy_header(&[12, 2501]));
    for band in 0..12 {
        spool.row(band, &mut row).unwrap();
        bytes.extend(row.iter().flat_map(|v| v.to_le_bytes()));
    }
    assert!(bytes == fs::read(&out).unwrap(), "the same numbers");
    drop(spool);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        2,
        "nothing is left behind"
    );
}

#[test]
fn different_lengths_are_told_with_both_names_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let music = music(dir.path());
    let longer = audio::synth::clip(0, 1, 0.7, 8000);
    fs::write(music.join("b.wav"), audio::wav::encode(&longer)).unwrap();
    let out = dir.path().join("x.npy");
    let (inputs, shard) = (&[music], Shard::WHOLE);
    let error = Try {
        inputs,
        shard,
        cache: None,
    }
    .write(&out)
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("b.wav: 88 frames") && error.contains("a,0.wav has 63"),
        "{error}"
    );
    assert!(!out.exists());
}
