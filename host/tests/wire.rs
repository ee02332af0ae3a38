//! The socket's lines against hostile bytes: any chunks, any content, bounded memory.
//!
//! `RINGBUS_FUZZ_CASES` sets how many cases each property gets.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use proptest::sample::Index;
use ringbus_host::{Command, Line, LineReader, MAX_LINE, Reply};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, ErrorKind, Read};

/// Lines that mean something, one a line, to be spoilt.
const CORPUS: &str = include_str!("corpus/wire.jsonl");

fn config() -> ProptestConfig {
    let cases = std::env::var("RINGBUS_FUZZ_CASES").ok();
    ProptestConfig {
        cases: cases.map_or(256, |cases| {
            cases.parse().expect("RINGBUS_FUZZ_CASES: a number")
        }),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Gives `bytes` out in pieces of the given lengths, over and over; a length of 0 is a timeout.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = *self.lengths.next().unwrap();
        if length == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = length.min(self.bytes.len()).min(buffer.len());
        self.bytes
            .split_at(length)
            .0
            .iter()
            .zip(buffer)
            .for_each(|(from, to)| *to = *from);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

#[derive(Debug, PartialEq)]
enum Seen {
    Whole(Vec<u8>),
    TooLong,
    Cut(usize),
}

/// The whole stream at once: the oracle.
fn naive(bytes: &[u8], limit: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if line.len() > limit || (line.len() == limit && !line.ends_with(b"\n")) {
            seen.push(Seen::TooLong);
            break;
        }
        let Some(whole) = line.strip_suffix(b"\n") else {
            seen.push(Seen::Cut(line.len()));
            break;
        };
        let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
        if !whole.is_empty() {
            seen.push(Seen::Whole(whole.to_vec()));
        }
    }
    seen
}

fn read_all<R: Read>(mut lines: LineReader<R>) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        match lines.read_line() {
            Ok(Line::Whole(line)) => seen.push(Seen::Whole(line.to_vec())),
            Ok(Line::TooLong { .. }) => seen.push(Seen::TooLong),
            Ok(Line::Cut { bytes }) => seen.push(Seen::Cut(bytes)),
            Ok(Line::End) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert_eq!(lines.read_line().unwrap(), Line::End);
    seen
}

/// Bytes in which newlines are not rare.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\n'), 2 => Just(b'\r'), 5 => any::<u8>()];
    prop::collection::vec(byte, 0..300)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_split_of_the_stream_gives_the_same_lines(
        bytes in stream(),
        mut lengths in prop::collection::vec(0..40_usize, 0..8),
        limit in 1..64_usize,
    ) {
        lengths.push(1); // there is progress
        let lengths = lengths.iter().cycle();
        let pieces = Pieces { bytes: &bytes, lengths };
        prop_assert_eq!(read_all(LineReader::with_limit(pieces, limit)), naive(&bytes, limit));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse_both(&bytes);
    }

    #[test]
    fn spoilt_lines_are_values_or_errors(
        seed in any::<Index>(),
        other in any::<Index>(),
        spoils in prop::collection::vec((0..6_u8, any::<Index>(), any::<u8>()), 1..6),
    ) {
        let corpus: Vec<&[u8]> = CORPUS.lines().map(str::as_bytes).collect();
        let mut line = seed.get(&corpus).to_vec();
        let other = *other.get(&corpus);
        for (kind, at, byte) in spoils {
            spoil(&mut line, other, kind, at, byte);
        }
        parse_both(&line);
    }
}

fn spoil(line: &mut Vec<u8>, other: &[u8], kind: u8, at: Index, byte: u8) {
    let at = at.index(line.len() + 1);
    match kind {
        0 => line.insert(at, byte),
        1 => line.truncate(at),
        2 => drop(line.splice(at.., other.iter().copied().skip(at))),
        3 => line.insert(at, b"{}[]\",:\\0-"[usize::from(byte) % 10]),
        4 if at < line.len() => line[at] ^= 1 << (byte % 8),
        _ => drop(line.drain(at..(at + usize::from(byte)).min(line.len()))),
    }
}

/// What parses comes back the same, in one line.
fn parse_both(line: &[u8]) {
    match Command::parse(line) {
        Ok(command) => {
            let again = command.to_line();
            assert_eq!(
                again.iter().position(|&byte| byte == b'\n'),
                Some(again.len() - 1)
            );
            assert_eq!(Command::parse(&again).unwrap(), command);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match Reply::parse(line) {
        Ok(reply) => assert_eq!(Reply::parse(&reply.to_line()).unwrap(), reply),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn the_whole_corpus_means_something() {
    for line in CORPUS.lines().map(str::as_bytes) {
        assert!(Command::parse(line).is_ok() || Reply::parse(line).is_ok());
    }
}

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(add: usize, remove: usize) {
    // A thread that is ending has no count, and needs none.
    let _ = HELD.try_with(|held| {
        held.set((held.get() + add).saturating_sub(remove));
        MOST.with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_endless_line_is_never_held_beyond_the_limit() {
    let before = HELD.with(Cell::get);
    MOST.with(|most| most.set(before));
    let mut lines = LineReader::new(io::repeat(b'x'));
    let line = lines.read_line().unwrap();
    assert_eq!(line, Line::TooLong { limit: MAX_LINE });
    let most = MOST.with(Cell::get) - before;
    assert_eq!(most, MAX_LINE);
    assert_eq!(
        HELD.with(Cell::get),
        before,
        "nothing is held of it once it was told"
    );
}
