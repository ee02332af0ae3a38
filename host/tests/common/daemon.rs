//! A real `eventd`, in a directory of its own, and clients of a socket.
#![allow(dead_code, clippy::disallowed_types, clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

/// Long enough for any machine, so that nothing depends on it but how a failure ends.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A directory that is removed at the end.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Looks again and again until `done`, leaving the cores to others.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LONG, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A daemon that runs; killed if the test ends before it.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) socket: PathBuf,
    log: PathBuf,
    _scratch: Option<Scratch>,
}

impl Daemon {
    /// In a directory of its own.
    pub(crate) fn start(options: &[&str]) -> Self {
        let scratch = Scratch::new();
        let socket = scratch.path("socket");
        let mut daemon = Self::start_at(&socket, options);
        daemon._scratch = Some(scratch);
        daemon
    }

    pub(crate) fn start_at(socket: &Path, options: &[&str]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_eventd")), socket, options)
    }

    /// By a command that ends in running the daemon with the options that follow. Waits until it serves.
    pub(crate) fn start_by(mut command: Command, socket: &Path, options: &[&str]) -> Self {
        let log = socket.with_extension("log");
        let child = command
            .arg("--socket")
            .arg(socket)
            .args(options)
            .stdin(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut daemon = Daemon {
            child,
            socket: socket.to_owned(),
            log,
            _scratch: None,
        };
        until("it serves", || {
            let ended = daemon.child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", daemon.log());
            daemon.log().contains("serving on")
        });
        daemon
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A client that has read its greeting.
    pub(crate) fn client(&self) -> Client {
        Client::greeted(&self.socket)
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap();
        // SAFETY: takes no memory; the process is our child, and not waited for yet.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        until("it ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Ends it by a signal, as it should end.
    pub(crate) fn end(&mut self, signal: libc::c_int) {
        self.signal(signal);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{status}: {}", self.log());
        assert!(!self.socket.exists(), "the socket is removed");
        assert!(
            !self.log().contains("panicked"),
            "a panic in it: {}",
            self.log()
        );
    }

    /// The kernel's account of it.
    pub(crate) fn status(&self) -> procfs::process::Status {
        let pid = self.child.id().try_into().unwrap();
        let process = procfs::process::Process::new(pid).unwrap();
        process.status().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the daemon said:\n{}", self.log());
        }
    }
}

/// A client of a socket.
#[derive(Debug)]
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        Client(BufReader::new(stream))
    }

    pub(crate) fn greeted(socket: &Path) -> Self {
        let mut client = Self::connect(socket);
        let greeting = client.line();
        assert!(greeting.starts_with("{\"version\":\""), "{greeting}");
        client
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn half_close(&self) {
        self.stream().shutdown(Shutdown::Write).unwrap();
    }

    /// The next line, without its newline; none at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                assert_eq!(line.pop(), Some('\n'), "half a line: {line}");
                Some(line)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn line(&mut self) -> String {
        self.next().expect("a line, not the end")
    }

    /// The next line, as JSON.
    pub(crate) fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Sends a command and reads its reply.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.line()
    }

    /// Subscribes, with a filter.
    pub(crate) fn subscribe(&mut self, filter: &str) {
        let command = format!(r#"{{"cmd":"event_subscribe","opts":{filter}}}"#);
        assert_eq!(self.ask(&command), SUBSCRIBED);
    }

    /// Reports one event.
    pub(crate) fn broadcast(&mut self, kind: &str, opts: &str) {
        assert_eq!(self.ask(&broadcast(kind, opts)), NULL);
    }

    /// Everything until the end of the stream.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

pub(crate) const SUBSCRIBED: &str = r#"{"status":true,"response":"subscribed"}"#;
pub(crate) const NULL: &str = r#"{"status":true,"response":null}"#;
pub(crate) const PONG: &str = r#"{"status":true,"response":"pong"}"#;
pub(crate) const SHUTDOWN: &str =
    r#"{"status":true,"response":{"type":"osctld_shutdown","opts":{}}}"#;

/// The command that reports one event.
pub(crate) fn broadcast(kind: &str, opts: &str) -> String {
    format!(
        r#"{{"cmd":"event_broadcast","opts":{{"events":[{{"type":"{kind}","opts":{opts}}}]}}}}"#
    )
}

/// How an event is told.
pub(crate) fn told(kind: &str, opts: &str) -> String {
    format!(r#"{{"status":true,"response":{{"type":"{kind}","opts":{opts}}}}}"#)
}

pub(crate) fn failure(message: &str) -> String {
    format!(r#"{{"status":false,"message":{}}}"#, Value::from(message))
}

/// Runs a Python program with arguments: what it wrote.
pub(crate) fn python(program: &str, arguments: &[&Path]) -> String {
    let output = Command::new("python3")
        .args(["-c", program])
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("these tests need python3: {error}"));
    let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "python3: {}: {err}", output.status);
    String::from_utf8(out.clone()).unwrap()
}
