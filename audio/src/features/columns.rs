//! What the columns of a table are called: of GTZAN's `features_30_sec.csv` and of FMA's `features.csv`.

use super::fma::{PARTS, STATISTICS};
use super::kind::Kind;

impl Kind {
    /// The names of the bands, where the kind is a table that the field knows: one frame, a band for each column.
    ///
    /// `gtzan`: `length`, then mean and variance of 28 features with the tempo among them, as the table's first row has
    /// them. `fma`: the three rows of headings joined, `chroma_cens_kurtosis_01`, in the table's order (sorted by
    /// feature, then by statistic).
    #[must_use]
    pub fn columns(self) -> Option<Vec<String>> {
        match self {
            Kind::Gtzan => Some(gtzan()),
            Kind::Fma => Some(fma()),
            _ => None,
        }
    }
}

fn gtzan() -> Vec<String> {
    let features = [
        "chroma_stft",
        "rms",
        "spectral_centroid",
        "spectral_bandwidth",
        "rolloff",
        "zero_crossing_rate",
        "harmony",
        "perceptr",
    ];
    let both = |name: &str| [format!("{name}_mean"), format!("{name}_var")];
    let mut columns = vec!["length".to_string()];
    columns.extend(features.iter().flat_map(|name| both(name)));
    columns.push("tempo".into());
    columns.extend((1..=20).flat_map(|number| both(&format!("mfcc{number}"))));
    columns
}

fn fma() -> Vec<String> {
    let mut columns = Vec::new();
    for (feature, size) in PARTS {
        for statistic in STATISTICS {
            columns.extend((1..=size).map(|number| format!("{feature}_{statistic}_{number:02}")));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureSettings;

    #[test]
    fn as_many_columns_as_the_tables_have() {
        let (gtzan, fma) = (gtzan(), fma());
        assert_eq!((gtzan.len(), fma.len()), (58, 518));
        for kind in [Kind::Gtzan, Kind::Fma] {
            let settings = FeatureSettings {
                kind,
                ..FeatureSettings::default()
            };
            assert_eq!(
                kind.columns().map(|names| names.len()),
                Some(settings.bands())
            );
        }
        assert_eq!(
            gtzan[16..20],
            ["perceptr_var", "tempo", "mfcc1_mean", "mfcc1_var"]
        );
        assert_eq!(fma[0], "chroma_cens_kurtosis_01");
        assert_eq!(fma[517], "zcr_std_01");
        assert!(fma.is_sorted());
        assert_eq!(Kind::LogMel.columns(), None);
    }
}
