use super::*;
use ::parquet::record::RowAccessor;
use std::fs;

fn write(path: &Path, columns: &Columns, rows: &[Row<'_>]) {
    let write = |writer: &mut dyn WriteSeek| {
        let mut to = Box::new(Parquet::new(writer, columns)?);
        rows.iter().try_for_each(|row| to.row(row))?;
        to.end(&[])
    };
    files::write_atomic_seek(path, write).unwrap();
}

fn row<'a>(filename: &'a str, band: usize, values: &'a [f32]) -> Row<'a> {
    Row {
        filename,
        label: "jazz",
        band,
        values,
    }
}

#[test]
fn a_table_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let names = ["tempo", "rms_mean"].map(String::from).to_vec();
    let rows = [
        row("a.wav", 0, &[120.0, 0.1]),
        row("bé,.wav", 0, &[90.5, -1e-30]),
    ];
    write(&path, &Columns::Named(names), &rows);
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let mut count = 0;
    for (read, row) in file.get_row_iter(None).unwrap().zip(rows) {
        let read = read.unwrap();
        let names: Vec<&String> = read.get_column_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["filename", "tempo", "rms_mean", "label"]);
        assert_eq!(read.get_string(0).unwrap(), row.filename);
        let values = [read.get_float(1).unwrap(), read.get_float(2).unwrap()];
        assert_eq!(values, row.values);
        assert_eq!(read.get_string(3).unwrap(), "jazz");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn frames_are_a_list_for_every_band() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write(
        &path,
        &Columns::Frames,
        &[row("a", 0, &[1.0, 2.0, 3.0]), row("a", 1, &[4.0; 3])],
    );
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let read: Vec<_> = file
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(read.len(), 2);
    assert_eq!(
        (read[0].get_int(1).unwrap(), read[1].get_int(1).unwrap()),
        (0, 1)
    );
    assert_eq!(
        read[0].to_string(),
        r#"{filename: "a", band: 0, values: [1.0, 2.0, 3.0]}"#
    );
    assert_eq!(read[1].get_list(2).unwrap().len(), 3);
}

#[test]
fn parts_are_the_whole_wherever_they_were_cut() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    // Three groups and a half.
    let width = GROUP / 4 + 1;
    let values: Vec<f32> = (0..width * 13).map(|i| i as f32).collect();
    let rows: Vec<Row<'_>> = values
        .chunks(width)
        .enumerate()
        .map(|(i, values)| row("a", i, values))
        .collect();
    write(&at("whole"), &Columns::Frames, &rows);
    write(&at("1"), &Columns::Frames, &rows[..6]);
    write(&at("2"), &Columns::Frames, &[]);
    write(&at("3"), &Columns::Frames, &rows[6..]);
    join(&["1", "2", "3"].map(at), &at("joined")).unwrap();
    assert!(fs::read(at("joined")).unwrap() == fs::read(at("whole")).unwrap());
    let error = join(&[at("2")], &at("x")).unwrap_err().to_string();
    assert!(error.contains("none of the parts holds a clip"), "{error}");
    write(&at("4"), &Columns::Frames, &[row("a", 0, &[1.0])]);
    let error = join(&["1", "4"].map(at), &at("x")).unwrap_err().to_string();
    assert!(error.contains("4: rows of 1 numbers"), "{error}");
    write(
        &at("5"),
        &Columns::Named(vec!["rms".into()]),
        &[row("a", 0, &[1.0])],
    );
    let error = join(&["1", "5"].map(at), &at("x")).unwrap_err().to_string();
    assert!(
        error.contains("5") && error.contains("other columns"),
        "{error}"
    );
    assert!(!at("x").exists());
}

#[test]
fn damaged_parts_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let names = Columns::Named(["tempo", "rms"].map(String::from).to_vec());
    let rows = [row("a", 0, &[1.0, 2.0]), row("b", 1, &[3.0, 4.0])];
    for columns in [names, Columns::Frames] {
        write(&at("good"), &columns, &rows);
        let good = fs::read(at("good")).unwrap();
        let mut refused = 0;
        let mut panicked = Vec::new();
        for byte in 0..good.len() {
            for value in [0, 1, 0x7f, 0xff, good[byte] ^ 1, good[byte] ^ 0x80] {
                let mut bad = good.clone();
                bad[byte] = value;
                fs::write(at("bad"), bad).unwrap();
                let joined = std::panic::catch_unwind(|| join(&[at("bad")], &at("x")));
                let Ok(joined) = joined else {
                    panicked.push((byte, value));
                    continue;
                };
                if let Err(error) = joined {
                    // A part may hold no clip, but not all of them.
                    let error = error.to_string();
                    let empty = error.contains("none of the parts holds a clip");
                    assert!(empty || error.contains("bad"), "{error}");
                    refused += 1;
                }
            }
            fs::write(at("bad"), &good[..byte]).unwrap();
            assert!(join(&[at("bad")], &at("x")).is_err());
        }
        assert!(
            panicked.is_empty(),
            "{columns:?} {panicked:?} of {}",
            good.len()
        );
        assert!(refused > good.len(), "{refused}");
    }
}
