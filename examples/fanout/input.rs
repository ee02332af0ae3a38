//! Where the lines come from: files, directories, standard input, or this project's
//! own sources over and over.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;
use crate::line::{Line, Lines};

/// The lines to report, one after the other.
#[derive(Debug)]
pub enum Input {
    /// Lines in memory, without an end.
    Replay { lines: Vec<Line>, next: usize },
    /// Lines as a thread of its own reads them, which may block for ever.
    Stream {
        blocks: Receiver<Block>,
        current: std::vec::IntoIter<Line>,
        /// How many bytes there will be, if that is known.
        size: Option<u64>,
    },
}

/// What asking for a line comes to.
#[derive(Debug)]
pub enum Next {
    Line(Line),
    /// None yet.
    Pending,
    End,
    /// The input cannot be read any further, and why.
    Broken(String),
}

type Block = Result<Vec<Line>, String>;

/// How many lines travel from the reading thread at once, and how many such blocks may wait.
const BLOCK_LINES: usize = 256;
const BLOCKS_AHEAD: usize = 16;

impl Input {
    /// Opens what the command line names. Whatever can be found wrong before the first
    /// line is read is found here.
    pub fn open(files: &[PathBuf]) -> Result<Self, Failure> {
        if files.is_empty() {
            return Self::own_sources();
        }
        let mut sources = Vec::new();
        for file in files {
            find_sources(file, &mut sources)?;
        }
        let size = sources.iter().map(|source| source.size()).sum();
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        thread::Builder::new()
            .name("fanout-input".into())
            .spawn(move || read_all(&sources, &sender))
            .map_err(Failure::input)?;
        Ok(Self::Stream {
            blocks,
            current: Vec::new().into_iter(),
            size,
        })
    }

    fn own_sources() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut lines = Vec::new();
        for file in text_files(root).filter(|file| is_project_text(file)) {
            let Ok(file) = File::open(file) else { continue };
            let mut file = Lines::new(BufReader::new(file));
            while let Ok(Some(line)) = file.next() {
                lines.push(line);
            }
        }
        if lines.is_empty() {
            let root = root.display();
            return Err(Failure::input(format_args!(
                "no project sources in {root}: name a file"
            )));
        }
        Ok(Self::Replay { lines, next: 0 })
    }

    /// How many bytes there are to read, if that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Replay { .. } => None,
            Self::Stream { size, .. } => *size,
        }
    }

    /// The next line, waiting at most `patience` for it.
    pub fn next(&mut self, patience: Duration) -> Next {
        match self {
            Self::Replay { lines, next } => {
                let line = lines[*next].clone();
                *next = (*next + 1) % lines.len();
                Next::Line(line)
            }
            Self::Stream {
                blocks, current, ..
            } => {
                if let Some(line) = current.next() {
                    return Next::Line(line);
                }
                match blocks.recv_timeout(patience) {
                    Ok(Ok(block)) => {
                        *current = block.into_iter();
                        current.next().map_or(Next::Pending, Next::Line)
                    }
                    Ok(Err(reason)) => Next::Broken(reason),
                    Err(RecvTimeoutError::Timeout) => Next::Pending,
                    Err(RecvTimeoutError::Disconnected) => Next::End,
                }
            }
        }
    }
}

/// One thing to read.
#[derive(Debug)]
enum Source {
    StandardInput,
    File { path: PathBuf, size: Option<u64> },
}

impl Source {
    fn size(&self) -> Option<u64> {
        match self {
            Self::StandardInput => None,
            Self::File { size, .. } => *size,
        }
    }
}

fn find_sources(path: &Path, sources: &mut Vec<Source>) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        sources.push(Source::StandardInput);
        return Ok(());
    }
    let cannot = |error| Failure::input(cannot_read(path, &error));
    let kind = fs::metadata(path).map_err(cannot)?;
    if kind.is_dir() {
        fs::read_dir(path).map_err(cannot)?;
        let before = sources.len();
        sources.extend(text_files(path).filter(|file| is_text(file)).map(|path| {
            let size = fs::metadata(&path).ok().map(|file| file.len());
            Source::File { path, size }
        }));
        if sources.len() == before {
            return Err(Failure::input(format_args!(
                "no text in {}",
                path.display()
            )));
        }
    } else {
        if kind.is_file() {
            // Others, such as pipes, may block, or notice.
            File::open(path).map_err(cannot)?;
        }
        let size = kind.is_file().then_some(kind.len());
        sources.push(Source::File {
            path: path.into(),
            size,
        });
    }
    Ok(())
}

/// The files below a directory, in order, without hidden ones and without caches such
/// as cargo's `target`.
fn text_files(root: &Path) -> impl Iterator<Item = PathBuf> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry) && !is_cache(entry))
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(DirEntry::into_path)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_cache(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && entry.path().join("CACHEDIR.TAG").exists()
}

fn is_project_text(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "md" | "toml"))
}

/// Whether a file can be read, holds anything, and looks like text: no zero byte near its start.
fn is_text(path: &Path) -> bool {
    const ENOUGH: u64 = 8192;
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(ENOUGH).read_to_end(&mut start));
    read.is_ok() && !start.is_empty() && !start.contains(&0)
}

/// Reads everything, in order, until the end or until nobody takes it any more.
fn read_all(sources: &[Source], blocks: &SyncSender<Block>) {
    for source in sources {
        let read = match source {
            Source::StandardInput => read_lines(io::stdin().lock(), blocks)
                .map_err(|error| cannot_read(Path::new("standard input"), &error)),
            Source::File { path, .. } => File::open(path)
                .and_then(|file| read_lines(file, blocks))
                .map_err(|error| cannot_read(path, &error)),
        };
        if let Err(reason) = read {
            // Nobody there any more: nobody to tell either.
            let _ = blocks.send(Err(reason));
            return;
        }
    }
}

fn read_lines(stream: impl Read, blocks: &SyncSender<Block>) -> io::Result<()> {
    const BUFFER: usize = 64 * 1024;
    let mut lines = Lines::new(BufReader::with_capacity(BUFFER, stream));
    let mut block = Vec::new();
    while let Some(line) = lines.next()? {
        block.push(line);
        // What was typed or piped so far goes out before the next read may block.
        if block.len() == BLOCK_LINES || !lines.is_ready() {
            let block = std::mem::take(&mut block);
            if blocks.send(Ok(block)).is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}
