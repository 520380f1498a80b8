//! The definition.

use super::{PowerToDb, Reference};

pub fn power_to_db(s: &PowerToDb, x: &[f64], y: &mut [f64]) {
    let amin = f64::from(s.amin);
    for (x, y) in x.chunks(s.len).zip(y.chunks_mut(s.len)) {
        let loudest = x.iter().copied().fold(amin, f64::max);
        let reference = match s.reference {
            Reference::Max => loudest,
            Reference::Value(value) => f64::from(value).max(amin),
        };
        let db = |power: f64| 10.0 * (power.max(amin) / reference).log10();
        let floor = s
            .top_db
            .map_or(f64::NEG_INFINITY, |top| db(loudest) - f64::from(top));
        for (x, y) in x.iter().zip(y) {
            *y = db(*x).max(floor);
        }
    }
}
