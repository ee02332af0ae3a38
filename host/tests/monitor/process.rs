//! The example as a process.

use super::example;
use super::server::Server;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::OnceLock;

/// The running example; killed if the test fails.
pub struct Monitor(pub Child);

impl Monitor {
    pub fn command(server: &Server, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(example());
        command.arg("--socket").arg(server.path()).args(arguments);
        command
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    pub fn start(server: &Server, arguments: &[&str]) -> (Self, BufReader<ChildStdout>) {
        let mut command = Self::command(server, arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        (Monitor(child), out)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// How it ended, and what it said on standard error, by line.
    pub fn end(mut self) -> (ExitStatus, Vec<String>) {
        let mut said = String::new();
        let mut errors = self.0.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        let status = self.0.wait().unwrap();
        (status, said.lines().map(str::to_owned).collect())
    }

    pub fn end_by(self, signal: Signal) -> Vec<String> {
        self.signal(signal);
        let (status, said) = self.end();
        assert_eq!(status.code(), Some(0), "{said:?}");
        said
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example, built once.
fn example() -> &'static PathBuf {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| example::built("monitor"))
}
