//! The sources of the core, and where a text stands in them, whatever its comments and its
//! formatting are.

use std::fs;
use std::ops::Range;

use anyhow::Context;
use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};
use walkdir::WalkDir;

use crate::Result;

/// A file of the project.
pub struct Source {
    /// Below the root.
    pub path: String,
    pub text: String,
    tokens: Vec<Range<usize>>,
}

/// Not of the core: the facade and the snapshot, which add no ordering of their own, and the pages
/// of documentation.
const APART: &[&str] = &["src/sync", "src/snapshot", "src/docs"];

/// Reads the sources of the core.
pub fn core() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in WalkDir::new("src").sort_by_file_name() {
        // The project's own names, all of them in ASCII.
        let path = entry?.path().to_string_lossy().replace('\\', "/");
        if path.ends_with(".rs") && !APART.iter().any(|apart| path.starts_with(apart)) {
            sources.push(Source::read(path)?);
        }
    }
    Ok(sources)
}

impl Source {
    /// Reads the file at `path`.
    pub fn read(path: String) -> Result<Source> {
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        Ok(Source::new(path, text))
    }

    /// Takes `text` for what the file at `path` has.
    pub fn new(path: String, text: String) -> Source {
        let tokens = tokens(&text);
        Source { path, text, tokens }
    }

    /// Returns `src/file.rs:7` for the byte at `at`.
    pub fn place(&self, at: usize) -> String {
        let line = 1 + self.text[..at].matches('\n').count();
        format!("{}:{line}", self.path)
    }

    /// Returns each place where `wanted` stands, from its first token to its last.
    ///
    /// A comma before a closing delimiter does not count, because rustfmt adds and removes it.
    pub fn find(&self, wanted: &str) -> Vec<Range<usize>> {
        let tokens = tokens(wanted);
        let wanted: Vec<&str> = (0..tokens.len())
            .filter(|at| !is_trailing_comma(wanted, &tokens, *at))
            .map(|at| &wanted[tokens[at].clone()])
            .collect();
        let starts = 0..self.tokens.len();
        starts
            .filter_map(|start| self.find_at(start, &wanted))
            .collect()
    }

    fn find_at(&self, start: usize, wanted: &[&str]) -> Option<Range<usize>> {
        let (first, rest) = wanted.split_first()?;
        let token = |at: usize| self.tokens.get(at).map(|token| &self.text[token.clone()]);
        if token(start) != Some(first) {
            return None;
        }
        let mut last = start;
        for wanted in rest {
            last += 1;
            if *wanted != "," && is_trailing_comma(&self.text, &self.tokens, last) {
                last += 1;
            }
            if token(last) != Some(wanted) {
                return None;
            }
        }
        Some(self.tokens[start].start..self.tokens[last].end)
    }
}

/// Splits a text into its tokens, without comments and white space. Its delimiters may be
/// unbalanced.
fn tokens(text: &str) -> Vec<Range<usize>> {
    use TokenKind::{BlockComment, LineComment, Whitespace};
    let mut end = 0;
    let tokens = tokenize(text, FrontmatterAllowed::No).map(|token| {
        let start = end;
        end += token.len as usize;
        (token.kind, start..end)
    });
    let is_blank = |kind| matches!(kind, Whitespace | LineComment { .. } | BlockComment { .. });
    let tokens = tokens.filter(|(kind, _)| !is_blank(*kind));
    tokens.map(|(_, place)| place).collect()
}

fn is_trailing_comma(text: &str, tokens: &[Range<usize>], at: usize) -> bool {
    let token = |at: usize| tokens.get(at).map(|token| &text[token.clone()]);
    token(at) == Some(",") && matches!(token(at + 1), Some(")" | "]" | "}"))
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn found<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
        let places = Source::new("src/a.rs".into(), text.into()).find(wanted);
        places.into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn comments_and_line_breaks_between_tokens_do_not_count() {
        let text = "one(); a /* of b */ .b(\n    // the c\n    c\n) // and on\n; two()";
        let place = "a /* of b */ .b(\n    // the c\n    c\n) // and on\n;";
        assert_eq!(found(text, "a.b(c);"), [place]);
        assert_eq!(found(text, "a . b ( c ) ; // a remark"), [place]);
    }

    #[test]
    fn a_comma_before_a_closing_delimiter_does_not_count() {
        assert_eq!(found("f(a, b,); g", "f(a, b)"), ["f(a, b,)"]);
        assert_eq!(found("f(a, b); g", "f(a, b,)"), ["f(a, b)"]);
        assert_eq!(found("f(a,)", "a,"), ["a,"]);
        assert_eq!(found("f(a, b)", "f(a b)").len(), 0);
    }

    #[test]
    fn a_wanted_text_may_be_unbalanced() {
        assert_eq!(found("if a { b } else { c }", "} else {"), ["} else {"]);
        assert_eq!(found("f(x, (y)", "x, ("), ["x, ("]);
    }

    #[test]
    fn a_part_of_a_token_is_not_found() {
        assert_eq!(found("abandoned(a)", "a"), ["a"]);
        assert_eq!(found("\"a\" 'a", "a").len(), 0);
    }

    #[test]
    fn each_place_is_found() {
        assert_eq!(found("a; a ; a\n;", "a;"), ["a;", "a ;", "a\n;"]);
        assert_eq!(found("a", "// nothing").len(), 0);
    }
}
