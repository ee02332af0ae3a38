//! What messages have in common: a sentence, numbers and lists.

use std::fmt;

pub(super) const STOPPED: &str = "the bus is not running";

/// A number of things: "1 worker", "2 workers".
pub(super) struct Count<N>(pub(super) N, pub(super) &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == N::from(1) { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// Ascending numbers: "0 to 3 and 8". Two neighbours are no range: "0 and 1".
pub(super) struct Numbers<'a>(pub(super) &'a [usize]);

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for range in self.0.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
            match range {
                [first, _, .., last] => parts.push(format!("{first} to {last}")),
                few => parts.extend(few.iter().map(usize::to_string)),
            }
        }
        f.write_str(&and(&parts))
    }
}

/// The beginning of a name that may be of any length.
pub(super) struct Short<'a>(pub(super) &'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 40;
        match self.0.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "{}...", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}

/// "a", "a and b", "a, b and c".
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let said = [0usize, 1, 2].map(|n| Count(n, "worker").to_string());
        assert_eq!(said, ["0 workers", "1 worker", "2 workers"]);
    }

    #[test]
    fn numbers_in_a_row_are_a_range() {
        let said = |numbers: &[usize]| Numbers(numbers).to_string();
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[7]), "7");
        assert_eq!(said(&[0, 1]), "0 and 1");
        assert_eq!(said(&[0, 1, 2, 3, 8]), "0 to 3 and 8");
        assert_eq!(said(&[0, 2, 3, 5, 6, 7]), "0, 2, 3 and 5 to 7");
        assert_eq!(
            said(&[usize::MAX - 1, usize::MAX]).matches("and").count(),
            1
        );
    }
}
