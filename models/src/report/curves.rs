//! Learning curves as inline SVG: axes with round numbers, a dot for the epoch that was kept.

use std::fmt::Write as _;

use crate::training::history::EpochRow;

/// The drawing area, in SVG units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 468.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 214.0;

/// One line of a chart.
struct Series<'a> {
    name: &'a str,
    class: &'a str,
    points: Vec<(f64, f64)>,
}

/// Loss and accuracy side by side.
pub(super) fn both(history: &[EpochRow], best_epoch: Option<usize>) -> String {
    let points = |value: &dyn Fn(&EpochRow) -> Option<f64>| -> Vec<(f64, f64)> {
        let all = history
            .iter()
            .filter_map(|row| Some((row.epoch as f64, value(row)?)));
        all.filter(|point| point.1.is_finite()).collect()
    };
    let pair = |train: Vec<_>, validation: Vec<_>| {
        [
            Series {
                name: "training",
                class: "train",
                points: train,
            },
            Series {
                name: "validation",
                class: "validation",
                points: validation,
            },
        ]
    };
    let loss = pair(
        points(&|row| Some(row.train_loss)),
        points(&|row| row.validation_loss),
    );
    let accuracy = pair(
        points(&|row| Some(100.0 * row.train_accuracy)),
        points(&|row| row.validation_accuracy.map(|a| 100.0 * a)),
    );
    format!(
        "<div class=\"charts\">\n{}{}</div>\n",
        chart("Loss", &loss, best_epoch),
        chart("Accuracy, %", &accuracy, best_epoch)
    )
}

fn chart(title: &str, series: &[Series], best_epoch: Option<usize>) -> String {
    let all: Vec<(f64, f64)> = series
        .iter()
        .flat_map(|one| one.points.iter().copied())
        .collect();
    let last = all.iter().map(|point| point.0).fold(1.0, f64::max);
    let high = all.iter().map(|point| point.1).fold(1e-3, f64::max);
    let (x_step, y_step) = (round_step(last - 1.0, 6.0).max(1.0), round_step(high, 5.0));
    let top_value = (high / y_step).ceil().max(1.0) * y_step;
    let x = |epoch: f64| {
        if last > 1.0 {
            LEFT + (epoch - 1.0) / (last - 1.0) * (RIGHT - LEFT)
        } else {
            (LEFT + RIGHT) / 2.0
        }
    };
    let y = |value: f64| BOTTOM - value / top_value * (BOTTOM - TOP);

    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} by epoch\">\n<g class=\"grid\">"
    );
    for tick in 0..=(top_value / y_step).round() as usize {
        let value = tick as f64 * y_step;
        let at = y(value);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
        );
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            short(value, y_step)
        );
    }
    let mut epoch = 1.0;
    while epoch <= last {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{epoch}</text>",
            x(epoch),
            BOTTOM + 18.0
        );
        // Round epochs after the first: 1, 5, 10, 15…
        epoch = if epoch == 1.0 && x_step > 1.0 {
            x_step
        } else {
            epoch + x_step
        };
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">epoch</text></g>",
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 34.0
    );
    if let Some(best) = best_epoch {
        let at = x(best as f64);
        let _ = writeln!(
            svg,
            "<g class=\"best\"><line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/><title>epoch {best} was kept</title></g>"
        );
    }
    for one in series.iter().filter(|one| !one.points.is_empty()) {
        let _ = write!(svg, "<g class=\"{}\"><polyline points=\"", one.class);
        for point in &one.points {
            let _ = write!(svg, "{:.1},{:.1} ", x(point.0), y(point.1));
        }
        svg.push_str("\"/>");
        for point in &one.points {
            let kept = best_epoch.is_some_and(|best| best as f64 == point.0);
            let class = if kept || one.points.len() == 1 {
                "kept"
            } else {
                "point"
            };
            let _ = write!(
                svg,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"><title>{}, epoch {}: {:.3}</title></circle>",
                x(point.0),
                y(point.1),
                one.name,
                point.0,
                point.1
            );
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    let legend: String = series
        .iter()
        .filter(|one| !one.points.is_empty())
        .map(|one| format!("<span class=\"key {}\">{}</span>", one.class, one.name))
        .collect();
    let kept = best_epoch
        .map(|best| format!("<span class=\"key best\">kept: epoch {best}</span>"))
        .unwrap_or_default();
    format!(
        "<figure>\n<figcaption><strong>{title}</strong>{legend}{kept}</figcaption>\n{svg}</figure>\n"
    )
}

/// A step of 1, 2 or 5 times a power of ten, so that `range` has about `parts` steps.
fn round_step(range: f64, parts: f64) -> f64 {
    let raw = (range / parts).max(1e-9);
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= raw * 0.999)
        .unwrap_or(raw)
}

/// A tick's number with no more decimals than its step needs.
fn short(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    #[test]
    fn steps_are_round() {
        for (range, step) in [(24.0, 5.0), (100.0, 20.0), (2.3, 0.5), (0.031, 0.01)] {
            assert!(
                abs_diff_eq!(round_step(range, 5.0), step, epsilon = 1e-9),
                "{range}: {}",
                round_step(range, 5.0)
            );
        }
        assert_eq!(short(0.5, 0.5), "0.5");
        assert_eq!(short(20.0, 20.0), "20");
    }

    #[test]
    fn degenerate_histories_draw() {
        let one = EpochRow {
            epoch: 1,
            train_loss: 0.0,
            ..Default::default()
        };
        let broken = EpochRow {
            epoch: 2,
            train_loss: f64::NAN,
            ..one
        };
        for history in [vec![one], vec![one, broken], vec![broken]] {
            let svg = both(&history, Some(1));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
