//! One file of Rust: its tokens, what it imports, what it re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One file.
pub struct Source {
    pub path: PathBuf,
    /// Tokens: names, and every other character but white space on its own.
    pub tokens: Vec<String>,
    /// `pub use`: the name it is known by here, and the path behind it. `*` is a name too.
    pub exports: Vec<(String, Vec<String>)>,
    /// Names by which `use` brought modules and items in.
    pub aliases: BTreeMap<String, Vec<String>>,
}

impl Source {
    /// Reads a file's text; what stands under a `cfg` that names `test` is left out.
    pub fn new(path: PathBuf, text: &str) -> Source {
        let mut source = Source {
            path,
            tokens: without_tests(tokens(text)),
            exports: Vec::new(),
            aliases: BTreeMap::new(),
        };
        source.read_uses();
        source
    }

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
    pub fn paths(&self) -> Vec<Vec<String>> {
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
