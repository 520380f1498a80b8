//! What is ready: tables of features and pictures, from end to end.

use std::path::Path;

use models::Error;
use models::base::control::Control;
use models::data::dataset::detect;
use models::data::dataset::layout::Layout;
use models::recipe::Recipe;
use models::run::folder::RunFolder;
use models::run::pipeline::open;

use crate::place::{Place, recipe, warned};

/// A network of one layer on a row of a table.
fn table_recipe(columns: &str) -> Recipe {
    let text = format!(
        "name = \"table\"\n[input]\nframes = 1\nnormalise = \"band\"\ncolumns = {columns}\n[input.features]\n\
         [split]\nvalidation = 0.2\ntest = 0.2\n[training]\nepochs = 40\nbatch = 8\nlearning_rate = 0.05\n\
         [architecture]\nlayers = [{{ kind = \"Flatten\" }}, {{ kind = \"Linear\", out_features = \"classes\" }}]\n"
    );
    Recipe::parse(&text, Path::new("table.toml")).unwrap()
}

/// 40 rows whose label is the sign of `b`, and one without a label; `a` is always the same, `text` is none.
fn csv() -> String {
    let mut csv = String::from(",filename,a,text,b,Mixed Name,label\n");
    for row in 0..40 {
        let (label, sign) = if row % 2 == 0 {
            ("plus", 1)
        } else {
            ("minus", -1)
        };
        let value = sign * (3 + row % 5);
        let text = if row == 3 { "" } else { "hello" };
        csv += &format!("{row},{label}.{row:05}.wav,7,{text},{value},{row}.5,{label}\n");
    }
    csv + "40,plus.00040.wav,7,hello,3,0.5, \n"
}

#[test]
fn a_table_becomes_a_run_that_knows_its_columns() {
    let place = Place::empty();
    place.write("rows.csv", csv().as_bytes());
    assert_eq!(detect(&place.data()), Layout::Table);
    let recipe = table_recipe("[\"?\"]");
    let (dataset, resolved) = open(&place.data(), &recipe).unwrap();
    assert_eq!(resolved.input.columns, ["a", "b"]);
    assert_eq!(dataset.counts(), [20, 20]);
    assert_eq!(dataset.items[0].name, "minus/minus.00001");
    warned(&dataset.warnings, "\"text\" holds no numbers");
    warned(&dataset.warnings, "1 of 41 rows have no label");
    let all = table_recipe("[\"*\"]");
    let (_, resolved) = open(&place.data().join("rows.csv"), &all).unwrap();
    assert_eq!(resolved.input.columns, ["a", "b", "Mixed Name"]);

    let outcome = place.train(recipe.clone(), "run", Control::none()).unwrap();
    assert_eq!(outcome.metrics.unwrap().accuracy, 1.0);
    let settings = RunFolder::open(&place.path("run"))
        .unwrap()
        .settings()
        .unwrap();
    assert_eq!(settings.recipe.input.columns, ["a", "b"]);
    let again = place.evaluate("run", None).unwrap();
    assert_eq!(again.clips, outcome.tested);
    place.write(
        "other/more.csv",
        "b,a,label\n5,7,plus\n-4,7,minus\n,7,plus\n".as_bytes(),
    );
    let judged = place
        .evaluate("run", Some(&place.data().join("other")))
        .unwrap();
    assert_eq!((judged.metrics.total(), judged.metrics.accuracy), (2, 1.0));
    warned(&judged.warnings, "plus/3: column b");

    let sound = Place::new();
    let refused = |path: &Path, recipe: &Recipe| open(path, recipe).unwrap_err().to_string();
    assert!(refused(&sound.data(), &recipe).contains("this is none"));
    let table = place.data().join("rows.csv");
    assert!(refused(&table, &crate::recipe()).contains("computed from sound"));
    assert!(refused(&table, &table_recipe("[\"b\", \"c*\"]")).contains("\"c*\""));
}

#[test]
fn tables_with_mistakes_are_refused_by_name() {
    for (text, words) in [
        ("", "empty file"),
        ("a,b\n1,2\n", "no column is called label"),
        ("a,label\n", "no row"),
        ("a,label\n1,x,2\n", "row 1 has 3 columns"),
        ("a,label\nhello,x\n", "no column of numbers"),
        ("feature,a\nstatistics,b\n", "tracks.csv"),
        ("a,label\n\u{fffd},x\n", "no column of numbers"),
    ] {
        let place = Place::empty();
        place.write("t.csv", text.as_bytes());
        let error = open(&place.data(), &table_recipe("[\"*\"]")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(words) && error.contains("t.csv"),
            "{text:?}: {error}"
        );
    }
    let place = Place::empty();
    place.write("t.csv", b"a,label\n\xff,x\n");
    let error = open(&place.data(), &table_recipe("[\"*\"]")).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn pictures_become_a_run() {
    let place = Place::empty();
    for label in 0..2u8 {
        for number in 0..6u8 {
            let (width, height) = (20u8, 12u8);
            let pixel = |i: usize| {
                let row = i / usize::from(width);
                let bright = row / 6 == usize::from(label);
                if bright {
                    200 + number
                } else {
                    20 + (i % 7) as u8
                }
            };
            let pixels: Vec<u8> = (0..usize::from(width) * usize::from(height))
                .map(pixel)
                .collect();
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, width.into(), height.into());
            encoder.set_color(png::ColorType::Grayscale);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixels).unwrap();
            writer.finish().unwrap();
            place.write(&format!("g{label}/t.{number}.png"), &bytes);
        }
    }
    place.write("g0/broken.png", b"no picture");
    let mut recipe = recipe();
    for (key, value) in [
        ("input.normalise", "window"),
        ("input.channels", "3"),
        ("training.epochs", "12"),
    ] {
        recipe.set(key, value).unwrap();
    }
    let outcome = place.train(recipe, "run", Control::none()).unwrap();
    warned(&outcome.warnings, "broken.png");
    assert_eq!(outcome.metrics.unwrap().accuracy, 1.0);
    let again = place.evaluate("run", Some(&place.data())).unwrap();
    assert_eq!(again.clips, outcome.tested);
}
