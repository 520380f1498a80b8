//! Pictures of sound as PNG, with axes: readable on light and dark pages, drawn without any font of the system.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`spectrogram_png`]: layout, axes, colour bar |
//! | `axis.rs` | where ticks stand and what they say |
//! | `canvas.rs` | pixels, lines, text, PNG |
//! | `DejaVuSans-subset.ttf` | the font (licence beside it) |

mod axis;
mod canvas;

use crate::error::{Error, Result};
use crate::features::{FeatureSettings, Features, Kind, hz_to_mel};
use axis::{Tick, frequencies, steps};
use canvas::{Align, Canvas, Colour, magma};

/// How a picture looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotOptions {
    /// What stands above it, in the characters of ASCII; others are left out.
    pub title: String,
    /// Pixels across, axes included.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Default for PlotOptions {
    fn default() -> Self {
        PlotOptions {
            title: String::new(),
            width: 1000,
            height: 480,
        }
    }
}

/// The sizes that a picture may have, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 240..=8192;

/// The kinds of which there are pictures.
const DRAWN: [Kind; 3] = [Kind::Stft, Kind::Mel, Kind::LogMel];

const BACKGROUND: Colour = [255, 255, 255];
const INK: Colour = [34, 34, 34];
const TEXT: f32 = 13.0;
const TITLE: f32 = 16.0;
/// Pixels around the picture proper.
const LEFT: i32 = 78;
const RIGHT: i32 = 96;
const TOP: i32 = 40;
const BOTTOM: i32 = 54;
/// The colour bar: its distance from the picture, and its width.
const BAR: [i32; 2] = [18, 16];
const TICK: i32 = 5;
/// The decibels shown where the settings name no floor.
const DEPTH: f32 = 80.0;

/// A spectrogram as the bytes of a PNG file: time in seconds across, frequency in Hz upwards (on the mel scale where
/// the features are mel), decibels by colour. Powers and magnitudes are shown in decibels below their maximum.
///
/// # Errors
/// [`Error::Picture`] where `features` do not fit `settings`, are empty or not finite, or the size is not 240 to 8192.
pub fn spectrogram_png(
    features: &Features,
    settings: &FeatureSettings,
    options: &PlotOptions,
) -> Result<Vec<u8>> {
    settings.check()?;
    let refuse = |why: String| Err(Error::Picture(why));
    let (bands, frames) = (features.bands, features.frames);
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
    if !DRAWN.contains(&settings.kind) {
        return refuse(format!("{} is not drawn", settings.kind));
    }
    let decibels = Decibels::of(features, settings);
    if !decibels.values.iter().all(|v| v.is_finite()) {
        return refuse("a value is not a finite number".into());
    }

    let mut canvas = Canvas::new(options.width as usize, options.height as usize, BACKGROUND);
    let plot = Area {
        left: LEFT,
        top: TOP,
        width: options.width as i32 - LEFT - RIGHT,
        height: options.height as i32 - TOP - BOTTOM,
    };
    decibels.draw(&mut canvas, &plot)?;
    canvas.frame(plot.left, plot.top, plot.width, plot.height, INK);

    let seconds = frames as f64 * settings.hop as f64 / f64::from(settings.sample_rate);
    for tick in steps(0.0, seconds, (plot.width / 80).max(2) as usize) {
        plot.tick_below(&mut canvas, &tick);
    }
    let ticks = frequency_ticks(settings, plot.height);
    for tick in &ticks {
        plot.tick_left(&mut canvas, tick);
    }
    let middle = (plot.left + plot.width / 2, plot.top + plot.height / 2);
    canvas.text(&options.title, middle.0, TOP / 2, TITLE, Align::Centre, INK);
    canvas.text(
        "Time (s)",
        middle.0,
        plot.bottom() + 38,
        TEXT,
        Align::Centre,
        INK,
    );
    let unit = if settings.kind == Kind::Stft {
        "Frequency (Hz)"
    } else {
        "Frequency (Hz, mel scale)"
    };
    canvas.text_upwards(unit, 16, middle.1, TEXT, INK);
    decibels.draw_bar(&mut canvas, &plot);
    canvas.png()
}

/// Where the picture proper stands.
struct Area {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Area {
    fn right(&self) -> i32 {
        self.left + self.width
    }

    fn bottom(&self) -> i32 {
        self.top + self.height
    }

    /// The row of a share of the height, counted from below.
    fn row(&self, share: f64) -> i32 {
        self.bottom() - 1 - (share * f64::from(self.height - 1)).round() as i32
    }

    fn tick_below(&self, canvas: &mut Canvas, tick: &Tick) {
        let x = self.left + (tick.share * f64::from(self.width - 1)).round() as i32;
        canvas.fill(x, self.bottom(), 1, TICK, INK);
        canvas.text(&tick.label, x, self.bottom() + 15, TEXT, Align::Centre, INK);
    }

    fn tick_left(&self, canvas: &mut Canvas, tick: &Tick) {
        let y = self.row(tick.share);
        canvas.fill(self.left - TICK, y, TICK, 1, INK);
        canvas.text(
            &tick.label,
            self.left - TICK - 4,
            y,
            TEXT,
            Align::Right,
            INK,
        );
    }
}

/// Ticks along the bands, as shares of the height.
fn frequency_ticks(settings: &FeatureSettings, height: i32) -> Vec<Tick> {
    let most = (height / 28).max(2) as usize;
    match settings.kind {
        Kind::Stft => steps(0.0, f64::from(settings.sample_rate) / 2.0, most),
        _ => {
            // Band b peaks at the (b + 1)-th of n_mels + 2 even steps in mel.
            let (low, high) = (
                hz_to_mel(settings.fmin.into()),
                hz_to_mel(settings.highest().into()),
            );
            let step = (high - low) / (settings.n_mels + 1) as f64;
            let share = |hz: f64| ((hz_to_mel(hz) - low) / step - 0.5) / settings.n_mels as f64;
            frequencies(settings.fmin.into(), settings.highest().into(), share, most)
        }
    }
}

/// What is drawn: decibels, and the range that the colours span.
struct Decibels {
    bands: usize,
    frames: usize,
    values: Vec<f32>,
    low: f32,
    high: f32,
}

impl Decibels {
    fn of(features: &Features, settings: &FeatureSettings) -> Self {
        let largest = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (values, high) = match settings.kind {
            Kind::LogMel => (features.values.clone(), largest(&features.values)),
            _ => {
                let factor = if settings.power == 1 { 20.0 } else { 10.0 };
                let loudest = largest(&features.values).max(f32::MIN_POSITIVE);
                let db = |v: &f32| factor * (v / loudest).max(1e-20).log10();
                (features.values.iter().map(db).collect(), 0.0)
            }
        };
        let depth = if settings.kind == Kind::LogMel && settings.top_db > 0.0 {
            settings.top_db
        } else {
            DEPTH
        };
        Decibels {
            bands: features.bands,
            frames: features.frames,
            values,
            low: high - depth,
            high,
        }
    }

    fn colour(&self, db: f32) -> Colour {
        magma((db - self.low) / (self.high - self.low))
    }

    /// Larger pictures repeat values, smaller ones average them.
    fn draw(&self, canvas: &mut Canvas, area: &Area) -> Result<()> {
        let (width, height) = (area.width as usize, area.height as usize);
        let all = Features {
            bands: self.bands,
            frames: self.frames,
            values: self.values.clone(),
        };
        let shown = all.resize(self.bands.min(height), self.frames.min(width))?;
        for y in 0..height {
            let row = &shown.values[(height - 1 - y) * shown.bands / height * shown.frames..]
                [..shown.frames];
            for x in 0..width {
                canvas.put(
                    area.left + x as i32,
                    area.top + y as i32,
                    self.colour(row[x * shown.frames / width]),
                );
            }
        }
        Ok(())
    }

    fn draw_bar(&self, canvas: &mut Canvas, plot: &Area) {
        let bar = Area {
            left: plot.right() + BAR[0],
            width: BAR[1],
            ..*plot
        };
        for y in 0..bar.height {
            let share = 1.0 - (y as f32 + 0.5) / bar.height as f32;
            canvas.fill(bar.left, bar.top + y, bar.width, 1, magma(share));
        }
        canvas.frame(bar.left, bar.top, bar.width, bar.height, INK);
        for tick in steps(
            self.low.into(),
            self.high.into(),
            (bar.height / 40).max(2) as usize,
        ) {
            let y = bar.row(tick.share);
            canvas.fill(bar.right(), y, TICK, 1, INK);
            canvas.text(
                &tick.label,
                bar.right() + TICK + 4,
                y,
                TEXT,
                Align::Left,
                INK,
            );
        }
        canvas.text(
            "dB",
            bar.left + bar.width / 2,
            bar.bottom() + 15,
            TEXT,
            Align::Centre,
            INK,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for kind in DRAWN {
            for (frames, width, height) in [(1, 240, 240), (431, 1000, 480), (5000, 700, 300)] {
                let settings = FeatureSettings {
                    kind,
                    ..FeatureSettings::default()
                };
                let options = PlotOptions {
                    title: "A title — of μ letters".into(),
                    width,
                    height,
                };
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
    fn silence_is_drawn() {
        for kind in DRAWN {
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
