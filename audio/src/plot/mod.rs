//! Plots of features as PNG, with axes: readable on light and dark pages, without system fonts.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`spectrogram_png`]: layout, axes |
//! | `heat.rs` | bands by frames as colours, with their bar |
//! | `curve.rs` | one value a frame as a line; a waveform |
//! | `area.rs` | where the picture stands within its axes |
//! | `axis.rs` | where ticks stand and what they say |
//! | `canvas.rs` | pixels, lines, text, PNG |
//! | `DejaVuSans-subset.ttf` | the font (licence beside it) |

mod area;
mod axis;
mod canvas;
mod curve;
mod heat;

use crate::error::{Error, Result};
use crate::features::{FeatureSettings, Features, Kind};
use area::{Area, TEXT};
use axis::{band_ticks, steps};
use canvas::{Align, Canvas, Colour};
use curve::Curve;
use heat::Heat;

/// Style of a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotOptions {
    /// Title, in ASCII; other characters are left out.
    pub title: String,
    /// Width in pixels, axes included.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Dark theme.
    pub dark: bool,
}

impl Default for PlotOptions {
    fn default() -> Self {
        PlotOptions {
            title: String::new(),
            width: 1000,
            height: 480,
            dark: false,
        }
    }
}

/// Valid sizes, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 240..=8192;

const TITLE: f32 = 16.0;
/// Margins around the plot area, in pixels.
const LEFT: i32 = 78;
const RIGHT: i32 = 96;
const TOP: i32 = 40;
const BOTTOM: i32 = 54;

/// Colours of everything but the colour map.
struct Theme {
    background: Colour,
    ink: Colour,
    line: Colour,
}

const LIGHT: Theme = Theme {
    background: [255, 255, 255],
    ink: [34, 34, 34],
    line: [42, 91, 160],
};

const DARK: Theme = Theme {
    background: [24, 24, 27],
    ink: [222, 222, 222],
    line: [122, 176, 245],
};

/// Plots features as the bytes of a PNG file, with time in seconds on the x axis. With several bands: a heat map, with
/// frequency (in Hz, on the mel scale if the features are mel), pitch class or number on the y axis. Powers and
/// magnitudes are shown in decibels below their maximum. With one band (`waveform`, `rms`, …): a line.
///
/// # Errors
/// [`Error::Picture`] if `features` do not match `settings`, are empty or not finite, are a table or have deltas or
/// statistics, or if the size is not 240 to 8192.
pub fn spectrogram_png(
    features: &Features,
    settings: &FeatureSettings,
    options: &PlotOptions,
) -> Result<Vec<u8>> {
    settings.check()?;
    check(features, settings, options)?;
    let theme = if options.dark { &DARK } else { &LIGHT };
    let size = [options.width as usize, options.height as usize];
    let mut canvas = Canvas::new(size[0], size[1], theme.background);
    let plot = Area {
        left: LEFT,
        top: TOP,
        width: options.width as i32 - LEFT - RIGHT,
        height: options.height as i32 - TOP - BOTTOM,
        ink: theme.ink,
    };
    let most = (plot.height / 28).max(2) as usize;
    let (ticks, what) = if features.bands == 1 {
        let curve = Curve::of(features, settings);
        curve.draw(&mut canvas, &plot, theme.line);
        (steps(curve.low, curve.high, most), quantity(settings))
    } else {
        let heat = Heat::of(features, settings);
        heat.draw(&mut canvas, &plot)?;
        heat.draw_bar(&mut canvas, &plot);
        band_ticks(settings, features.bands, most)
    };
    canvas.frame(plot.left, plot.top, plot.width, plot.height, theme.ink);
    for tick in &ticks {
        plot.tick_left(&mut canvas, tick);
    }
    // A frame of the waveform is a sample, and a picture of GTZAN has 256 for 30 s.
    let hop = match settings.kind {
        Kind::Waveform | Kind::Harmonic | Kind::Percussive => 1.0,
        Kind::GtzanPicture => 30.0 / 256.0 * f64::from(settings.sample_rate),
        _ => settings.hop as f64,
    };
    let seconds = features.frames as f64 * hop / f64::from(settings.sample_rate);
    for tick in steps(0.0, seconds, (plot.width / 80).max(2) as usize) {
        plot.tick_below(&mut canvas, &tick);
    }
    let middle = (plot.left + plot.width / 2, plot.top + plot.height / 2);
    let mut centred = |text: &str, y, size| {
        canvas.text(text, middle.0, y, size, Align::Centre, theme.ink);
    };
    centred(&options.title, TOP / 2, TITLE);
    centred("Time (s)", plot.bottom() + 38, TEXT);
    canvas.text_upwards(&what, 16, middle.1, TEXT, theme.ink);
    canvas.png()
}

fn check(features: &Features, settings: &FeatureSettings, options: &PlotOptions) -> Result<()> {
    let refuse = |why: String| Err(Error::Picture(why));
    let (bands, frames, kind) = (features.bands, features.frames, settings.kind);
    if !settings.is_picture() {
        return refuse(format!(
            "{kind}: tables, slopes and statistics are not drawn"
        ));
    }
    if bands != settings.bands()
        || frames == 0
        || bands.checked_mul(frames) != Some(features.values.len())
    {
        let (wanted, values) = (settings.bands(), features.values.len());
        return refuse(format!(
            "features of {bands}×{frames} with {values} values; the settings give {wanted} bands"
        ));
    }
    if !SIDES.contains(&options.width) || !SIDES.contains(&options.height) {
        let (w, h) = (options.width, options.height);
        return refuse(format!(
            "{w}×{h} pixels; both must be {} to {}",
            SIDES.start(),
            SIDES.end()
        ));
    }
    if !features.values.iter().all(|v| v.is_finite()) {
        return refuse("a value is not a finite number".into());
    }
    Ok(())
}

/// A kind's name in words, with the unit of its values.
fn quantity(settings: &FeatureSettings) -> String {
    let name = settings.kind.name().replace('_', " ");
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    match settings.kind.unit() {
        "" => name,
        unit => format!("{name} ({unit})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Axis;

    fn drawn() -> impl Iterator<Item = Kind> {
        Kind::ALL
            .into_iter()
            .filter(|kind| kind.axis() != Axis::Table)
    }

    fn picture(
        settings: &FeatureSettings,
        frames: usize,
        options: &PlotOptions,
    ) -> Result<Vec<u8>> {
        let bands = settings.bands();
        let values = (0..bands * frames)
            .map(|i| {
                if settings.kind == Kind::LogMel {
                    -(i as f32) % 80.0
                } else {
                    i as f32
                }
            })
            .collect();
        spectrogram_png(
            &Features {
                bands,
                frames,
                values,
            },
            settings,
            options,
        )
    }

    #[test]
    fn pictures_of_every_kind_are_png_of_the_wanted_size() {
        for kind in drawn() {
            for (frames, width, height) in [(1, 240, 240), (431, 1000, 480), (5000, 700, 300)] {
                let settings = FeatureSettings {
                    kind,
                    ..FeatureSettings::default()
                };
                let options = PlotOptions {
                    title: "A title — of μ letters".into(),
                    width,
                    height,
                    ..PlotOptions::default()
                };
                let mut options = options;
                options.dark = frames == 1;
                let bytes = picture(&settings, frames, &options).unwrap();
                let decoder = png::Decoder::new(std::io::Cursor::new(&bytes));
                let reader = decoder.read_info().unwrap();
                assert_eq!((reader.info().width, reader.info().height), (width, height));
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let settings = FeatureSettings::default();
        let say = |result: Result<Vec<u8>>| result.unwrap_err().to_string();
        let options = PlotOptions {
            width: 100,
            ..PlotOptions::default()
        };
        assert_eq!(
            say(picture(&settings, 10, &options)),
            "picture: 100×480 pixels; both must be 240 to 8192"
        );
        let wrong = Features {
            bands: 64,
            frames: 2,
            values: vec![0.0; 128],
        };
        assert!(
            say(spectrogram_png(&wrong, &settings, &PlotOptions::default()))
                .contains("the settings give 128 bands")
        );
        let nan = Features {
            bands: 128,
            frames: 1,
            values: vec![f32::NAN; 128],
        };
        assert!(say(spectrogram_png(&nan, &settings, &PlotOptions::default())).contains("finite"));
        assert!(picture(&settings, 0, &PlotOptions::default()).is_err());
    }

    #[test]
    fn tables_slopes_and_statistics_are_not_drawn() {
        for settings in [
            r#"{"kind": "gtzan"}"#,
            r#"{"deltas": 1}"#,
            r#"{"statistics": ["max"]}"#,
        ] {
            let settings: FeatureSettings = serde_json::from_str(settings).unwrap();
            let error = picture(&settings, 1, &PlotOptions::default()).unwrap_err();
            assert!(error.to_string().contains("not drawn"), "{error}");
        }
    }

    #[test]
    fn a_line_goes_where_its_values_are() {
        let settings = FeatureSettings {
            kind: Kind::Rms,
            ..FeatureSettings::default()
        };
        let features = Features {
            bands: 1,
            frames: 2,
            values: vec![0.0, 1.0],
        };
        let bytes = spectrogram_png(&features, &settings, &PlotOptions::default()).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(&bytes));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let at = |x: usize, y: usize| &pixels[3 * (y * 1000 + x)..][..3];
        let (bottom, right) = (480 - BOTTOM as usize - 1, 1000 - RIGHT as usize - 1);
        assert_eq!(at(LEFT as usize + 9, bottom), LIGHT.line);
        assert_eq!(at(right, TOP as usize), LIGHT.line);
        assert_eq!(at(right, bottom), LIGHT.background);
    }

    #[test]
    fn silence_is_drawn() {
        for kind in drawn() {
            let settings = FeatureSettings {
                kind,
                ..FeatureSettings::default()
            };
            let bands = settings.bands();
            let silence = Features {
                bands,
                frames: 3,
                values: vec![0.0; 3 * bands],
            };
            spectrogram_png(&silence, &settings, &PlotOptions::default()).unwrap();
        }
    }
}
