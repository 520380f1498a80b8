//! Pieces of HTML.

use std::fmt::Write as _;

/// Text as HTML, safe in attributes too. Control characters, which HTML forbids, become `�`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn section(page: &mut String, heading: &str, content: &str) {
    let _ = write!(page, "<section>\n<h2>{heading}</h2>\n{content}</section>\n");
}
