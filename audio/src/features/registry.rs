//! The registry: what computes each kind.
//!
//! To add a kind, write a file with a [`Definition`], name the kind in `kind.rs` and add its line here. Checks, sizes, the
//! command line's `--kind`, benches and the tests that walk every kind read both.

use super::definition::Definition;
use super::kind::{Axis, Kind};
use super::{
    beats, chroma, contrast, cqt, fma, gtzan, gtzan_picture, harmony, hpss, mfcc, onset, pyaudio,
    spectra, spectral, tempo, time, waveform, yin,
};

impl Kind {
    /// What its bands are.
    pub fn axis(self) -> Axis {
        self.definition().axis
    }

    /// Unit of its values; empty where they have none.
    pub fn unit(self) -> &'static str {
        self.definition().unit
    }

    pub(super) fn definition(self) -> &'static Definition {
        match self {
            Kind::Waveform => &waveform::WAVEFORM,
            Kind::Stft => &spectra::STFT,
            Kind::Mel => &spectra::MEL,
            Kind::LogMel => &spectra::LOGMEL,
            Kind::Mfcc => &mfcc::MFCC,
            Kind::SpectralCentroid => &spectral::CENTROID,
            Kind::SpectralBandwidth => &spectral::BANDWIDTH,
            Kind::SpectralRolloff => &spectral::ROLLOFF,
            Kind::SpectralFlatness => &spectral::FLATNESS,
            Kind::GtzanPicture => &gtzan_picture::GTZAN_PICTURE,
            Kind::SpectralContrast => &contrast::CONTRAST,
            Kind::PolyFeatures => &spectral::POLY,
            Kind::Chroma => &chroma::CHROMA,
            Kind::Rms => &time::RMS,
            Kind::ZeroCrossingRate => &time::ZERO_CROSSING_RATE,
            Kind::Gtzan => &gtzan::GTZAN,
            Kind::Harmonic => &hpss::HARMONIC,
            Kind::Percussive => &hpss::PERCUSSIVE,
            Kind::OnsetStrength => &onset::ONSET,
            Kind::Tempo => &tempo::TEMPO,
            Kind::Beats => &beats::BEATS,
            Kind::Cqt => &cqt::CQT,
            Kind::ChromaCqt => &harmony::CHROMA_CQT,
            Kind::ChromaCens => &harmony::CHROMA_CENS,
            Kind::Tonnetz => &harmony::TONNETZ,
            Kind::Yin => &yin::YIN,
            Kind::Pyaudio => &pyaudio::PYAUDIO,
            Kind::Fma => &fma::FMA,
        }
    }
}
