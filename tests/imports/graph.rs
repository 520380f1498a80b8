//! The files of a crate as a graph, and its circles.

use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path below its crate.
pub type Module = Vec<String>;

/// What each file imports: other files, and a path by which it names something of theirs.
pub type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

/// The files of one crate.
pub struct Crate {
    pub files: BTreeMap<Module, Source>,
}

impl Crate {
    /// Reads the files below `root`; `main.rs` and `lib.rs` are the crate's root, the latter where both are there.
    pub fn read(root: &Path) -> Crate {
        let mut paths = Vec::new();
        rust_files(root, &mut paths);
        paths.sort();
        let sources = paths.into_iter().map(|path| {
            let below = path.strip_prefix(root).unwrap().to_path_buf();
            (below, fs::read_to_string(&path).unwrap())
        });
        Crate::of(sources.collect())
    }

    pub fn of(sources: Vec<(PathBuf, String)>) -> Crate {
        let mut files = BTreeMap::new();
        for (path, text) in sources {
            let mut module: Module = path
                .with_extension("")
                .iter()
                .map(|part| part.to_str().unwrap().to_string())
                .collect();
            if matches!(
                module.last().map(String::as_str),
                Some("mod" | "lib" | "main")
            ) {
                module.pop();
            }
            if matches!(module.last().map(String::as_str), Some("tests")) {
                continue;
            }
            let source = Source::new(path, &text);
            if source.path.ends_with("main.rs") && files.contains_key(&module) {
                continue;
            }
            files.insert(module, source);
        }
        Crate { files }
    }

    /// The file that defines what `path` names, as seen from `from`; `None` for what is of no file of this crate.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        if depth > 8 {
            return None;
        }
        let mut at = match path.first()?.as_str() {
            "crate" => Module::new(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            "self" => from.clone(),
            name => {
                let mut child = from.clone();
                child.push(name.to_string());
                if !self.files.contains_key(&child) {
                    let alias = self.files.get(from)?.aliases.get(name)?;
                    let whole = [alias, &path[1..]].concat();
                    // A name that `use` brought in under itself.
                    let same = alias.first().map(String::as_str) == Some(name);
                    return if same {
                        None
                    } else {
                        self.resolve(from, &whole, depth + 1)
                    };
                }
                child
            }
        };
        let mut rest = &path[1..];
        while let [name, after @ ..] = rest {
            let mut child = at.clone();
            match name.as_str() {
                "super" => {
                    child.pop();
                }
                "self" => {}
                _ => child.push(name.clone()),
            }
            if !self.files.contains_key(&child) {
                return self.defined(&at, name, after, depth);
            }
            (at, rest) = (child, after);
        }
        self.files.contains_key(&at).then_some(at)
    }

    /// The file that defines `name`, which `module` has or re-exports.
    fn defined(
        &self,
        module: &Module,
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<Module> {
        let source = self.files.get(module)?;
        for (exported, path) in &source.exports {
            if exported == name {
                let whole = [path, rest].concat();
                return self.resolve(module, &whole, depth + 1);
            }
        }
        for (exported, path) in &source.exports {
            if exported == "*" {
                let folder = self.resolve(module, path, depth + 1)?;
                if self.defines(&folder, name) {
                    return self.defined(&folder, name, rest, depth + 1);
                }
            }
        }
        Some(module.clone())
    }

    /// Whether a file has an item of that name.
    fn defines(&self, module: &Module, name: &str) -> bool {
        let Some(source) = self.files.get(module) else {
            return false;
        };
        let kinds = [
            "fn", "struct", "enum", "trait", "type", "const", "static", "union",
        ];
        let mut pairs = source.tokens.windows(2);
        pairs.any(|pair| kinds.contains(&pair[0].as_str()) && pair[1] == name)
            || source.exports.iter().any(|(exported, _)| exported == name)
    }

    /// Every file with those that it imports. A kernel's folder counts as one where its `mod.rs` is concerned: that
    /// defines the shapes for the files below, and launches what they hold.
    pub fn graph(&self) -> Graph {
        let edges = |(module, source): (&Module, &Source)| {
            let kernel = self
                .files
                .contains_key(&[&module[..], &["cases".into()]].concat());
            let mut to = BTreeMap::new();
            for path in source.paths() {
                let other = self.resolve(module, &path, 0);
                let other = other.filter(|other| other != module);
                if let Some(other) = other.filter(|other| !(kernel && other.starts_with(module))) {
                    to.insert(other, path.join("::"));
                }
            }
            (module.clone(), to)
        };
        self.files.iter().map(edges).collect()
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Groups of files that import each other, each sorted (Tarjan 1972, by two searches for short).
pub fn circles(graph: &Graph) -> Vec<Vec<Module>> {
    let reached = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut to_see: Vec<&Module> = graph[from].keys().collect();
        while let Some(module) = to_see.pop() {
            if seen.insert(module) {
                to_see.extend(graph[module].keys());
            }
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<&Module>> = graph.keys().map(|m| (m, reached(m))).collect();
    let mut groups = BTreeSet::new();
    for (module, seen) in &all {
        if seen.contains(*module) {
            let group = seen.iter().filter(|other| all[**other].contains(*module));
            groups.insert(group.map(|m| (*m).clone()).collect::<Vec<_>>());
        }
    }
    groups.into_iter().collect()
}
