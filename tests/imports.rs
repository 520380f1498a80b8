//! Arrows run down: no files of a crate import each other in a circle, and no crate imports one above it.
//!
//! A path that begins with `crate`, `super`, `self` or a module of the same file is followed to the file that defines what
//! it names, through `pub use` where there is one. What stands under `#[cfg(test)]` may look anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates and those that each may import, from the lowest up.
const CRATES: [(&str, &[&str]); 5] = [
    ("kernels", &[]),
    ("engine", &["kernels"]),
    ("audio", &["kernels"]),
    ("models", &["kernels", "engine", "audio"]),
    (".", &["kernels", "engine", "audio", "models"]),
];

/// A module's path below its crate.
type Module = Vec<String>;

/// One file.
struct Source {
    path: PathBuf,
    /// Tokens: names, and every other character but white space on its own.
    tokens: Vec<String>,
    /// `pub use`: the name it is known by here, and the path behind it. `*` is a name too.
    exports: Vec<(String, Vec<String>)>,
    /// Names by which `use` brought modules and items in.
    aliases: BTreeMap<String, Vec<String>>,
}

/// What each file imports: other files, and a path by which it names something of theirs.
type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

/// The files of one crate.
struct Crate {
    files: BTreeMap<Module, Source>,
}

impl Crate {
    /// Reads the files below `root`; `main.rs` and `lib.rs` are the crate's root, the latter where both are there.
    fn read(root: &Path) -> Crate {
        let mut paths = Vec::new();
        rust_files(root, &mut paths);
        paths.sort();
        let sources = paths.into_iter().map(|path| {
            let below = path.strip_prefix(root).unwrap().to_path_buf();
            (below, fs::read_to_string(&path).unwrap())
        });
        Crate::of(sources.collect())
    }

    fn of(sources: Vec<(PathBuf, String)>) -> Crate {
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
            let tokens = without_tests(tokens(&text));
            let mut source = Source {
                path,
                exports: Vec::new(),
                aliases: BTreeMap::new(),
                tokens,
            };
            source.read_uses();
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
    fn graph(&self) -> Graph {
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

impl Source {
    /// Fills in `exports` and `aliases`.
    fn read_uses(&mut self) {
        let tokens = &self.tokens;
        for (i, token) in tokens.iter().enumerate() {
            if token != "use" {
                continue;
            }
            // `pub use` and `pub(crate) use`.
            let public = i > 0 && (tokens[i - 1] == "pub" || tokens[i - 1] == ")");
            let mut found = Vec::new();
            tree(&tokens[i + 1..], &mut Vec::new(), &mut found);
            for (name, path) in found {
                if public {
                    self.exports.push((name.clone(), path.clone()));
                }
                self.aliases.insert(name, path);
            }
        }
    }

    /// All paths that the file names outside of re-exports.
    fn paths(&self) -> Vec<Vec<String>> {
        let mut paths: Vec<Vec<String>> = Vec::new();
        let exported: BTreeSet<&Vec<String>> = self.exports.iter().map(|(_, path)| path).collect();
        for path in self.aliases.values() {
            if !exported.contains(path) {
                paths.push(path.clone());
            }
        }
        let mut i = 0;
        while i < self.tokens.len() {
            if self.tokens[i] == "use" {
                while i < self.tokens.len() && self.tokens[i] != ";" {
                    i += 1;
                }
            }
            let starts = i == 0 || self.tokens[i - 1] != ":" || i < 2 || self.tokens[i - 2] != ":";
            if starts && i < self.tokens.len() && is_name(&self.tokens[i]) {
                let mut path = vec![self.tokens[i].clone()];
                while let [a, b, name, ..] = &self.tokens[i + 1..] {
                    if a != ":" || b != ":" || !is_name(name) {
                        break;
                    }
                    path.push(name.clone());
                    i += 3;
                }
                if path.len() > 1 {
                    paths.push(path);
                }
            }
            i += 1;
        }
        paths
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names and paths of a `use` tree; gives how many tokens it has.
fn tree(
    tokens: &[String],
    before: &mut Vec<String>,
    found: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let (mut i, depth) = (0, before.len());
    let mut name = None;
    while i < tokens.len() {
        match tokens[i].as_str() {
            "{" => {
                i += 1;
                while i < tokens.len() && tokens[i] != "}" {
                    i += tree(&tokens[i..], before, found);
                    if tokens.get(i).is_some_and(|t| t == ",") {
                        i += 1;
                    }
                }
                i += 1;
                before.truncate(depth);
                return i;
            }
            "as" => {
                name = tokens.get(i + 1).cloned();
                i += 2;
            }
            ";" | "," | "}" => break,
            ":" => i += 1,
            other => {
                before.push(other.to_string());
                i += 1;
            }
        }
    }
    let path = before.clone();
    let own = path.iter().rev().find(|part| *part != "self").cloned();
    if let Some(name) = name.or(own) {
        let path = path.into_iter().enumerate();
        let path = path.filter(|(i, part)| *i == 0 || part != "self" && part != "*");
        found.push((name, path.map(|(_, part)| part).collect()));
    }
    before.truncate(depth);
    i
}

/// Splits source text, without comments and the insides of strings.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied().unwrap_or(' ');
        if c == '/' && next == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if c == 'r' && (next == '"' || next == '#') && !tokens.ends_with(&["'".to_string()])
        {
            let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
            if chars.get(i + 1 + hashes) == Some(&'"') {
                let end: String = std::iter::once('"')
                    .chain(std::iter::repeat_n('#', hashes))
                    .collect();
                i += 2 + hashes;
                while i < chars.len() && !chars[i..].iter().collect::<String>().starts_with(&end) {
                    i += 1;
                }
                i += 1 + hashes;
            } else {
                i += 1;
            }
        } else if c == '"' {
            i += 1;
            while i < chars.len() && chars[i] != '"' {
                i += 1 + usize::from(chars[i] == '\\');
            }
            i += 1;
        } else if c == '\'' {
            // A character, or a lifetime.
            if next == '\\' {
                i += 3;
                while i < chars.len() && chars[i] != '\'' {
                    i += 1;
                }
                i += 1;
            } else if chars.get(i + 2) == Some(&'\'') {
                i += 3;
            } else {
                i += 1;
            }
        } else if c.is_alphanumeric() || c == '_' {
            let from = i;
            while i < chars.len() && (chars[i].is_alphanumeric() || chars[i] == '_') {
                i += 1;
            }
            tokens.push(chars[from..i].iter().collect());
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    tokens
}

/// Leaves out what follows a `cfg` that names `test`, to the end of its block or statement.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mark = ["#", "[", "cfg", "("];
    let mut left = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let marked = tokens[i..].iter().take(mark.len()).eq(mark.iter());
        let mut inside = tokens[i..].iter().take_while(|token| *token != "]");
        if !marked || !inside.any(|token| token == "test") {
            left.push(tokens[i].clone());
            i += 1;
            continue;
        }
        let mut depth = 0;
        while i < tokens.len() {
            match tokens[i].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            i += 1;
            let last = tokens[i - 1].as_str();
            if depth == 0 && (last == ";" || last == "}") {
                break;
            }
        }
    }
    left
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
fn circles(graph: &Graph) -> Vec<Vec<Module>> {
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
