//! Datasets as people download them, on small folders of the same layout.

use std::path::Path;

use engine::Device;
use models::base::control::Control;
use models::data::dataset::layout::{Layout, Subset};
use models::data::dataset::{Content, Dataset, Opening, Side, detect};
use models::data::split::{Form, Split};
use models::recipe::Recipe;
use models::run::pipeline::open;

use crate::place::{Place, recipe, warned};

fn opened(path: &Path) -> Dataset {
    Dataset::open(path, &Opening::default()).unwrap()
}

fn group<'a>(dataset: &'a Dataset, name: &str) -> &'a str {
    let item = dataset.items.iter().find(|item| item.name == name);
    &item.unwrap_or_else(|| panic!("no {name}")).group
}

/// Sound as long as GTZAN's.
fn excerpt(genre: usize, seed: u64) -> Vec<u8> {
    audio::wav::encode(&audio::synth::clip(genre, seed, 30.013, 1000))
}

fn gtzan() -> Place {
    let place = Place::empty();
    for (genre, label) in ["disco", "jazz"].into_iter().enumerate() {
        for number in [50, 51, 52, 53, 54, 70] {
            let name = format!("genres_original/{label}/{label}.{number:05}.wav");
            place.write(&name, &excerpt(genre, number));
        }
    }
    place.write("genres_original/jazz/jazz.00054.wav", b"not a sound");
    place.write("images_original/disco/disco00050.png", b"a picture");
    place
}

#[test]
fn gtzan_with_its_copies_its_broken_file_and_its_filtered_split() {
    let place = gtzan();
    assert_eq!(detect(&place.data()), Layout::Gtzan);
    assert_eq!(detect(&place.data().join("genres_original")), Layout::Gtzan);
    let dataset = opened(&place.data());
    assert_eq!((dataset.layout, dataset.items.len()), (Layout::Gtzan, 12));
    warned(&dataset.warnings, "2 of GTZAN's excerpts are copies");
    let copy = group(&dataset, "disco/disco.00050");
    assert_eq!(group(&dataset, "disco/disco.00051"), copy);
    assert_eq!(group(&dataset, "disco/disco.00070"), copy);
    assert_ne!(group(&dataset, "disco/disco.00052"), copy);
    assert_ne!(
        group(&dataset, "jazz/jazz.00051"),
        group(&dataset, "jazz/jazz.00053")
    );
    let artists = Opening {
        artists: true,
        ..Opening::default()
    };
    let dataset = Dataset::open(&place.data(), &artists).unwrap();
    assert_eq!(
        group(&dataset, "jazz/jazz.00051"),
        group(&dataset, "jazz/jazz.00053")
    );
    let outcome = place.train(recipe(), "run", Control::none()).unwrap();
    assert_eq!(outcome.settings.data.clips, 11);
    warned(&outcome.warnings, "jazz.00054.wav");

    for (name, numbers) in [("train", [50, 53]), ("valid", [51, 54]), ("test", [70, 99])] {
        let line =
            |number: &u32| format!("disco/disco.{number:05}.wav\njazz/jazz.{number:05}.wav\n");
        let lines: String = numbers.iter().map(line).collect();
        place.write(&format!("{name}_filtered.txt"), lines.as_bytes());
    }
    let dataset = opened(&place.data());
    assert_eq!(dataset.items.len(), 10, "52 is in none of the lists");
    warned(&dataset.warnings, "2 clips are in none");
    let side = |name: &str| {
        dataset
            .items
            .iter()
            .find(|item| item.name == name)
            .unwrap()
            .side
    };
    assert_eq!(side("jazz/jazz.00051"), Some(Side::Validation));
    assert_eq!(side("disco/disco.00070"), Some(Side::Test));
    // They count in the text's form too, where every clip would be drawn for itself.
    let mut paper = recipe();
    paper.split.form = Form::Paper;
    let outcome = place.train(paper, "listed", Control::none()).unwrap();
    assert_eq!(
        outcome.settings.data.split,
        [4, 3, 2],
        "jazz.00054 is broken"
    );
    let tested: Vec<&str> = outcome.tested.iter().map(|clip| &*clip.name).collect();
    assert_eq!(tested, ["disco/disco.00070", "jazz/jazz.00070"]);
    place.write("test_filtered.txt", b"disco/polka.00001.wav");
    let error = Dataset::open(&place.data(), &Opening::default()).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
}

#[test]
fn other_clips_with_gtzans_names_are_none_of_its() {
    let place = Place::empty();
    for (genre, label) in ["disco", "jazz"].into_iter().enumerate() {
        for number in [50, 51] {
            place.music(&format!("{label}/{label}.{number:05}.wav"), genre, number);
        }
    }
    assert_eq!(detect(&place.data()), Layout::Folders);
    let table =
        "filename,length,x,label\ndisco.00050.wav,LEN,1,disco\ndisco.00051.wav,LEN,2,disco\n";
    let copies = |path: &str, text: &str| {
        place.write(path, text.as_bytes());
        let dataset = opened(&place.data().join(path));
        let warnings = &dataset.warnings;
        assert!(
            dataset.items.len() == 2 && warnings.len() < 2,
            "{warnings:?}"
        );
        warnings.len()
    };
    assert_eq!(copies("t/synth.csv", &table.replace("LEN", "66150")), 0);
    assert_eq!(copies("t/gtzan.csv", &table.replace("LEN", "661794")), 1);
    // Who says that it is GTZAN is believed.
    let opening = Opening {
        layout: Some(Layout::Gtzan),
        ..Opening::default()
    };
    let dataset = Dataset::open(&place.data(), &opening).unwrap();
    warned(&dataset.warnings, "1 of GTZAN's excerpts");
}

#[test]
fn an_excerpt_in_two_formats_counts_once() {
    let place = gtzan();
    let before = opened(&place.data()).items.len();
    for number in [50, 51] {
        let path = format!("genres_original/disco/disco.{number:05}.au");
        place.write(&path, &excerpt(0, number));
    }
    let dataset = opened(&place.data());
    assert_eq!(dataset.items.len(), before);
    warned(&dataset.warnings, "2 excerpts are there in two formats");
}

/// The two rows of headings, as pandas writes them, then `track_id`, and titles with line breaks in them.
const TRACKS: &str = "\
,album,artist,set,set,track,track
,title,id,split,subset,genre_top,title
track_id,,,,,,
2,\"a, b\",1,training,small,Hip-Hop,Food
3,a,1,training,small,Hip-Hop,\"two
lines\"
5,a,2,validation,small,Rock,x
10,b,3,test,small,Rock,x
98565,b,4,test,small,Rock,cut at the wrong place
140,b,5,training,medium,Jazz,x
141,b,6,training,large,,no top genre
200,b,,training,small,Hip-Hop,no file
";

const FEATURES: &str = "\
feature,mfcc,mfcc,zcr
statistics,mean,mean,mean
number,01,02,01
track_id,,,
2,1.0,2.0,3.0
3,1.5,2.5,
5,-1.0,-2e3,0.5
10,4.0,5.0,6.0
140,7.0,8.0,9.0
";

fn fma() -> Place {
    let place = Place::empty();
    place.write("fma_metadata/tracks.csv", TRACKS.as_bytes());
    for (seed, id) in [2, 3, 5, 10, 98_565].into_iter().enumerate() {
        let name = format!("{id:06}");
        let path = format!("fma_small/{}/{name}.mp3", &name[..3]);
        place.music(&path, seed % 2, seed as u64);
    }
    place
}

#[test]
fn fma_with_its_split_its_artists_and_its_broken_clips() {
    let place = fma();
    for inside in [".", "fma_small", "fma_metadata"] {
        assert_eq!(
            detect(&place.data().join(inside)),
            Layout::Fma(None),
            "{inside}"
        );
    }
    let dataset = opened(&place.data());
    assert_eq!(dataset.layout, Layout::Fma(Some(Subset::Small)));
    assert_eq!(dataset.labels, ["Hip-Hop", "Rock"]);
    assert_eq!(dataset.counts(), [2, 2]);
    assert_eq!(
        group(&dataset, "Hip-Hop/000002"),
        group(&dataset, "Hip-Hop/000003")
    );
    warned(&dataset.warnings, "1 clips that are known to be cut");
    warned(&dataset.warnings, "1 of the tracks");
    let inside = opened(&place.data().join("fma_small"));
    let names = |dataset: &Dataset| {
        dataset
            .items
            .iter()
            .map(|item| item.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&inside), names(&dataset));
    let split = Split::new(&dataset, &recipe().split, 0).unwrap();
    assert_eq!(
        (split.train.len(), split.validation.len(), split.test.len()),
        (2, 1, 1)
    );

    let medium = Opening {
        layout: Some(Layout::Fma(Some(Subset::Medium))),
        ..Opening::default()
    };
    let dataset = Dataset::open(&place.data(), &medium).unwrap();
    warned(&dataset.warnings, "2 of the tracks");

    place.write("fma_metadata/features.csv", FEATURES.as_bytes());
    assert!(matches!(
        opened(&place.data()).items[0].content,
        Content::Sound
    ));
    let table = Opening {
        table: true,
        ..Opening::default()
    };
    let dataset = Dataset::open(&place.data(), &table).unwrap();
    let Content::Row(row) = &dataset.items[0].content else {
        panic!("no row");
    };
    assert_eq!(
        row.columns[..],
        ["mfcc_mean_01", "mfcc_mean_02", "zcr_mean_01"]
    );
    assert_eq!(row.values, [1.0, 2.0, 3.0]);
    assert_eq!(dataset.items.len(), 4);

    for (name, text, words) in [
        (
            "tracks.csv",
            ",set\n,split\n",
            "no column (track, genre_top)",
        ),
        ("tracks.csv", "", "two rows of headings"),
        ("features.csv", "feature,a\nstatistics,b\n", "number"),
        (
            "features.csv",
            "feature,a\nstatistics,b\nnumber,1\nx,2\n",
            "no track's number",
        ),
        (
            "features.csv",
            "feature,a\nstatistics,b\nnumber,1\n2,2,3\n",
            "track 2 has 3 columns",
        ),
    ] {
        let place = fma();
        place.write("fma_metadata/features.csv", FEATURES.as_bytes());
        place.write(&format!("fma_metadata/{name}"), text.as_bytes());
        let error = Dataset::open(&place.data(), &table)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words) && error.contains(name), "{error}");
    }
    let place = fma();
    std::fs::remove_dir_all(place.data().join("fma_small")).unwrap();
    let error = Dataset::open(&place.data(), &Opening::default()).unwrap_err();
    assert!(error.to_string().contains("no folder of clips"), "{error}");
}

#[test]
fn a_table_and_the_sound_that_it_was_made_of_are_the_same_to_a_network() {
    let place = fma();
    let music = audio::synth::clip(0, 1, 1.5, 22_050);
    place.write("fma_small/000/000002.mp3", &audio::wav::encode(&music));
    let recipe = Recipe::load("amin-dense").unwrap();
    let (sound, _) = open(&place.data(), &recipe).unwrap();
    let item = &sound.items[0];
    assert_eq!(
        (&*item.name, &item.content),
        ("Hip-Hop/000002", &Content::Sound)
    );
    let clip = audio::decode(&item.path, &audio::Limits::default()).unwrap();
    let windows = recipe.input.windows(&Device::cpu(), &clip, "2").unwrap();
    assert_eq!(windows.bands, 140);

    // features.csv with just these numbers.
    let names = recipe.input.features.kind.columns().unwrap();
    let mut lines = ["feature", "statistics", "number", "track_id", "2"].map(String::from);
    let mut values = windows.values.iter();
    for name in &names {
        let mut parts = name.rsplitn(3, '_');
        for line in [2, 1, 0] {
            lines[line] += &format!(",{}", parts.next().unwrap());
        }
        lines[3] += ",";
        lines[4] += &match name.starts_with("mfcc_") {
            true => format!(",{}", values.next().unwrap()),
            false => ",0".into(),
        };
    }
    place.write("fma_metadata/features.csv", lines.join("\n").as_bytes());
    let (table, _) = open(&place.data(), &recipe).unwrap();
    let Content::Row(row) = &table.items[0].content else {
        panic!("no row");
    };
    assert_eq!(recipe.input.row(row, "2").unwrap(), windows);
}

#[test]
fn ballroom_without_its_copies() {
    let place = Place::empty();
    for dance in ["ChaChaCha", "Jive", "Samba", "Waltz"] {
        place.write(&format!("BallroomData/{dance}/Media-103401.wav"), b"");
        place.write(&format!("BallroomData/{dance}/Albums-Fire-01.wav"), b"");
    }
    let copy = "BallroomData/Samba/Albums-Latin_Jam2-09.wav";
    place.write(copy, b"");
    place.write("BallroomData/allBallroomFiles", b"");
    assert_eq!(detect(&place.data()), Layout::Ballroom);
    let dataset = opened(&place.data());
    assert_eq!(dataset.labels, ["ChaChaCha", "Jive", "Samba", "Waltz"]);
    assert_eq!(dataset.items.len(), 9, "the name alone makes no copy");
    place.write(copy, &excerpt(0, 1));
    let dataset = opened(&place.data());
    assert_eq!(dataset.items.len(), 8);
    warned(&dataset.warnings, "1 clips that are known to be copies");
    let opening = Opening {
        artists: true,
        drop_copies: false,
        ..Opening::default()
    };
    let dataset = Dataset::open(&place.data(), &opening).unwrap();
    assert_eq!(dataset.items.len(), 9);
    let album = group(&dataset, "Jive/Albums-Fire-01");
    assert_eq!(group(&dataset, "Waltz/Albums-Fire-01"), album);
}

#[test]
fn the_papers_split_tears_apart_what_the_recipes_keeps_together() {
    let place = gtzan();
    let mut recipe = recipe();
    recipe.split.form = Form::Paper;
    let outcome = place
        .train(recipe.clone(), "paper", Control::none())
        .unwrap();
    warned(&outcome.warnings, "clips that belong together");
    let [train, validation, test] = outcome.settings.data.split;
    assert_eq!(
        (train + test, validation),
        (11, 0),
        "the last epoch is kept"
    );
    assert_eq!(outcome.settings.recipe, recipe);
}
