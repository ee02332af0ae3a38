//! A server of the test's own.

use ringbus_host::{Command, Line, LineReader, Reply};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// A server that greets and takes one subscriber at a time.
pub struct Server {
    folder: TempDir,
    pub listener: Option<UnixListener>,
}

impl Server {
    pub fn new() -> Self {
        let mut server = Server {
            folder: tempfile::tempdir().unwrap(),
            listener: None,
        };
        server.open();
        server
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub fn open(&mut self) {
        self.listener = Some(UnixListener::bind(self.path()).unwrap());
    }

    pub fn close(&mut self) {
        self.listener = None;
        fs::remove_file(self.path()).unwrap();
    }

    /// A client that has not been greeted.
    pub fn accept(&self) -> Client {
        let listener = self.listener.as_ref().unwrap();
        let limit = Timespec::try_from(Duration::from_secs(20)).unwrap();
        let ready = poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&limit));
        assert_eq!(ready.unwrap(), 1, "nobody connects");
        let stream = listener.accept().unwrap().0;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Client(LineReader::new(stream))
    }

    /// A client that waits for the answer to its subscription.
    pub fn asked(&self) -> (Client, Command) {
        let mut client = self.accept();
        client.say(&json!({"version": "1.0"}));
        let command = client.command();
        assert_eq!(command.cmd, "event_subscribe");
        (client, command)
    }

    pub fn subscribed(&self) -> Client {
        let (client, _) = self.asked();
        client.say(&json!({"status": true, "response": "subscribed"}));
        client
    }
}

pub struct Client(LineReader<UnixStream>);

impl Client {
    pub fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }

    pub fn say(&self, line: &Value) {
        self.stream()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    pub fn event(&self, number: u32) -> Value {
        let event = json!({"type": "state", "opts": {"pool": "tank", "n": number}});
        self.stream()
            .write_all(&Reply::Response(event.clone()).to_line())
            .unwrap();
        event
    }

    pub fn command(&mut self) -> Command {
        match self.0.read_line().unwrap() {
            Line::Whole(line) => Command::parse(line).unwrap(),
            other => panic!("no command: {other:?}"),
        }
    }
}
