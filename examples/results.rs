//! The papers' experiments, claimed beside measured: writes the part of docs/results.md between its two marks.
//!
//! ```text
//! melgrad reproduce ajufo-cnn --data gtzan --json > docs/results/ajufo-cnn.json
//! cargo run --example results
//! ```
//!
//! The recipes are those that ship, the figures those of docs/results, one JSON a measurement. A test holds the page
//! against both.

use melgrad::models::recipe::{Recipe, shipped};
use melgrad::models::run::reproduce::Reproduction;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// Between these lines the page is written by this program.
const MARKS: [&str; 2] = [
    "<!-- written by `cargo run --example results`: from here -->",
    "<!-- to here -->",
];

#[allow(dead_code)] // Not as a module of the test.
fn main() -> io::Result<()> {
    let page = std::fs::read_to_string(path())?;
    let (before, _, after) =
        parts(&page).ok_or(io::Error::other("docs/results.md has lost its marks"))?;
    let written = experiments(&results()?)?;
    std::fs::write(path(), format!("{before}{written}{after}"))
}

/// Where the page is.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.md")
}

/// The page before what is written here, that itself, and what follows; the marks belong to the first and the last.
pub fn parts(page: &str) -> Option<(&str, &str, &str)> {
    let start = page.find(MARKS[0])? + MARKS[0].len();
    let end = start + page[start..].find(MARKS[1])?;
    Some((&page[..start], &page[start..end], &page[end..]))
}

/// Every measurement in docs/results, by the name of its file.
pub fn results() -> io::Result<Vec<(String, Reproduction)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let result = |path: PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok((name, Reproduction::read(&path).map_err(io::Error::other)?))
    };
    files.into_iter().map(result).collect()
}

/// A table for every paper.
pub fn experiments(results: &[(String, Reproduction)]) -> io::Result<String> {
    let mut text = String::from("\n");
    let mut papers: Vec<(String, Vec<Recipe>)> = Vec::new();
    for recipe in shipped().map_err(io::Error::other)? {
        let paper = recipe
            .paper
            .split(':')
            .next()
            .unwrap_or_default()
            .to_string();
        if paper == "none" {
            continue;
        }
        match papers.iter_mut().find(|(name, _)| *name == paper) {
            Some((_, recipes)) => recipes.push(recipe),
            None => papers.push((paper, vec![recipe])),
        }
    }
    for (paper, recipes) in papers {
        let heading = match paper.as_str() {
            "" => "Floors, ours",
            paper => paper,
        };
        let _ = writeln!(
            text,
            "\n### {heading}\n\n| recipe | claimed | measured | on | why they differ |\n| --- | --- | --- | --- | --- |"
        );
        for recipe in recipes {
            rows(&mut text, &recipe, results);
        }
    }
    if !results.is_empty() {
        text += "\n### How each was measured\n\n| file | command | clips: train, validation, test | kept epochs | device | seconds |\n| --- | --- | --- | --- | --- | --- |\n";
    }
    for (file, result) in results {
        let [train, validation, test] = result.split;
        let epochs: Vec<String> = result.best_epochs.iter().map(usize::to_string).collect();
        let _ = writeln!(
            text,
            "| [{file}](results/{file}) | `{}` | {train}, {validation}, {test} | {} | {} | {} |",
            result.command,
            epochs.join(", "),
            result.device,
            match result.seconds {
                seconds if seconds < 1.0 => "< 1".into(),
                seconds => format!("{seconds:.0}"),
            }
        );
    }
    text += "\n";
    Ok(text)
}

/// A row for every measurement of a recipe, or one that says what it wants.
fn rows(text: &mut String, recipe: &Recipe, results: &[(String, Reproduction)]) {
    let claimed = figures(&recipe.claimed, |figure| format!("{figure}"));
    let own = |(_, result): &&(String, Reproduction)| result.recipe == recipe.name;
    let mut missing = true;
    for (_, result) in results.iter().filter(own) {
        missing = false;
        let wanted = |name: &str| match recipe.claimed.is_empty() {
            true => name == "accuracy",
            false => recipe.claimed.contains_key(name) || name == "accuracy",
        };
        let measured: BTreeMap<String, String> = result
            .measured
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, figure)| (name.clone(), figure.to_string()))
            .collect();
        let _ = writeln!(
            text,
            "| `{}` | {claimed} | {} | {}, {} clips, {} | {} |",
            recipe.name,
            figures(&measured, String::clone),
            result.data,
            result.clips,
            result.runs(),
            result.remark.replace('|', "\\|")
        );
    }
    if missing {
        let _ = writeln!(
            text,
            "| `{}` | {claimed} | not measured | wants {} | |",
            recipe.name, recipe.dataset
        );
    }
}

fn figures<T>(figures: &BTreeMap<String, T>, show: impl Fn(&T) -> String) -> String {
    match figures.is_empty() {
        true => "none".into(),
        false => {
            let shown = figures
                .iter()
                .map(|(name, figure)| format!("{} {}", name.replace('_', " "), show(figure)));
            shown.collect::<Vec<_>>().join("<br>")
        }
    }
}
