//! The report's figures: tiles, confusion matrix, per-class table, spectrograms.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::html::escape;
use crate::evaluation::metrics::Metrics;

/// One clip the network was asked about.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// Its label.
    pub truth: String,
    /// The answer.
    pub answer: String,
    /// How sure the network was of the answer, 0 to 1.
    pub probability: f32,
    /// Its spectrogram, a PNG; empty for none.
    pub picture: Vec<u8>,
}

/// The figures one looks for first, beside what the paper claims.
pub(super) fn figures(
    metrics: &Metrics,
    best_epoch: Option<usize>,
    claimed: &[(String, f64)],
) -> String {
    let measured = [
        ("accuracy", "Accuracy", metrics.accuracy),
        (
            "precision",
            "Precision, macro",
            metrics.macro_mean.precision,
        ),
        ("recall", "Recall, macro", metrics.macro_mean.recall),
        ("f1", "F1, macro", metrics.macro_mean.f1),
        ("weighted_f1", "F1, weighted", metrics.weighted.f1),
    ];
    let mut html = String::from("<div class=\"tiles\">\n");
    for (name, title, value) in measured {
        let claim = claimed.iter().find(|claim| claim.0 == name);
        let claim = claim
            .map(|claim| format!("<p class=\"claim\">the paper: {:.1} %</p>", 100.0 * claim.1))
            .unwrap_or_default();
        let _ = writeln!(
            html,
            "<div class=\"tile\"><p class=\"name\">{title}</p><p class=\"value\">{:.1}<small> %</small></p>{claim}</div>",
            100.0 * value
        );
    }
    let kept = best_epoch
        .map(|epoch| format!("<p class=\"claim\">weights of epoch {epoch}</p>"))
        .unwrap_or_default();
    let _ = writeln!(
        html,
        "<div class=\"tile\"><p class=\"name\">Clips tested</p><p class=\"value\">{}</p>{kept}</div>\n</div>",
        metrics.total()
    );
    html
}

/// Rows are truths, columns answers; a cell's shade is its share of the row.
pub(super) fn confusion(metrics: &Metrics) -> String {
    let mut html = String::from(
        "<p class=\"hint\">A row is what a clip is, a column what the network said. The shade is the share of the row.</p>\n<div class=\"scroll\"><table class=\"confusion\">\n<tr><th></th>",
    );
    for class in &metrics.classes {
        let _ = write!(
            html,
            "<th scope=\"col\"><div>{}</div></th>",
            escape(&class.label)
        );
    }
    html.push_str("</tr>\n");
    for (class, row) in metrics.classes.iter().zip(&metrics.confusion) {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(&class.label));
        for (said, &clips) in metrics.classes.iter().zip(row) {
            let share = if class.support == 0 {
                0.0
            } else {
                clips as f64 / class.support as f64
            };
            let mut names = vec![if said.label == class.label {
                "right"
            } else {
                "wrong"
            }];
            names.extend((share > 0.55).then_some("dark"));
            names.extend((clips == 0).then_some("none"));
            let said = escape(&said.label);
            let _ = write!(
                html,
                "<td class=\"{}\" style=\"--share:{:.0}%\" title=\"{clips} of {} {} taken for {said}\">{clips}</td>",
                names.join(" "),
                100.0 * share,
                class.support,
                escape(&class.label),
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
    html
}

/// Precision, recall, F1 and support, one row per class.
pub(super) fn classes(metrics: &Metrics) -> String {
    let mut html = String::from(
        "<div class=\"scroll\"><table class=\"classes\">\n<tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th class=\"wide\"></th><th>clips</th></tr>\n",
    );
    let mut row = |kind: &str,
                   name: &str,
                   scores: crate::evaluation::metrics::Scores,
                   clips: u64| {
        let _ = writeln!(
            html,
            "<tr class=\"{kind}\"><th scope=\"row\">{}</th><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td class=\"wide\"><div class=\"bar\" style=\"--share:{:.1}%\"></div></td><td>{clips}</td></tr>",
            escape(name),
            scores.precision,
            scores.recall,
            scores.f1,
            100.0 * scores.f1
        );
    };
    for class in &metrics.classes {
        row("class", &class.label, class.scores, class.support);
    }
    row("mean", "macro mean", metrics.macro_mean, metrics.total());
    row("mean", "weighted mean", metrics.weighted, metrics.total());
    html.push_str("</table></div>\n");
    html
}

/// Spectrograms of clips, right answers first.
pub(super) fn examples(examples: &[Example]) -> String {
    let mut html = String::from("<div class=\"examples\">\n");
    let (right, wrong): (Vec<_>, Vec<_>) = examples
        .iter()
        .partition(|example| example.truth == example.answer);
    for (kind, example) in right
        .iter()
        .map(|one| ("right", one))
        .chain(wrong.iter().map(|one| ("wrong", one)))
    {
        let verdict = match kind {
            "right" => format!("<span class=\"mark\">✓</span> {}", escape(&example.truth)),
            _ => format!(
                "<span class=\"mark\">✗</span> {}, said {}",
                escape(&example.truth),
                escape(&example.answer)
            ),
        };
        let _ = write!(html, "<figure class=\"{kind}\">");
        if !example.picture.is_empty() {
            let data = STANDARD.encode(&example.picture);
            let _ = write!(
                html,
                "<img alt=\"spectrogram of {}\" src=\"data:image/png;base64,{data}\">",
                escape(&example.name)
            );
        }
        let _ = writeln!(
            html,
            "<figcaption><strong>{verdict}</strong><span>{:.0} % sure</span><span class=\"file\">{}</span></figcaption></figure>",
            100.0 * example.probability,
            escape(&example.name)
        );
    }
    html.push_str("</div>\n");
    html
}
