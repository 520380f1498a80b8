//! Feature tables: a CSV or TSV file with a row for each clip.
//!
//! ```text
//! filename,length,chroma_stft_mean,…,label     GTZAN's features_30_sec.csv, or a table of one's own
//! feature,chroma_cens,chroma_cens,…            FMA's features.csv: three rows of headings, and the labels
//! statistics,kurtosis,kurtosis,…               in tracks.csv (see `fma.rs`)
//! number,01,02,…
//! track_id,,,…
//! 2,7.1806526184e+00,…
//! ```
//!
//! Columns are separated by commas, semicolons or tabs, whichever the headings have most of ([`Separator`]).
//! Of the first form, the column called `label` (or `genre`, `class`) holds the labels and the one called `filename`
//! (or `file`, `name`, `path`, `track_id`, `id`) the clips' names; every other column of numbers is a feature. Columns
//! without a number, those without a name (pandas' index), and rows without a label are left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;

use super::layout::Layout;
use super::separator::Separator;
use super::{Content, Dataset, Item, Row};
use crate::Error;
use crate::data::group::GroupRule;

const LABELS: [&str; 3] = ["label", "genre", "class"];
const NAMES: [&str; 6] = ["filename", "file", "name", "path", "track_id", "id"];

/// Headings longer than this are cut in errors.
const LONGEST_HEADING: usize = 24;

/// More columns than this are refused.
const MOST_COLUMNS: usize = 1 << 16;

/// A table of numbers, and what names its rows.
pub(super) struct Table {
    pub(super) columns: Arc<[String]>,
    /// The name of each row, its label where the table has one, its numbers.
    pub(super) rows: Vec<(String, String, Vec<f32>)>,
    pub(super) warnings: Vec<String>,
}

/// The dataset of a table with labels in it.
pub(super) fn open(path: &Path, rule: GroupRule) -> Result<Dataset, Error> {
    let table = read(path)?;
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (_, label, _) in &table.rows {
        numbers.entry(label.clone()).or_default();
    }
    for (number, at) in numbers.values_mut().enumerate() {
        *at = number;
    }
    let columns = table.columns;
    let mut items: Vec<Item> = table
        .rows
        .into_iter()
        .map(|(name, label, values)| {
            let file = Path::new(&name);
            let stem = match super::is_audio(file) {
                true => file.file_stem().unwrap_or_default().to_string_lossy(),
                false => name.as_str().into(),
            };
            let stem = stem.rsplit(['/', '\\']).next().unwrap_or_default();
            Item {
                path: path.into(),
                content: Content::Row(Arc::new(Row {
                    columns: columns.clone(),
                    values,
                })),
                label: numbers[&label],
                group: format!("{label}/{}", rule.group("", stem)),
                name: format!("{label}/{stem}"),
                side: None,
            }
        })
        .collect();
    items.sort_by(|a, b| (a.label, &a.name).cmp(&(b.label, &b.name)));
    Ok(Dataset {
        dir: path.into(),
        labels: numbers.into_keys().collect(),
        items,
        warnings: table.warnings,
        layout: Layout::Table,
    })
}

fn malformed(path: &Path, reason: impl Into<String>) -> Error {
    Error::Malformed {
        path: path.into(),
        reason: reason.into(),
    }
}

/// The records of a CSV file, headings included; they may differ in length.
pub(crate) fn records(path: &Path) -> Result<csv::StringRecordsIntoIter<impl Read>, Error> {
    separated(path, Separator::Comma)
}

fn separated(
    path: &Path,
    separator: Separator,
) -> Result<csv::StringRecordsIntoIter<impl Read + use<>>, Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut builder = csv::ReaderBuilder::new();
    let builder = builder.delimiter(separator.byte());
    let reader = builder.has_headers(false).flexible(true).from_reader(file);
    Ok(reader.into_records())
}

/// One record, or what is wrong with the file.
pub(crate) fn record(
    path: &Path,
    record: Option<Result<StringRecord, csv::Error>>,
) -> Result<Option<StringRecord>, Error> {
    let wrong = |error: csv::Error| malformed(path, format!("no sound CSV table: {error}"));
    record.transpose().map_err(wrong)
}

fn read(path: &Path) -> Result<Table, Error> {
    let separator = Separator::of(path)?;
    let mut records = separated(path, separator)?;
    let head = record(path, records.next())?.ok_or_else(|| malformed(path, "an empty file"))?;
    if head.len() > MOST_COLUMNS {
        let reason = format!("{} columns, the limit is {MOST_COLUMNS}", head.len());
        return Err(malformed(path, reason));
    }
    let called = |names: &[&str]| {
        let find = |name: &&str| head.iter().position(|own| own.eq_ignore_ascii_case(name));
        names.iter().find_map(find)
    };
    if is_fma(&head) {
        let reason = "FMA's features: their labels stand in tracks.csv, which is not beside it";
        return Err(malformed(path, reason));
    }
    let label = called(&LABELS).ok_or_else(|| {
        let short = |name: &str| name.chars().take(LONGEST_HEADING).collect();
        let names: Vec<String> = head.iter().take(5).map(short).collect();
        let (names, by) = (names.join(", "), separator.name());
        let reason = format!(
            "no column is called label; separated by {by}, its {} headings begin with {names}",
            head.len()
        );
        malformed(path, reason)
    })?;
    let name = called(&NAMES);
    let unnamed = |own: &str| own.is_empty() || own.starts_with("Unnamed: ");
    let mut chosen: Vec<usize> = (0..head.len())
        .filter(|&at| at != label && Some(at) != name && !unnamed(&head[at]))
        .collect();
    let (mut rows, mut number, mut unlabelled) = (Vec::new(), 0, 0);
    while let Some(record) = record(path, records.next())? {
        number += 1;
        if record.len() != head.len() {
            let (has, wants) = (record.len(), head.len());
            let by = separator.name();
            let reason = format!(
                "row {number} has {has} columns, the headings have {wants}, separated by {by}"
            );
            return Err(malformed(path, reason));
        }
        if record[label].trim().is_empty() {
            unlabelled += 1;
            continue;
        }
        let cells: Vec<f32> = record.iter().map(|cell| separator.number(cell)).collect();
        let name = name.map_or_else(|| number.to_string(), |at| record[at].to_string());
        rows.push((name, record[label].to_string(), cells));
    }
    if rows.is_empty() {
        return Err(malformed(path, "headings, but no row with a label"));
    }
    let mut warnings = Vec::new();
    if unlabelled > 0 {
        let path = path.display();
        warnings.push(format!(
            "{path}: {unlabelled} of {number} rows have no label, left out"
        ));
    }
    chosen.retain(|&at| {
        let text = rows.iter().all(|(_, _, cells)| cells[at].is_nan());
        if text {
            let column = &head[at];
            let path = path.display();
            warnings.push(format!("{path}: {column:?} holds no numbers, left out"));
        }
        !text
    });
    if chosen.is_empty() {
        return Err(malformed(path, "no column of numbers"));
    }
    for (_, _, values) in &mut rows {
        *values = chosen.iter().map(|&at| values[at]).collect();
    }
    let columns = chosen.iter().map(|&at| head[at].to_string()).collect();
    Ok(Table {
        columns,
        rows,
        warnings,
    })
}

fn is_fma(head: &StringRecord) -> bool {
    head.get(0) == Some("feature") && head.len() > 1
}

/// Rows of FMA's `features.csv` by the numbers of their tracks.
pub(super) struct FmaFeatures {
    pub(super) columns: Arc<[String]>,
    pub(super) rows: Vec<(u32, Vec<f32>)>,
}

/// FMA's `features.csv`: the rows whose number is wanted, in their order, with columns called `mfcc_mean_01`.
pub(super) fn fma_features(
    path: &Path,
    wanted: impl Fn(u32) -> bool,
) -> Result<FmaFeatures, Error> {
    let mut records = records(path)?;
    let mut heads = Vec::new();
    for expected in ["feature", "statistics", "number"] {
        match record(path, records.next())? {
            Some(head) if head.get(0) == Some(expected) && head.len() <= MOST_COLUMNS => {
                heads.push(head);
            }
            _ => {
                let reason = format!("its headings have no row that begins with {expected:?}");
                return Err(malformed(path, reason));
            }
        }
    }
    let width = heads.iter().map(StringRecord::len).min().unwrap_or(0);
    let column = |at: usize| format!("{}_{}_{}", &heads[0][at], &heads[1][at], &heads[2][at]);
    let columns: Arc<[String]> = (1..width).map(column).collect();
    let mut rows = Vec::new();
    while let Some(record) = record(path, records.next())? {
        let id = record.get(0).unwrap_or_default();
        let Ok(id) = id.parse::<u32>() else {
            if rows.is_empty() && id == "track_id" {
                continue;
            }
            return Err(malformed(path, format!("{id:?} is no track's number")));
        };
        if record.len() != width {
            let has = record.len();
            let reason = format!("track {id} has {has} columns, the headings have {width}");
            return Err(malformed(path, reason));
        }
        if wanted(id) {
            let values = record.iter().skip(1);
            let values = values.map(|cell| Separator::Comma.number(cell));
            rows.push((id, values.collect()));
        }
    }
    Ok(FmaFeatures { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_of_spreadsheets_hold_the_same_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            read(&path).map(|table| (table.columns, table.rows))
        };
        let comma = "filename,a,b,label\nx.wav,1.5,-2e3,rock\ny.wav,0.25,4,jazz\n";
        let expected = read("comma.csv", comma).unwrap();
        assert_eq!(expected.1[0].2, [1.5, -2000.0]);
        let decimal = comma
            .replace(',', ";")
            .replace('.', ",")
            .replace(",wav", ".wav");
        for (name, text) in [
            ("decimal.csv", decimal.clone()),
            ("bom.csv", format!("\u{feff}{decimal}")),
            ("tabs.tsv", comma.replace(',', "\t")),
            ("tabs.csv", decimal.replace(';', "\t")),
        ] {
            assert_eq!(read(name, &text).unwrap(), expected, "{name}");
        }
        let long = format!("a;b;c;d;{};f;g\n1;2;3;4;5;6;7\n", "e".repeat(99));
        let error = read("none.csv", &long).err().unwrap().to_string();
        let cut = "e".repeat(LONGEST_HEADING);
        let words = format!("separated by semicolons, its 7 headings begin with a, b, c, d, {cut}");
        assert!(error.ends_with(&words), "{error}");
        let short = read("short.csv", "a;label\n1\n").err().unwrap().to_string();
        assert!(short.contains("separated by semicolons"), "{short}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_table_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), cells in "[a-z0-9.,\"\n-]{0,200}") {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("t.csv");
            for head in [&b""[..], b"a,label\n", b"feature,a\nstatistics,b\nnumber,01\n"] {
                for tail in [&bytes[..], cells.as_bytes()] {
                    std::fs::write(&path, [head, tail].concat()).unwrap();
                    if let Ok(dataset) = open(&path, GroupRule::Take) {
                        prop_assert!(dataset.items.iter().all(|item| item.label < dataset.labels.len()));
                    }
                    let _ = fma_features(&path, |_| true);
                }
            }
        }
    }
}
