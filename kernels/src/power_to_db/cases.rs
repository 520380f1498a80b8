//! Mel spectrograms of 8 and 30 seconds, odd sizes, and bad settings.

use super::{PowerToDb, Reference};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `power_to_db`.
pub fn cases() -> Vec<Case> {
    let db = |clips, len| PowerToDb {
        clips,
        len,
        reference: Reference::Max,
        amin: 1e-10,
        top_db: Some(80.0),
    };
    let plain = PowerToDb {
        reference: Reference::Value(1.0),
        top_db: None,
        ..db(2, 65)
    };
    vec![
        Case::bench("ajufo-30s", db(1, 128 * 646)),
        Case::bench("librosa-30s", db(1, 128 * 1292)),
        Case::bench("georgopoulos-8s", db(8, 128 * 345)),
        Case::proof("one", db(1, 1)),
        Case::proof("one-each", db(7, 1)),
        Case::proof("max", db(3, 33)),
        Case::proof("value", plain),
        Case::proof(
            "value-and-top",
            PowerToDb {
                top_db: Some(31.0),
                ..plain
            },
        ),
        Case::proof(
            "reference-below-amin",
            PowerToDb {
                amin: 1e-3,
                reference: Reference::Value(1e-6),
                ..plain
            },
        ),
        Case::proof(
            "top-0",
            PowerToDb {
                top_db: Some(0.0),
                ..plain
            },
        ),
        Case::proof(
            "max-without-top",
            PowerToDb {
                top_db: None,
                ..db(2, 31)
            },
        ),
        Case::proof(
            "large-amin",
            PowerToDb {
                amin: 0.1,
                ..db(2, 31)
            },
        ),
        Case::proof("several-blocks", db(3, 2 * super::BLOCK + 65)),
        Case::bad("empty", "empty", db(1, 0)),
        Case::bad("no-amin", "amin 0", PowerToDb { amin: 0.0, ..plain }),
        Case::bad(
            "nan-reference",
            "reference NaN",
            PowerToDb {
                reference: Reference::Value(f32::NAN),
                ..plain
            },
        ),
        Case::bad(
            "negative-top",
            "top_db -1",
            PowerToDb {
                top_db: Some(-1.0),
                ..plain
            },
        ),
        Case::bad("too-large", "2^31", db(1 << 20, 1 << 20)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![Box::new(PowerToDb {
        clips: d.within(1, 5),
        len: d.within(1, 9000),
        reference: d.of(&[
            Reference::Max,
            Reference::Value(1.0),
            Reference::Value(1e-6),
        ]),
        amin: d.of(&[1e-10, 1e-3]),
        top_db: d.of(&[None, Some(0.0), Some(31.0), Some(80.0)]),
    })]
}
