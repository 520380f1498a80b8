//! Learning-rate finder: a sweep over rates, and its plot.
//!
//! The range test is Smith's (2015): a network is trained for a few steps while the rate rises exponentially. The loss
//! first stays level, then falls, then diverges. The rate where it falls fastest is good for training. The rate of the
//! lowest loss is already too high, but a good upper bound for a cyclical schedule, which does not stay there.

use std::fmt::Write as _;
use std::path::Path;

use engine::Device;
use serde::Serialize;

use crate::Error;
use crate::base::control::Control;
use crate::data::split::Split;
use crate::recipe::Recipe;
use crate::report::escape;
use crate::run::pipeline::{Inputs, begin};
use crate::run::transfer;
use crate::training::train::{Setup, Sweep, SweepRow, Trainer};

/// Settings of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Finding<'a> {
    /// Dataset.
    pub data: &'a Path,
    /// Experiment; its own rate is not used.
    pub recipe: &'a Recipe,
    /// Seed of everything random: below 2^63.
    pub seed: u64,
    /// Feature cache, as in `Training`.
    pub cache: Option<&'a Path>,
    /// Learning rates.
    pub sweep: Sweep,
}

/// Trains an experiment's network with rising rates on its training clips.
///
/// # Errors
/// As `train_folder`, and as [`Found::new`].
pub fn lr_find(
    finding: &Finding<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Found, Error> {
    let seed = finding.seed;
    finding.sweep.check()?;
    let (dataset, mut settings) = begin(finding.data, finding.recipe, seed, device)?;
    // A classifier that is not a network is rejected before features are computed.
    settings.recipe.architecture_for(dataset.labels.len())?;
    let mut warnings = Vec::new();
    control.warn(&mut warnings, transfer::thaw(&mut settings.recipe));
    let recipe = &settings.recipe;
    let inputs = Inputs::make(dataset, recipe, finding.cache, control)?;
    let dataset = &inputs.prepared.dataset;
    let split = Split::new(dataset, &recipe.split, seed)?;
    control.warn(&mut warnings, split.warnings.iter().cloned());
    let fitted = split.fitted(recipe.split.form);
    let normalisation = inputs.normalisation(recipe, &fitted, device, control)?;
    let varied = inputs.varied(recipe, &split, control, &mut warnings)?;
    let architecture = recipe.architecture_for(dataset.labels.len())?;
    let setup = Setup {
        clips: varied.clips(),
        split: &varied.split,
        labels: &dataset.labels,
        input: &recipe.input,
        normalisation: &normalisation,
        architecture: &architecture,
        settings: &recipe.training,
        seed,
    };
    let mut trainer = Trainer::new(setup, device)?;
    transfer::begin(&mut trainer, recipe, control, &mut warnings)?;
    Found::new(&trainer.sweep(&finding.sweep, control)?)
}

/// Result of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Rate where the smoothed loss falls fastest: good for training.
    pub suggested: f64,
    /// Rate where the smoothed loss is lowest: too high for training.
    pub lowest: f64,
    /// All steps.
    pub rows: Vec<Row>,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Row {
    /// Learning rate.
    pub learning_rate: f64,
    /// Mean loss of the step's examples.
    pub loss: f64,
    /// Smoothed loss: mean over neighbouring steps.
    pub smoothed: f64,
}

impl Found {
    /// Evaluates a sweep. Losses are smoothed by a mean over a window of a tenth of the steps.
    ///
    /// # Errors
    /// [`Error::NoRate`] if the loss did not fall at any rate, or there are too few steps.
    pub fn new(sweep: &[SweepRow]) -> Result<Found, Error> {
        if sweep.len() < 5 {
            let reason = "the loss was no finite number after a few steps";
            return Err(Error::NoRate { reason });
        }
        let reach = (sweep.len() / 20).max(1);
        let smoothed = |at: usize| {
            // The window is symmetric, so the mean does not lag.
            let reach = reach.min(at).min(sweep.len() - 1 - at);
            let around = &sweep[at - reach..=at + reach];
            around.iter().map(|row| row.loss).sum::<f64>() / around.len() as f64
        };
        let rows: Vec<Row> = sweep
            .iter()
            .enumerate()
            .map(|(at, row)| Row {
                learning_rate: row.learning_rate,
                loss: row.loss,
                smoothed: smoothed(at),
            })
            .collect();
        let by_loss = |a: &usize, b: &usize| rows[*a].smoothed.total_cmp(&rows[*b].smoothed);
        let lowest = (0..rows.len()).min_by(by_loss).unwrap_or(0);
        // Measures the fall over a fifth of the way to the lowest loss and takes its middle: single steps are noisy.
        let span = (lowest / 5).max(2);
        let fall = |&from: &usize| rows[from].smoothed - rows[from + span].smoothed;
        let steepest = (0..lowest.saturating_sub(span - 1))
            .max_by(|a, b| fall(a).total_cmp(&fall(b)).then(b.cmp(a)));
        match steepest {
            Some(from) if fall(&from) > 0.0 => Ok(Found {
                suggested: rows[from + span / 2].learning_rate,
                lowest: rows[lowest].learning_rate,
                rows,
            }),
            _ => Err(Error::NoRate {
                reason: "the loss fell at no rate",
            }),
        }
    }

    /// Plots the loss over the rate as SVG, readable on light and dark backgrounds.
    #[must_use]
    pub fn svg(&self, title: &str) -> String {
        Chart::new(&self.rows).svg(self, title)
    }
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 306.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#333}.grid{stroke:#8886;stroke-width:.6}\
.raw{fill:none;stroke:#8889;stroke-width:1}.smooth{fill:none;stroke:#2266cc;stroke-width:2}\
.mark{stroke:#cc5522;stroke-dasharray:4 3}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.smooth{stroke:#6aa5ff}.mark{stroke:#ff9a66}}";

/// Layout of the plot's area.
struct Chart {
    /// Range of the rates, in decades.
    x: [f64; 2],
    y: [f64; 2],
}

impl Chart {
    /// Range of the losses; those above twice the first smoothed loss leave the plot.
    fn new(rows: &[Row]) -> Chart {
        let decade = |row: Option<&Row>| row.map_or(0.0, |row| row.learning_rate.log10());
        let (from, to) = (decade(rows.first()), decade(rows.last()));
        let losses = rows.iter().flat_map(|row| [row.loss, row.smoothed]);
        let low = losses.clone().fold(f64::INFINITY, f64::min);
        let high = losses.fold(f64::NEG_INFINITY, f64::max);
        let limit = rows.first().map_or(high, |row| 2.0 * row.smoothed);
        let high = high.min(limit).max(low + 1e-6);
        Chart {
            x: [from, to.max(from + 1e-6)],
            y: [low, high],
        }
    }

    fn place(&self, rate: f64, value: f64) -> (f64, f64) {
        let across = (rate.log10() - self.x[0]) / (self.x[1] - self.x[0]);
        let up = (value - self.y[0]) / (self.y[1] - self.y[0]);
        let (x, y) = (LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP));
        (x, y.clamp(TOP, BOTTOM))
    }

    fn line(&self, class: &str, rows: &[Row], value: impl Fn(&Row) -> f64) -> String {
        let mut points = String::new();
        for row in rows {
            let (x, y) = self.place(row.learning_rate, value(row));
            // Writing into a String cannot fail.
            let _ = write!(points, "{x:.1},{y:.1} ");
        }
        format!(
            "<polyline class=\"{class}\" points=\"{}\"/>\n",
            points.trim_end()
        )
    }

    fn svg(&self, found: &Found, title: &str) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <style>{STYLE}</style>\n<text x=\"{LEFT}\" y=\"20\">{}: loss over learning rate</text>\n",
            escape(title)
        );
        for decade in self.x[0].ceil() as i64..=self.x[1].floor() as i64 {
            let (x, _) = self.place(10f64.powi(decade as i32), self.y[0]);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">1e{decade}</text>",
                BOTTOM + 18.0
            );
        }
        for tick in 0..=4 {
            let value = self.y[0] + (self.y[1] - self.y[0]) * f64::from(tick) / 4.0;
            let (_, y) = self.place(1.0, value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        svg += &self.line("raw", &found.rows, |row| row.loss);
        svg += &self.line("smooth", &found.rows, |row| row.smoothed);
        for (rate, what, line) in [
            (found.suggested, "suggested", 0.0),
            (found.lowest, "lowest", 15.0),
        ] {
            let (x, _) = self.place(rate, self.y[0]);
            let _ = writeln!(
                svg,
                "<path class=\"mark\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{what} {rate:.2e}</text>",
                x - 5.0,
                BOTTOM - 22.0 + line
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">learning rate</text>\n</svg>\n",
            (LEFT + RIGHT) / 2.0,
            BOTTOM + 38.0
        );
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    /// 100 steps from 1e-7 to 10: flat, a fall around `middle` (in decades), and a rise from `end` on.
    fn sweep(middle: f64, end: f64) -> Vec<SweepRow> {
        let row = |step: usize| {
            let decade = -7.0 + 8.0 * step as f64 / 99.0;
            let fall = 1.0 / (1.0 + (-4.0 * (decade - middle)).exp());
            let noise = 0.01 * ((step * 37 % 11) as f64 - 5.0) / 5.0;
            SweepRow {
                learning_rate: 10f64.powf(decade),
                loss: 2.3 - 1.5 * fall + (decade - end).max(0.0) * 9.0 + noise,
            }
        };
        (0..100).map(row).collect()
    }

    #[test]
    fn the_steepest_fall_is_suggested() {
        for (middle, end) in [(-4.0, -1.0), (-3.0, -0.5), (-2.5, -1.5)] {
            let found = Found::new(&sweep(middle, end)).unwrap();
            assert!(
                abs_diff_eq!(found.suggested.log10(), middle, epsilon = 0.5),
                "{}",
                found.suggested
            );
            assert!(found.suggested < found.lowest && found.lowest.log10() < end + 0.3);
        }
    }

    #[test]
    fn where_nothing_falls_nothing_is_suggested() {
        let flat = |loss: fn(usize) -> f64| -> Vec<SweepRow> {
            let row = |step| SweepRow {
                learning_rate: 1e-5 * 1.2f64.powi(step as i32),
                loss: loss(step),
            };
            (0..40).map(row).collect()
        };
        for sweep in [
            &flat(|_| 1.0)[..],
            &flat(|step| step as f64),
            &flat(|_| 1.0)[..3],
            &[],
        ] {
            let error = Found::new(sweep).unwrap_err();
            assert!(matches!(error, Error::NoRate { .. }), "{error}");
        }
    }

    #[test]
    fn the_picture_is_sound_and_text_is_no_markup() {
        let found = Found::new(&sweep(-4.0, -1.0)).unwrap();
        let svg = found.svg("<script>&");
        assert!(svg.contains("&lt;script&gt;&amp;") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.contains(">1e-4<"));
    }
}
