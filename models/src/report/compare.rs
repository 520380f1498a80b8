//! Many runs on one page.

use std::fmt::{self, Display, Formatter, Write as _};

use serde::Serialize;

use super::html::{escape, section};
use super::{page, tables};
use crate::base::columns::printable;
use crate::evaluation::metrics::Metrics;

/// One of the runs that are compared. As JSON, its figures stand beside its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The run's folder.
    pub run: String,
    /// What was run.
    pub recipe: String,
    /// Which clips were judged, in a few words.
    pub clips: String,
    /// What the paper reports, by the name of the figure.
    #[serde(skip)]
    pub claimed: Vec<(String, f64)>,
    /// The figures.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// Many runs side by side.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Comparison {
    /// The runs, as they were asked for.
    pub runs: Vec<Compared>,
    /// What a reader of the figures should know.
    #[serde(skip)]
    pub notes: Vec<String>,
}

impl Comparison {
    /// The page: figures of every run, F1 by class, every confusion matrix.
    #[must_use]
    pub fn html(&self) -> String {
        let mut body = String::new();
        section(&mut body, "Figures", &self.figures());
        section(&mut body, "F1 by class", &self.classes());
        for run in &self.runs {
            section(
                &mut body,
                &escape(&run.run),
                &tables::confusion(&run.metrics),
            );
        }
        let names: Vec<&str> = self.runs.iter().map(|run| run.recipe.as_str()).collect();
        page("Runs compared", &names.join(", "), &self.notes, &body)
    }

    fn figures(&self) -> String {
        let mut html = String::from(
            "<div class=\"scroll\"><table class=\"classes\">\n<tr><th>run</th><th>recipe</th><th>clips</th><th>accuracy</th><th class=\"wide\"></th><th>the paper</th><th>precision</th><th>recall</th><th>F1</th><th>F1, weighted</th></tr>\n",
        );
        for run in &self.runs {
            let metrics = &run.metrics;
            let claimed = run.claimed.iter().find(|claim| claim.0 == "accuracy");
            let claimed = claimed.map_or("–".into(), |claim| format!("{:.3}", claim.1));
            // Writing into a String cannot fail.
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td title=\"{}\">{}</td><td>{:.3}</td><td class=\"wide\"><div class=\"bar\" style=\"--share:{:.1}%\"></div></td><td>{claimed}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td></tr>",
                escape(&run.run),
                escape(&run.recipe),
                escape(&run.clips),
                metrics.total(),
                metrics.accuracy,
                100.0 * metrics.accuracy,
                metrics.macro_mean.precision,
                metrics.macro_mean.recall,
                metrics.macro_mean.f1,
                metrics.weighted.f1,
            );
        }
        html.push_str("</table></div>\n");
        html
    }

    /// A row per label of any run, a column per run.
    fn classes(&self) -> String {
        let mut html =
            String::from("<div class=\"scroll\"><table class=\"classes\">\n<tr><th>class</th>");
        for run in &self.runs {
            let _ = write!(html, "<th>{}</th>", escape(&run.run));
        }
        html.push_str("</tr>\n");
        for label in self.labels() {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(label));
            for run in &self.runs {
                let own = run
                    .metrics
                    .classes
                    .iter()
                    .find(|class| class.label == label);
                let own = own.map_or("–".into(), |class| format!("{:.3}", class.scores.f1));
                let _ = write!(html, "<td>{own}</td>");
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</table></div>\n");
        html
    }

    fn labels(&self) -> Vec<&str> {
        let all = self.runs.iter().flat_map(|run| &run.metrics.classes);
        let mut labels: Vec<&str> = Vec::new();
        for class in all {
            if !labels.contains(&class.label.as_str()) {
                labels.push(&class.label);
            }
        }
        labels
    }
}

impl Display for Comparison {
    /// A row per run. Ends with a newline.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = |name: fn(&Compared) -> &str| {
            let names = self.runs.iter().map(|run| printable(name(run)));
            names.collect::<Vec<String>>()
        };
        let (runs, recipes) = (names(|r| &r.run), names(|r| &r.recipe));
        let width = |names: &[String], head: &str| {
            let widths = names.iter().map(|name| name.chars().count());
            widths.chain([head.len()]).max().unwrap_or(0)
        };
        let (run, recipe) = (width(&runs, "run"), width(&recipes, "recipe"));
        writeln!(
            f,
            "{:run$}  {:recipe$}  clips  accuracy  precision  recall     F1  weighted F1",
            "run", "recipe"
        )?;
        for ((one, name), own) in self.runs.iter().zip(&runs).zip(&recipes) {
            let (metrics, mean) = (&one.metrics, &one.metrics.macro_mean);
            writeln!(
                f,
                "{:run$}  {:recipe$}  {:>5}  {:>8.3}  {:>9.3}  {:>6.3}  {:>5.3}  {:>11.3}",
                name,
                own,
                metrics.total(),
                metrics.accuracy,
                mean.precision,
                mean.recall,
                mean.f1,
                metrics.weighted.f1
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Comparison {
        let run = |run: &str, labels: [&str; 2], answers: [(usize, usize); 4]| Compared {
            run: run.into(),
            recipe: "ajufo-cnn".into(),
            clips: "4 test clips of \"x\"".into(),
            claimed: vec![("accuracy".into(), 0.41)],
            metrics: Metrics::from_answers(&labels.map(String::from), answers),
        };
        Comparison {
            runs: vec![
                run(
                    "runs/a",
                    ["blues", "<rock>"],
                    [(0, 0), (0, 1), (1, 1), (1, 1)],
                ),
                run("b", ["blues", "jazz"], [(0, 0), (0, 0), (1, 1), (1, 1)]),
            ],
            notes: vec!["not the same clips".into()],
        }
    }

    #[test]
    fn every_run_and_every_label_of_any_is_on_the_page() {
        let html = sample().html();
        for words in [
            "runs/a",
            "0.750",
            "1.000",
            "0.410",
            "not the same clips",
            "jazz",
            "&lt;rock&gt;",
            "–",
        ] {
            assert!(html.contains(words), "{words}");
        }
        assert_eq!(html.matches("<table class=\"confusion\">").count(), 2);
        assert!(
            !html.contains("<rock>") && !html.contains("of \"x\"") && html.ends_with("</html>\n")
        );
    }

    #[test]
    fn a_row_per_run_for_terminals_and_a_list_for_programs() {
        let text = sample().to_string();
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.lines()
                .nth(1)
                .unwrap()
                .starts_with("runs/a  ajufo-cnn      4     0.750"),
            "{text}"
        );
        let mut odd = sample();
        odd.runs[1].run = "b\n\u{1b}[2J".into();
        let text = odd.to_string();
        assert!(
            text.lines().count() == 3 && !text.contains('\u{1b}'),
            "{text}"
        );
        let json = serde_json::to_value(sample()).unwrap();
        assert_eq!(
            (json[0]["run"].as_str(), json[1]["accuracy"].as_f64()),
            (Some("runs/a"), Some(1.0))
        );
        assert!(json[0]["confusion"].is_array() && json[0].get("claimed").is_none());
    }
}
