//! The mel scale of Slaney's Auditory Toolbox.

/// Below this, Slaney's mel scale is linear, [`HZ_PER_MEL`] to the mel; above, logarithmic.
const BREAK_HZ: f64 = 1000.0;
const HZ_PER_MEL: f64 = 200.0 / 3.0;
const BREAK_MEL: f64 = BREAK_HZ / HZ_PER_MEL;

/// The logarithm of the ratio from mel to mel above the break: 27 mels for a factor of 6.4.
fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

/// Hz to mel, on the scale of Slaney's Auditory Toolbox.
pub fn hz_to_mel(hz: f64) -> f64 {
    if hz < BREAK_HZ {
        hz / HZ_PER_MEL
    } else {
        BREAK_MEL + (hz / BREAK_HZ).ln() / log_step()
    }
}

/// Mel to Hz, on the scale of Slaney's Auditory Toolbox.
pub fn mel_to_hz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * HZ_PER_MEL
    } else {
        BREAK_HZ * (log_step() * (mel - BREAK_MEL)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{abs_diff_eq, assert_abs_diff_eq};

    #[test]
    fn the_mel_scale_has_its_landmarks() {
        assert_abs_diff_eq!(hz_to_mel(1000.0), 15.0, epsilon = 1e-12);
        assert!(
            abs_diff_eq!(hz_to_mel(6400.0), 42.0, epsilon = 1e-9),
            "27 mels above the break for a factor of 6.4"
        );
        for hz in [0.0, 60.0, 999.9, 1000.0, 4321.0, 22_050.0] {
            assert_abs_diff_eq!(mel_to_hz(hz_to_mel(hz)), hz, epsilon = 1e-8);
        }
    }
}
