//! `report.html`: a run on one page.
//!
//! One self-contained file: no script, no font, no picture from elsewhere. Light
//! and dark follow the reader's system. Everything that comes from outside (labels,
//! paths, settings) is escaped.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `compare.rs` | [`Comparison`]: many runs on one page |
//! | `confusion.rs` | [`confusion_svg`]: the confusion matrix as a picture |
//! | `curves.rs` | the learning curves, as inline SVG |
//! | `tables.rs` | figures, confusion matrix, per-class table, spectrograms |
//! | `page.css` | how it looks |

mod compare;
mod confusion;
mod curves;
mod html;
mod tables;
pub mod tensorboard;

use std::fmt::Write as _;

use crate::evaluation::metrics::Metrics;
use crate::training::history::EpochRow;
pub use compare::{Compared, Comparison};
pub use confusion::confusion_svg;
pub(crate) use html::escape;
use html::section;
pub use tables::Example;

/// Everything a report tells.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The heading: the recipe's name.
    pub title: String,
    /// A line below the heading: dataset, network, device.
    pub subtitle: String,
    /// What a reader must know before believing the figures, one sentence each
    /// (that the music is synthetic, that a label had one clip).
    pub notes: Vec<String>,
    /// One row per epoch.
    pub history: Vec<EpochRow>,
    /// The epoch whose weights were kept, counted from 1.
    pub best_epoch: Option<usize>,
    /// The figures on the test clips.
    pub metrics: Option<Metrics>,
    /// What the paper reports, by the name of the figure: `accuracy`, `f1`…
    pub claimed: Vec<(String, f64)>,
    /// Clips the network heard, right and wrong.
    pub examples: Vec<Example>,
    /// Every setting, as TOML.
    pub settings: String,
}

impl Report {
    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut body = String::new();
        if let Some(metrics) = &self.metrics {
            body.push_str(&tables::figures(metrics, self.best_epoch, &self.claimed));
        }
        if !self.history.is_empty() {
            section(
                &mut body,
                "Learning curves",
                &curves::both(&self.history, self.best_epoch),
            );
        }
        if let Some(metrics) = &self.metrics {
            section(&mut body, "Confusion matrix", &tables::confusion(metrics));
            section(&mut body, "By class", &tables::classes(metrics));
        }
        if !self.examples.is_empty() {
            section(
                &mut body,
                "What it heard",
                &tables::examples(&self.examples),
            );
        }
        let settings = format!(
            "<details><summary>Every setting of this run</summary><pre>{}</pre></details>\n",
            escape(&self.settings)
        );
        section(&mut body, "Settings", &settings);
        page(&self.title, &self.subtitle, &self.notes, &body)
    }
}

/// A whole page around its sections.
fn page(title: &str, subtitle: &str, notes: &[String], body: &str) -> String {
    let mut page = String::new();
    // Writing into a String cannot fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · melgrad</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<main>\n\
         <header><p class=\"brand\">melgrad</p><h1>{title}</h1><p class=\"subtitle\">{subtitle}</p></header>\n",
        title = escape(title),
        css = include_str!("page.css"),
        subtitle = escape(subtitle),
    );
    if !notes.is_empty() {
        let items: String = notes
            .iter()
            .map(|note| format!("<li>{}</li>", escape(note)))
            .collect();
        let _ = writeln!(page, "<ul class=\"notes\">{items}</ul>");
    }
    page.push_str(body);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn sample() -> Report {
        let labels: Vec<String> = ["blues", "classical & <b>odd</b>", "rock"]
            .map(String::from)
            .to_vec();
        let answers = [
            (0, 0),
            (0, 0),
            (0, 2),
            (1, 1),
            (1, 1),
            (1, 1),
            (2, 2),
            (2, 0),
            (2, 2),
            (2, 2),
        ];
        let history = (1..=25).map(|epoch| {
            let t = epoch as f64;
            EpochRow {
                epoch,
                train_loss: 2.2 * (-t / 8.0).exp() + 0.05,
                train_accuracy: 1.0 - 0.85 * (-t / 8.0).exp(),
                validation_loss: Some(1.6 * (-t / 6.0).exp() + 0.5 + t / 60.0),
                validation_accuracy: Some(0.78 - 0.6 * (-t / 6.0).exp()),
                validation_f1: Some(0.7),
                learning_rate: 1e-3,
                seconds: 2.0,
            }
        });
        Report {
            title: "ajufo-cnn".into(),
            subtitle: "10 clips of \"test\"".into(),
            notes: vec!["<script>alert(1)</script> is a strange name".into()],
            history: history.collect(),
            best_epoch: Some(14),
            metrics: Some(Metrics::from_answers(&labels, answers)),
            claimed: vec![("accuracy".into(), 0.41), ("f1".into(), 0.41)],
            examples: vec![Example {
                name: "a\"b.wav".into(),
                truth: "rock".into(),
                answer: "blues".into(),
                probability: 0.61,
                picture: vec![1, 2, 3],
            }],
            settings: "seed = 1\n".into(),
        }
    }

    #[test]
    fn everything_is_there_and_nothing_from_outside_is_markup() {
        let html = sample().html();
        assert!(!html.contains("<script") && !html.contains("<b>odd"));
        assert!(html.contains("classical &amp; &lt;b&gt;odd") && html.contains("a&quot;b.wav"));
        assert!(html.contains("80.0") && html.contains("41.0"));
        assert!(html.contains("data:image/png;base64,AQID"));
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "the page must not ask for anything from elsewhere"
        );
        assert!(!html.contains("NaN"));
    }

    #[test]
    fn an_empty_run_still_gives_a_page() {
        let html = Report::default().html();
        assert!(html.ends_with("</html>\n") && !html.contains("Confusion"));
    }

    #[test]
    fn every_tag_is_closed() {
        let html = sample().html();
        for tag in [
            "main", "section", "table", "tr", "td", "th", "svg", "div", "figure", "p", "g", "text",
            "details", "ul", "li",
        ] {
            let opened = html.matches(&format!("<{tag} ")).count()
                + html.matches(&format!("<{tag}>")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{tag}>")).count(),
                "<{tag}>"
            );
        }
    }
}
