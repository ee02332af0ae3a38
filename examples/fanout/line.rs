//! One line of text as an event, and cutting a stream into lines.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// A line as it was read: bytes, valid UTF-8 or not, the line break included.
///
/// The text is shared, so that a replayed line costs a reference count, not a copy.
#[derive(Clone, Debug)]
pub struct Line {
    text: Arc<[u8]>,
    ends: bool,
}

/// A line longer than this travels as several events, so that input without line
/// breaks fills the ring with at most so much per slot.
pub const LONGEST_PIECE: usize = 4096;

impl Line {
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the line is complete with this: false for all but the last piece of a long one.
    pub fn ends(&self) -> bool {
        self.ends
    }
}

/// The lines of one stream.
#[derive(Debug)]
pub struct Lines<R> {
    stream: R,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next line or piece of one; `None` at the end. The last line needs no line break.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        self.buffer.clear();
        let mut piece = (&mut self.stream).take(LONGEST_PIECE as u64);
        if piece.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        // Only a full piece leaves it open: a shorter one without line break is the end.
        let ends = self.buffer.len() < LONGEST_PIECE
            || self.buffer.ends_with(b"\n")
            || self.stream.fill_buf()?.is_empty();
        Ok(Some(Line {
            text: self.buffer.as_slice().into(),
            ends,
        }))
    }
}

impl<R: Read> Lines<io::BufReader<R>> {
    /// Whether the next line is here already, so that asking for it cannot block.
    pub fn is_ready(&self) -> bool {
        self.stream.buffer().contains(&b'\n')
    }
}
