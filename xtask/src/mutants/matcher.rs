//! Where a text of Rust stands in a source, whatever its comments and its formatting are.

use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// A text and its tokens. It need not be whole: its delimiters may be unbalanced.
#[derive(Clone)]
pub struct Tokens {
    text: String,
    places: Vec<Range<usize>>,
}

impl Tokens {
    /// Splits `text` into its tokens, without comments and white space.
    pub fn of(text: String) -> Tokens {
        let mut end = 0;
        let places = tokenize(&text, FrontmatterAllowed::No).filter_map(|token| {
            let start = end;
            end += token.len as usize;
            let is_blank = matches!(
                token.kind,
                TokenKind::Whitespace
                    | TokenKind::LineComment { .. }
                    | TokenKind::BlockComment { .. }
            );
            (!is_blank).then_some(start..end)
        });
        let places = places.collect();
        Tokens { text, places }
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns each place where `wanted` stands, from its first token to its last.
    ///
    /// A comma before a closing delimiter does not count, because rustfmt adds and removes it.
    pub fn find(&self, wanted: &Tokens) -> Vec<Range<usize>> {
        let wanted: Vec<&str> = (0..wanted.places.len())
            .filter(|at| !wanted.is_trailing_comma(*at))
            .map(|at| wanted.token(at))
            .collect();
        let starts = 0..self.places.len();
        starts
            .filter_map(|start| self.find_at(start, &wanted))
            .collect()
    }

    fn find_at(&self, start: usize, wanted: &[&str]) -> Option<Range<usize>> {
        let (first, rest) = wanted.split_first()?;
        if self.token(start) != *first {
            return None;
        }
        let mut last = start;
        for token in rest {
            let mut next = last + 1;
            if *token != "," && next < self.places.len() && self.is_trailing_comma(next) {
                next += 1;
            }
            if next >= self.places.len() || self.token(next) != *token {
                return None;
            }
            last = next;
        }
        Some(self.places[start].start..self.places[last].end)
    }

    fn token(&self, at: usize) -> &str {
        &self.text[self.places[at].clone()]
    }

    fn is_trailing_comma(&self, at: usize) -> bool {
        self.token(at) == ","
            && at + 1 < self.places.len()
            && matches!(self.token(at + 1), ")" | "]" | "}")
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    fn found<'a>(text: &'a str, wanted: &str) -> Vec<&'a str> {
        let places = Tokens::of(text.into()).find(&Tokens::of(wanted.into()));
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
