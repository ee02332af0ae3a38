//! Lines out of a stream of bytes, with a bound on memory.

use memchr::memchr;
use std::io::{self, ErrorKind, Read};

/// The most bytes that a line may have, its newline included: 1 MiB.
pub const MAX_LINE: usize = 1 << 20;

/// The first buffer, and what a reader goes back to after a longer line.
const USUAL: usize = 8 * 1024;

/// What [`LineReader::read_line`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line, never empty, without its `\n` or `\r\n`.
    Whole(&'a [u8]),
    /// The line has more bytes than the limit. The stream is of no more use: from here on it reads as [`End`](Self::End).
    TooLong {
        /// The most that it might have had, in bytes, newline included.
        limit: usize,
    },
    /// The stream has ended, after a whole line.
    End,
    /// The stream has ended in mid-line. From here on it reads as [`End`](Self::End).
    Cut {
        /// How many bytes of that line came.
        bytes: usize,
    },
}

/// Reads lines from a stream, and never holds more bytes than one line may have.
///
/// ```
/// use ringbus_host::{Line, LineReader};
///
/// let mut lines = LineReader::new(&b"{\"cmd\": \"ping\"}\r\n\n{\"cm"[..]);
/// assert_eq!(lines.read_line()?, Line::Whole(b"{\"cmd\": \"ping\"}"));
/// assert_eq!(lines.read_line()?, Line::Cut { bytes: 4 });
/// assert_eq!(lines.read_line()?, Line::End);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    limit: usize,
    buffer: Vec<u8>,
    /// `buffer[start..end]` has come and was not given out; no newline is in `start..searched`.
    start: usize,
    searched: usize,
    end: usize,
    over: bool,
}

impl<R: Read> LineReader<R> {
    /// A reader of lines of at most [`MAX_LINE`] bytes.
    pub fn new(stream: R) -> Self {
        Self::with_limit(stream, MAX_LINE)
    }

    /// A reader of lines of at most so many bytes, newline included; 0 is taken as 1.
    pub fn with_limit(stream: R, limit: usize) -> Self {
        LineReader {
            stream,
            limit: limit.max(1),
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            end: 0,
            over: false,
        }
    }

    /// The next line that is not empty.
    ///
    /// Blocks as the stream does, for as long as nothing but empty lines comes.
    ///
    /// # Errors
    /// The stream's own, but for [`Interrupted`](ErrorKind::Interrupted), which is tried again. Nothing is lost: after a
    /// timeout in mid-line, the next call goes on where this one stopped.
    pub fn read_line(&mut self) -> io::Result<Line<'_>> {
        loop {
            while let Some(line) = self.take() {
                if !self.buffer[line.clone()].is_empty() {
                    return Ok(Line::Whole(&self.buffer[line]));
                }
            }
            if self.over {
                return Ok(Line::End);
            }
            if !self.make_room() {
                self.finish();
                return Ok(Line::TooLong { limit: self.limit });
            }
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    let bytes = self.end - self.start;
                    self.finish();
                    return Ok(match bytes {
                        0 => Line::End,
                        _ => Line::Cut { bytes },
                    });
                }
                // `min`: a reader that claims more than it was given room for.
                Ok(read) => self.end += read.min(self.buffer.len() - self.end),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The stream, for its timeouts. What is read from it directly is missing from the lines.
    pub fn get_ref(&self) -> &R {
        &self.stream
    }

    /// Takes one line out of what has come.
    fn take(&mut self) -> Option<std::ops::Range<usize>> {
        let found = memchr(b'\n', &self.buffer[self.searched..self.end]);
        let Some(newline) = found.map(|at| self.searched + at) else {
            self.searched = self.end;
            return None;
        };
        let start = std::mem::replace(&mut self.start, newline + 1);
        self.searched = self.start;
        let returned = self.buffer[start..newline].ends_with(b"\r");
        Some(start..newline - usize::from(returned))
    }

    /// Makes room for at least one more byte; false if the line has all the bytes that it may have.
    fn make_room(&mut self) -> bool {
        if self.start == self.end {
            (self.start, self.searched, self.end) = (0, 0, 0);
            if self.buffer.len() > USUAL {
                self.buffer = Vec::new(); // a client that once sent much does not hold it for ever
            }
        }
        if self.end < self.buffer.len() {
            return true;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
            return true;
        }
        let grown = (self.buffer.len() * 2).max(USUAL).min(self.limit);
        if grown == self.buffer.len() {
            return false;
        }
        self.buffer.reserve_exact(grown - self.buffer.len());
        self.buffer.resize(grown, 0);
        true
    }

    fn finish(&mut self) {
        self.buffer = Vec::new();
        (self.start, self.searched, self.end) = (0, 0, 0);
        self.over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Gives out what it is told, piece by piece.
    struct Pieces(VecDeque<io::Result<Vec<u8>>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop_front() else {
                return Ok(0);
            };
            let mut piece = piece?;
            let rest = piece.split_off(piece.len().min(buffer.len()));
            buffer[..piece.len()].copy_from_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(Ok(rest));
            }
            Ok(piece.len())
        }
    }

    fn pieces<const N: usize>(pieces: [Result<&str, ErrorKind>; N]) -> Pieces {
        Pieces(
            pieces
                .into_iter()
                .map(|piece| {
                    piece
                        .map(|text| text.as_bytes().to_vec())
                        .map_err(Into::into)
                })
                .collect(),
        )
    }

    #[test]
    fn empty_lines_and_carriage_returns_are_skipped() {
        let mut lines = LineReader::new(&b"\n\r\na\r\n\n b \nc\rd\n"[..]);
        for line in ["a", " b ", "c\rd"] {
            assert_eq!(lines.read_line().unwrap(), Line::Whole(line.as_bytes()));
        }
        assert_eq!(lines.read_line().unwrap(), Line::End);
        assert_eq!(lines.read_line().unwrap(), Line::End);
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_byte_more_is_told_once() {
        for limit in [1, 2, 7, USUAL, USUAL + 1, 3 * USUAL] {
            let mut text = vec![b'x'; limit - 1];
            text.push(b'\n');
            text.extend(vec![b'y'; limit]);
            text.extend(b"\nafter\n");
            let mut lines = LineReader::with_limit(&text[..], limit);
            if limit > 1 {
                assert_eq!(lines.read_line().unwrap(), Line::Whole(&text[..limit - 1]));
            }
            assert_eq!(lines.read_line().unwrap(), Line::TooLong { limit });
            assert_eq!(lines.read_line().unwrap(), Line::End);
        }
    }

    #[test]
    fn an_error_in_mid_line_loses_nothing() {
        let mut lines = LineReader::new(pieces([
            Ok("one\ntw"),
            Err(ErrorKind::WouldBlock),
            Err(ErrorKind::Interrupted),
            Ok("o"),
            Err(ErrorKind::TimedOut),
            Ok("\r"),
            Err(ErrorKind::ConnectionReset),
            Ok("\nth"),
        ]));
        assert_eq!(lines.read_line().unwrap(), Line::Whole(b"one"));
        for kind in [
            ErrorKind::WouldBlock,
            ErrorKind::TimedOut,
            ErrorKind::ConnectionReset,
        ] {
            assert_eq!(lines.read_line().unwrap_err().kind(), kind);
        }
        assert_eq!(lines.read_line().unwrap(), Line::Whole(b"two"));
        assert_eq!(lines.read_line().unwrap(), Line::Cut { bytes: 2 });
        assert_eq!(lines.read_line().unwrap(), Line::End);
    }

    #[test]
    fn a_long_line_is_not_held_for_ever() {
        let mut text = vec![b'x'; 20 * USUAL];
        text.extend(b"\nshort\n");
        let long = text.len() - b"\nshort\n".len();
        let mut lines = LineReader::new(Pieces(
            [Ok(text[..=long].to_vec()), Ok(text[long + 1..].to_vec())].into(),
        ));
        assert_eq!(lines.read_line().unwrap(), Line::Whole(&text[..long]));
        assert_eq!(lines.read_line().unwrap(), Line::Whole(b"short"));
        assert_eq!(lines.buffer.capacity(), USUAL);
    }
}
