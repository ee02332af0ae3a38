//! A subscription at the daemon.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use ringbus_host::{Command, Line, LineReader, Reply};
use serde_json::{Map, Value};

/// How long the server may take for its greeting, and for its answer to the subscription.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no event.
#[derive(Debug)]
pub enum Failure {
    /// The server does not want this subscription.
    Refused(String),
    /// The server ends the conversation, with these words.
    Ended(String),
    /// There is no server, or it talks nonsense.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(message) => write!(f, "refused: {message}"),
            Failure::Ended(message) | Failure::Broken(message) => f.write_str(message),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Failure::Broken(format!("the server was silent for {PATIENCE:?}"))
            }
            _ => Failure::Broken(format!("lost the server: {error}")),
        }
    }
}

#[derive(Debug)]
pub struct Connection {
    lines: LineReader<UnixStream>,
}

impl Connection {
    /// Connects, and hears the greeting.
    pub fn open(socket: &Path) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket)
            .map_err(|error| Failure::Broken(format!("{}: {error}", socket.display())))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut connection = Connection {
            lines: LineReader::new(stream),
        };
        match connection.reply()? {
            Reply::Greeting { .. } => Ok(connection),
            Reply::Failure { message } => Err(Failure::Ended(message)),
            _ => Err(Failure::Broken("the server does not greet".to_owned())),
        }
    }

    /// Returns when the subscription stands.
    pub fn subscribe(mut self, filter: Map<String, Value>) -> Result<Self, Failure> {
        let command = Command::new("event_subscribe", filter);
        let mut stream = self.lines.get_ref();
        stream.write_all(&command.to_line())?;
        match self.reply()? {
            Reply::Response(_) => {}
            Reply::Failure { message } => return Err(Failure::Refused(message)),
            _ => return Err(Failure::Broken("the server greets twice".to_owned())),
        }
        self.lines.get_ref().set_read_timeout(None)?;
        Ok(self)
    }

    /// Waits for an event.
    pub fn next_event(&mut self) -> Result<Value, Failure> {
        match self.reply()? {
            Reply::Response(event) => Ok(event),
            Reply::Failure { message } => Err(Failure::Ended(message)),
            _ => Err(Failure::Broken("the server greets twice".to_owned())),
        }
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        let broken = |what: String| Err(Failure::Broken(what));
        match self.lines.read_line()? {
            Line::Whole(line) => Reply::parse(line)
                .or_else(|error| broken(format!("the server talks nonsense: {error}"))),
            Line::TooLong { limit } => {
                broken(format!("the server sends lines of over {limit} bytes"))
            }
            Line::End => broken("the server closed the connection".to_owned()),
            Line::Cut { .. } => broken("the server closed the connection in mid-line".to_owned()),
        }
    }
}
