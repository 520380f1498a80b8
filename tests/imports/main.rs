//! Arrows run down: no files of a crate import each other in a circle, and no crate imports one above it.
//!
//! A path that begins with `crate`, `super`, `self` or a module of the same file is followed to the file that defines what
//! it names, through `pub use` where there is one. What stands under `#[cfg(test)]` may look anywhere.

mod graph;
mod source;

use graph::{Crate, circles};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Crates and those that each may import, from the lowest up.
const CRATES: [(&str, &[&str]); 5] = [
    ("kernels", &[]),
    ("engine", &["kernels"]),
    ("audio", &["kernels"]),
    ("models", &["kernels", "engine", "audio"]),
    (".", &["kernels", "engine", "audio", "models"]),
];

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for (name, _) in CRATES {
        let sources = Crate::read(&home().join(name).join("src"));
        let graph = sources.graph();
        let edges: usize = graph.values().map(BTreeMap::len).sum();
        let groups = circles(&graph);
        println!(
            "{name}: {} files, {edges} arrows, {} circles",
            graph.len(),
            groups.len()
        );
        for group in groups {
            let mut text = format!("{name}:");
            for module in &group {
                for (to, path) in graph[module].iter().filter(|(to, _)| group.contains(to)) {
                    text += &format!("\n    {} -> {}: {path}", module.join("::"), to.join("::"));
                }
            }
            found.push(text);
        }
    }
    assert!(
        found.is_empty(),
        "files that import each other:\n{}",
        found.join("\n")
    );
}

#[test]
fn crates_import_only_those_below() {
    for (name, below) in CRATES {
        let sources = Crate::read(&home().join(name).join("src"));
        for source in sources.files.values() {
            for (other, _) in CRATES {
                let uses = source
                    .tokens
                    .windows(3)
                    .any(|t| t[0] == other && t[1] == ":" && t[2] == ":");
                let local = source
                    .tokens
                    .windows(2)
                    .any(|t| t[0] == "mod" && t[1] == other);
                assert!(
                    !uses || local || other == name || below.contains(&other),
                    "{name}/src/{} imports {other}",
                    source.path.display()
                );
            }
        }
    }
}

#[test]
fn circles_are_found_through_re_exports() {
    let files = |texts: &[(&str, &str)]| {
        let own = |(path, text): &(&str, &str)| (PathBuf::from(path), text.to_string());
        Crate::of(texts.iter().map(own).collect())
    };
    let with = |low: &str| {
        let sources = [
            ("lib.rs", "mod high; mod low; pub use low::Low;"),
            (
                "high/mod.rs",
                "mod inner; pub use inner::{High, other as renamed};",
            ),
            (
                "high/inner.rs",
                "use crate::Low; pub struct High(Low); pub fn other() {}",
            ),
            ("low.rs", low),
        ];
        circles(&files(&sources).graph()).len()
    };
    assert_eq!(with("pub struct Low;"), 0);
    assert_eq!(with("use crate::high::High; pub struct Low;"), 1);
    assert_eq!(with("pub struct Low; fn f() { super::high::renamed() }"), 1);
    assert_eq!(
        with("pub struct Low; #[cfg(test)] mod tests { use crate::high::High; }"),
        0
    );
    assert_eq!(
        with("// crate::high::High\npub struct Low; const S: &str = \"crate::high::High\";"),
        0
    );
}
