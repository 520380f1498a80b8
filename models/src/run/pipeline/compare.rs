//! Evaluation and comparison of several runs.

use std::path::Path;

use engine::Device;

use super::{Evaluating, evaluate_run};
use crate::Error;
use crate::base::control::Control;
use crate::report::{Compared, Comparison};
use crate::run::folder::RunFolder;

/// Evaluates runs, each as [`evaluate_run`] does.
///
/// # Errors
/// As [`evaluate_run`], for the first run that cannot be evaluated.
pub fn compare_runs(
    runs: &[impl AsRef<Path>],
    data: Option<&Path>,
    cache: Option<&Path>,
    device: &Device,
    control: Control<'_>,
) -> Result<Comparison, Error> {
    let mut comparison = Comparison::default();
    let mut evaluated: Vec<Vec<String>> = Vec::new();
    for run in runs.iter().map(AsRef::as_ref) {
        let recipe = RunFolder::open(run)?.settings()?.recipe;
        let evaluating = Evaluating { run, data, cache };
        let evaluation = evaluate_run(&evaluating, device, control)?;
        let name = run.display().to_string();
        let mut clips: Vec<String> = evaluation.clips.into_iter().map(|clip| clip.name).collect();
        clips.sort_unstable();
        evaluated.push(clips);
        comparison.runs.push(Compared {
            run: name,
            recipe: recipe.name,
            clips: evaluation.note,
            claimed: recipe.claimed.into_iter().collect(),
            metrics: evaluation.metrics,
        });
    }
    let others = evaluated
        .iter()
        .filter(|clips| **clips != evaluated[0])
        .count();
    if others > 0 {
        let (all, first) = (evaluated.len(), &comparison.runs[0].run);
        let words = format!(
            "{others} of {all} runs were not evaluated on the same clips as {first}: their figures differ by chance too"
        );
        control.warn(&mut comparison.notes, [words]);
    }
    Ok(comparison)
}
