//! The real work on each line, and the proof that all of it was done.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::line::Line;

/// How many events there were, and what was in them, in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub events: u64,
    pub checksum: u64,
}

impl Tally {
    /// This, and a line more.
    pub fn with(mut self, line: &Line) -> Self {
        self.add(line);
        self
    }

    pub fn add(&mut self, line: &Line) {
        self.events += 1;
        let (words, rest) = line.text().as_chunks();
        for &word in words {
            self.mix(u64::from_le_bytes(word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
        self.mix(line.text().len() as u64);
    }

    /// One to one in the checksum so far: a difference stays one until another meets it.
    fn mix(&mut self, word: u64) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.checksum = (self.checksum.rotate_left(23) ^ word).wrapping_mul(ODD);
    }
}

/// What one subscriber finds out about the text.
#[derive(Debug, Default)]
pub struct Work {
    pub tally: Tally,
    pub bytes: u64,
    pub lines: u64,
    /// The length of the longest line, without its line break.
    pub longest: u64,
    /// The length so far of a line of which the end is still to come.
    unfinished: u64,
    pub words: u64,
    histogram: HashMap<Box<[u8]>, u64>,
}

/// What is cut to pieces counts as a word a piece. Input without an end must not fill the memory: longer words, and words that are new
/// when the histogram is full, are only counted.
const LONGEST_WORD: usize = 64;
const MOST_WORDS: usize = 100_000;

impl Work {
    pub fn add(&mut self, line: &Line) {
        self.tally.add(line);
        self.bytes += line.text().len() as u64;
        let text = line.text().strip_suffix(b"\n").unwrap_or(line.text());
        self.unfinished += text.len() as u64;
        self.longest = self.longest.max(self.unfinished);
        if line.ends() {
            self.lines += 1;
            self.unfinished = 0;
        }
        for word in text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
        {
            self.add_word(word);
        }
    }

    /// How many words differ, as far as the histogram goes.
    pub fn different_words(&self) -> usize {
        self.histogram.len()
    }

    /// The `most` frequent words, the most frequent first.
    pub fn frequent_words(&self, most: usize) -> Vec<(&[u8], u64)> {
        let mut words: Vec<_> = self
            .histogram
            .iter()
            .map(|(word, &n)| (&**word, n))
            .collect();
        words.sort_unstable_by_key(|&(word, n)| (Reverse(n), word));
        words.truncate(most);
        words
    }

    fn add_word(&mut self, word: &[u8]) {
        self.words += 1;
        if let Some(n) = self.histogram.get_mut(word) {
            *n += 1;
        } else if word.len() <= LONGEST_WORD && self.histogram.len() < MOST_WORDS {
            self.histogram.insert(word.into(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{LONGEST_PIECE, Lines};

    fn work_on(text: &[u8]) -> Work {
        let mut lines = Lines::new(text);
        let mut work = Work::default();
        while let Some(line) = lines.next().expect("memory can be read") {
            work.add(&line);
        }
        work
    }

    #[test]
    fn counts() {
        let work = work_on(b"one two\n\n\xff two\t three");
        assert_eq!(work.tally.events, 3);
        assert_eq!((work.lines, work.bytes, work.longest), (3, 21, 12));
        assert_eq!((work.words, work.different_words()), (5, 4));
        assert_eq!(work.frequent_words(2), [(&b"two"[..], 2), (b"one", 1)]);
    }

    #[test]
    fn a_long_line_is_one_line() {
        let long = 2 * LONGEST_PIECE + 10;
        let mut text = vec![b'x'; long];
        text.extend(b"\nend");
        let work = work_on(&text);
        assert_eq!(
            (work.tally.events, work.lines, work.longest),
            (4, 2, long as u64)
        );
    }

    #[test]
    fn an_exact_piece_at_the_end_is_one_line() {
        let work = work_on(&[b'x'; LONGEST_PIECE]);
        assert_eq!((work.tally.events, work.lines), (1, 1));
    }

    #[test]
    fn the_checksum_sees_order_loss_and_breaks() {
        let checksum = |text: &[u8]| work_on(text).tally.checksum;
        let text = checksum(b"one\ntwo\nthree\n");
        assert_eq!(text, checksum(b"one\ntwo\nthree\n"));
        assert_ne!(text, checksum(b"two\none\nthree\n"));
        assert_ne!(text, checksum(b"one\nthree\n"));
        assert_ne!(text, checksum(b"one\ntwo\nthree"));
        assert_ne!(text, checksum(b"one\ntwo\nthreE\n"));
    }
}
