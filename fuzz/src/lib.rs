//! What the targets share.

use std::fs;
use std::sync::LazyLock;

use audio::{Limits, Segment, Stream};
use engine::state_dict::{self, Names};
use engine::{Architecture, ModelFile};
use models::data::dataset::{Content, Dataset, Opening};
use tempfile::TempDir;

/// Decodes bytes whole and in part, within small limits: an answer or an error, as it comes.
pub fn decode(bytes: &[u8]) {
    let limits = Limits {
        max_seconds: 600.0,
        max_bytes: 1 << 20,
        ..Limits::default()
    };
    let whole = Stream::from_bytes(bytes, "x", &limits).and_then(|mut s| s.clip(&Segment::default()));
    if let Ok(clip) = &whole {
        assert!(!clip.samples.is_empty());
        clip.check("x").expect("decoding has checked it");
    }
    let middle = Segment {
        offset: 0.1,
        duration: Some(0.05),
    };
    let part = Stream::from_bytes(bytes, "x", &limits).and_then(|mut s| s.clip(&middle));
    if let (Ok(whole), Ok(part)) = (whole, part) {
        let at = (0.1 * f64::from(whole.sample_rate)).round() as usize;
        assert!(whole.samples[at..].starts_with(&part.samples));
    }
}

/// The same for a file that begins with `signature`, so that no time goes into finding it.
pub fn decode_as(signature: &[u8], rest: &[u8]) {
    decode(&[signature, rest].concat());
}

/// Reads bytes as a model file, as another library's weights and as an architecture's JSON. A model that is read fits
/// together and is written again as it was.
pub fn model(bytes: &[u8]) {
    if let Ok(file) = ModelFile::from_bytes(bytes) {
        file.architecture.memory().expect("reading has checked it");
        let again = file.to_bytes().expect("reading has checked it");
        assert_eq!(ModelFile::from_bytes(&again).expect("just written"), file);
    }
    let _ = state_dict::read(bytes, &Names::new());
    if let Ok(architecture) = Architecture::from_json(&String::from_utf8_lossy(bytes)) {
        let _ = architecture.summary();
    }
}

/// A folder as FMA's metadata has it, and beside it room for a table of another kind.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

const TRACKS: &str = "\
,artist,set,set,track
,id,split,subset,genre_top
track_id,,,,
2,1,training,small,Rock
3,1,test,small,Folk
5,2,validation,small,Rock
";

const FEATURES: &str = "\
feature,mfcc,mfcc,rmse
statistics,mean,mean,max
number,01,02,01
track_id,,,
2,1.5,-2e3,0
3,0.25,,1
5,nan,7,1
";

/// Reads bytes as a table of features. The first says of which kind: `g` is a table with labels in it, as GTZAN's,
/// `f` FMA's features.csv, `t` its tracks.csv.
pub fn table(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let folder = FOLDER.path();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");
    let path = match kind {
        b'g' => {
            write("table.csv", bytes);
            folder.join("table.csv")
        }
        b'f' => {
            write("tracks.csv", TRACKS.as_bytes());
            write("features.csv", bytes);
            folder.join("features.csv")
        }
        b't' => {
            write("tracks.csv", bytes);
            write("features.csv", FEATURES.as_bytes());
            folder.join("features.csv")
        }
        _ => return,
    };
    let opening = Opening {
        table: true,
        ..Opening::default()
    };
    let Ok(dataset) = Dataset::open(&path, &opening) else {
        return;
    };
    assert!(!dataset.items.is_empty());
    for item in &dataset.items {
        assert!(item.label < dataset.labels.len());
        let Content::Row(row) = &item.content else {
            panic!("{item:?}");
        };
        assert_eq!(row.columns.len(), row.values.len());
    }
}
