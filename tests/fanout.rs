//! The example `fanout` as its users run it: a process, its tables and its exit code.
#![allow(clippy::disallowed_types)] // an example's modules are no part of the library

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

// The parts that can be tested alone bring their tests along.
#[path = "common/example.rs"]
mod example;
#[path = "../examples/fanout/line.rs"]
#[allow(dead_code)] // the example uses the rest
mod line;
#[path = "../examples/fanout/pace.rs"]
mod pace;
#[path = "../examples/fanout/work.rs"]
#[allow(dead_code)]
mod work;

#[test]
fn a_file() {
    let folder = Folder::new();
    let file = folder.file("text", b"one two\n\nthree three\nfour");
    let run = fanout([path(&file)]);
    run.succeeded();
    run.everybody_healthy_saw(3, "4");
    assert_eq!(run.cell("lines", 1), "4");
    assert_eq!(run.cell("bytes", 1), "25");
    assert_eq!(run.cell("longest line, bytes", 1), "11");
    assert_eq!(run.cell("words", 1), "5");
    assert_eq!(run.cell("lines", 2), "three", "the most frequent word");
    assert_eq!(run.cell("slow-1", 5), "not dropped");
    assert_eq!(run.cell("slow-1", 6), "the input ended first");
}

#[test]
fn lines_are_bytes() {
    let folder = Folder::new();
    let file = folder.file("text", b"\xff\xfe caf\xe9\n\0\n\xc3\x28\r\nlast \x80");
    let run = fanout([path(&file)]);
    run.succeeded();
    run.everybody_healthy_saw(3, "4");
    assert_eq!(run.cell("bytes", 1), "20");
}

#[test]
fn long_lines_travel_in_pieces() {
    let folder = Folder::new();
    let file = folder.file(
        "text",
        &[vec![b'x'; 10_000], b"\nshort\n".to_vec()].concat(),
    );
    let run = fanout([path(&file)]);
    run.succeeded();
    run.everybody_healthy_saw(3, "4"); // 4,096 + 4,096 + 1,809, and the short one
    assert_eq!(run.cell("lines", 1), "2");
    assert_eq!(run.cell("longest line, bytes", 1), "10,000");
}

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    let file = folder.file("text", b"");
    let run = fanout([path(&file)]);
    run.succeeded();
    run.everybody_healthy_saw(3, "0");
}

#[test]
fn standard_input_between_files() {
    let folder = Folder::new();
    let file = folder.file("text", b"a file\n");
    let mut child = start([path(&file), "-", path(&file)]);
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(b"typed\nand typed\n").expect("it reads");
    drop(input);
    let run = Run::new(child.wait_with_output().expect("it ends"));
    run.succeeded();
    run.everybody_healthy_saw(3, "4");
}

#[test]
fn a_directory() {
    let folder = Folder::new();
    folder.file("b.txt", b"one\ntwo\n");
    folder.file("a/deep/c", b"three");
    folder.file("binary", b"not\0text\n");
    folder.file("empty", b"");
    folder.file(".hidden/d", b"not seen\n");
    folder.file(
        "cache/CACHEDIR.TAG",
        b"Signature: 8a477f597d28d172789f06886806bc55\n",
    );
    folder.file("cache/e", b"not seen\n");
    let run = fanout([path(folder.0.path())]);
    run.succeeded();
    run.everybody_healthy_saw(3, "3");
    assert_eq!(run.cell("bytes", 1), "13");
}

#[test]
fn the_projects_own_sources_by_default() {
    let run = fanout(["--seconds", "0.2"]);
    run.succeeded();
    let events = run.cell("events", 1);
    assert_ne!(events, "0");
    run.everybody_healthy_saw(3, &events);
}

#[test]
fn the_numbers_of_subscribers_are_as_asked() {
    let folder = Folder::new();
    let file = folder.file("text", b"one\ntwo\n");
    let run = fanout([path(&file), "--subscribers", "5", "--slow", "0"]);
    run.succeeded();
    run.everybody_healthy_saw(5, "2");
    assert!(run.row("slow-1").is_none());

    let run = fanout([path(&file), "--subscribers", "0", "--slow", "2"]);
    run.succeeded();
    run.everybody_healthy_saw(0, "2");
    assert!(run.row("slow-2").is_some());
}

#[test]
fn at_a_rate_the_slow_one_is_lapped() {
    const LINES: usize = 80_000; // more than a ring
    let folder = Folder::new();
    let file = folder.file("text", &b"some words\n".repeat(LINES));
    let run = fanout([path(&file), "--rate", "50000", "--subscribers", "2"]);
    run.succeeded();
    run.everybody_healthy_saw(2, "80,000");
    assert_eq!(run.cell("slow-1", 5), "dropped");
    assert_eq!(run.cell("slow-1", 6), "lapped");
}

#[test]
fn without_a_rate_the_slow_one_is_dropped_for_standing_still() {
    const LINES: usize = 5_000; // many rings
    let folder = Folder::new();
    let file = folder.file("text", &b"some words\n".repeat(LINES));
    let run = fanout([path(&file), "--rate", "0", "--capacity", "256"]);
    run.succeeded();
    run.everybody_healthy_saw(3, "5,000");
    assert_eq!(run.cell("slow-1", 5), "dropped");
    assert_eq!(run.cell("slow-1", 6), "stalled");
}

#[test]
fn a_time_limit_ends_it_though_the_input_does_not() {
    let mut child = start(["-", "--seconds", "0.2"]);
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(b"typed\n").expect("it reads");
    let output = child.wait().expect("it ends"); // with the input still open
    assert_eq!(output.code(), Some(0));
}

#[test]
fn bad_input_is_one_line_and_exit_code_2() {
    let folder = Folder::new();
    fanout([path(folder.0.path())]).refused("no text in");
    folder.file("binary", b"\0");
    fanout([path(folder.0.path())]).refused("no text in");
    let file = folder.file("text", b"text\n");
    fanout([path(&file), "no such file"]).refused("cannot read no such file: ");
    fanout(["no\nsuch\nfile"]).refused(r"cannot read no\nsuch\nfile: ");
    fanout([""]).refused("FILE");
}

#[test]
fn bad_options_are_one_line_and_exit_code_2() {
    fanout(["--no-such-option"]).refused("--no-such-option");
    fanout(["--rate"]).refused("--rate");
    fanout(["--rate", "fast"]).refused("--rate");
    fanout(["--rate", "-1"]).refused("-1");
    fanout(["--seconds", "nan"]).refused("--seconds");
    fanout(["--slow", "1000000"]).refused("--slow");
    fanout(["--capacity", &usize::MAX.to_string()]).refused("memory");
    fanout(["--cores", "0,x"]).refused("--cores");
}

#[test]
#[cfg(target_os = "linux")] // elsewhere a pin may be a no-op
fn a_core_that_cannot_be_had_is_one_line_and_exit_code_2() {
    fanout(["--cores", "9999"]).refused("core 9999");
    // Alone, the publisher has a core.
    let core = ringbus::affinity::cores()[0].to_string();
    let run = fanout(["--cores", &core, "--seconds", "0.1"]);
    run.succeeded();
    assert_eq!(run.cell("healthy-1", 1), core);
    fanout(["--cores", &format!("{core},9999")]).refused("core 9999");
}

#[test]
fn help_is_no_failure() {
    let run = fanout(["--help"]);
    run.succeeded();
    assert!(run.output.contains("--rate"));
}

#[test]
#[cfg(target_os = "linux")] // where a process can be asked whether it catches the signal
fn ctrl_c_ends_it_with_the_table() {
    let mut child = start(["-"]); // which nobody closes
    let process = procfs::process::Process::new(child.id() as i32).expect("it runs");
    const INTERRUPT: u64 = 1 << 1; // signal 2, counted from 1
    while process.status().expect("it runs").sigcgt & INTERRUPT == 0 {
        assert!(
            child.try_wait().expect("it can be waited for").is_none(),
            "it ended too soon"
        );
        std::thread::yield_now();
    }
    let mut kill = Command::new("kill");
    let kill = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let input = child.stdin.take();
    let run = Run::new(child.wait_with_output().expect("it ends"));
    drop(input);
    run.succeeded();
    run.everybody_healthy_saw(3, "0");
}

/// What came of a run.
struct Run {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Run {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        let (code, errors) = (output.status.code(), text(output.stderr));
        Self {
            code,
            output: text(output.stdout),
            errors,
        }
    }

    #[track_caller]
    fn succeeded(&self) {
        assert_eq!((self.code, &*self.errors), (Some(0), ""), "{}", self.output);
    }

    /// Exit code 2, nothing on standard output, one line on standard error.
    #[track_caller]
    fn refused(&self, because: &str) {
        assert_eq!((self.code, &*self.output), (Some(2), ""), "{}", self.errors);
        assert_eq!(self.errors.lines().count(), 1, "{}", self.errors);
        assert!(self.errors.starts_with("fanout: "), "{}", self.errors);
        assert!(self.errors.contains(because), "{}", self.errors);
    }

    #[track_caller]
    fn everybody_healthy_saw(&self, subscribers: usize, events: &str) {
        assert_eq!(self.cell("events", 1), events);
        for n in 1..=subscribers {
            let name = format!("healthy-{n}");
            assert_eq!(self.cell(&name, 2), events, "{name}");
            assert_eq!(self.cell(&name, 3), "0", "{name} lags");
            assert_eq!(self.cell(&name, 5), "read everything", "{name}");
        }
        assert!(self.row(&format!("healthy-{}", subscribers + 1)).is_none());
    }

    /// The cells of a table's row, by its first.
    fn row(&self, name: &str) -> Option<Vec<&str>> {
        self.output.lines().find_map(|line| {
            let line = line.trim_matches('│');
            let cells: Vec<&str> = line.split('┆').map(str::trim).collect();
            (cells[0] == name).then_some(cells)
        })
    }

    #[track_caller]
    fn cell(&self, row: &str, column: usize) -> String {
        let Some(cells) = self.row(row) else {
            panic!("no {row} in\n{}", self.output)
        };
        cells[column].into()
    }
}

fn fanout<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let child = start(arguments);
    Run::new(child.wait_with_output().expect("it ends"))
}

fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Child {
    Command::new(example())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example runs")
}

/// The example, built once.
fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| example::built("fanout"))
}

/// A folder of its own for a test, gone at its end.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"));
        Self(folder.expect("the target folder can be written"))
    }

    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        let folder = file.parent().expect("it is in the folder");
        fs::create_dir_all(folder).expect("the folder can be written");
        fs::write(&file, text).expect("the folder can be written");
        file
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the project is at a path in UTF-8")
}
