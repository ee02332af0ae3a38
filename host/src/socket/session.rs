//! One client's conversation: its commands one by one, until it has no more and its subscriptions have ended.

use super::command::{CommandError, Outcome};
use super::connection::Connection;
use super::pump::Pump;
use super::shared::{MAX_REPORTED_LINE, Shared};
use crate::event::{CommandState, Event};
use crate::wire::{Command, Line, LineReader, Reply};
use ringbus::SubscriberId;
use serde_json::Value;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

/// Deep JSON, and the methods of the host, run on it.
const STACK: usize = 1 << 20;

/// Deep JSON is written on it.
const PUMP_STACK: usize = 256 << 10;

/// Runs on the connection's own thread.
pub(super) struct Session {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    seat: u64,
    pumps: Vec<(SubscriberId, JoinHandle<()>)>,
}

impl Session {
    pub(super) fn spawn(
        shared: Arc<Shared>,
        connection: Arc<Connection>,
        seat: u64,
    ) -> io::Result<JoinHandle<()>> {
        spawn("ringbus-client", STACK, move || {
            let mut session = Session {
                shared,
                connection,
                seat,
                pumps: Vec::new(),
            };
            session.run();
        })
    }

    fn run(&mut self) {
        let peer = self.connection.peer;
        tracing::debug!(seat = self.seat, ?peer, "a client came");
        if self.write(&self.shared.greeting) {
            self.converse();
        }
        self.connection.outlast();
    }

    fn converse(&mut self) {
        let connection = Arc::clone(&self.connection);
        let limit = self.shared.limits.line;
        let mut lines = LineReader::with_limit(connection.outlet.stream(), limit);
        loop {
            match lines.read_line() {
                Ok(Line::Whole(line)) => {
                    if self.answer(line).is_break() {
                        return;
                    }
                }
                Ok(Line::TooLong { limit }) => {
                    let message = format!("the line is too long: at most {limit} bytes");
                    if self.write(&Reply::Failure { message }.to_line()) {
                        connection.outlet.linger();
                    }
                    return connection.outlet.close();
                }
                Ok(Line::End | Line::Cut { .. }) => return,
                Err(error) => {
                    tracing::debug!(seat = self.seat, "reading: {error}");
                    return;
                }
            }
        }
    }

    fn answer(&mut self, line: &[u8]) -> ControlFlow<()> {
        let shared = Arc::clone(&self.shared);
        let Some(busy) = shared.lobby.begin_command() else {
            return ControlFlow::Break(());
        };
        let (reply, go) = match Command::parse(line) {
            Ok(command) => self.execute(line, command),
            Err(error) => (failure(&error), None),
        };
        // A client that does not take its reply is busy with nothing.
        drop(busy);
        if !self.write(&reply) {
            return ControlFlow::Break(());
        }
        if let Some(Begin { go, own }) = go {
            let _ = go.send(own); // a pump waits for it, and for nothing else
        }
        ControlFlow::Continue(())
    }

    /// The reply, and what a new subscription waits for to begin.
    fn execute(&mut self, line: &[u8], command: Command) -> (Vec<u8>, Option<Begin>) {
        let shared = Arc::clone(&self.shared);
        let id = shared.commands.fetch_add(1, Ordering::Relaxed) + 1; // a number of its own
        let report = |state| {
            shared.manager.report_shared(Event::Management {
                id,
                cmd: command.cmd.clone(),
                opts: reported(&command, line),
                state,
            })
        };
        report(CommandState::Run);
        let done =
            shared
                .run(&self.connection, id, line, &command)
                .and_then(|outcome| match outcome {
                    Outcome::Response(value) => Ok((Reply::Response(value).to_line(), None)),
                    Outcome::Subscribed(pump) => {
                        let go = self.start_pump(*pump)?;
                        Ok((Reply::Response("subscribed".into()).to_line(), Some(go)))
                    }
                });
        let end = report(match done {
            Ok(_) => CommandState::Done,
            Err(_) => CommandState::Failed,
        });
        match done {
            Ok((reply, go)) => (reply, go.map(|go| Begin { go, own: end })),
            Err(error) => (failure(&error), None),
        }
    }

    fn start_pump(&mut self, pump: Pump) -> Result<Sender<Arc<Event>>, CommandError> {
        let id = pump.id();
        let (go, wait) = channel();
        self.connection.add_pump();
        let body = move || {
            // Without a word there was no reply, and the connection ends.
            pump.run(wait.recv().ok());
        };
        match spawn("ringbus-pump", PUMP_STACK, body) {
            Ok(thread) => {
                self.pumps.push((id, thread));
                Ok(go)
            }
            Err(error) => {
                self.connection.forget_pump();
                Err(CommandError::Thread(error))
            }
        }
    }

    fn write(&self, line: &[u8]) -> bool {
        let written = self.connection.outlet.write(line);
        if let Err(error) = &written {
            tracing::debug!(seat = self.seat, "writing: {error}");
        }
        written.is_ok()
    }
}

/// What a new subscription waits for.
struct Begin {
    go: Sender<Arc<Event>>,
    /// The end of the command that made it.
    own: Arc<Event>,
}

/// What is reported of a command's opts. As values they take a hundred times the memory of their text, and stay for a lap.
fn reported(command: &Command, line: &[u8]) -> Value {
    if line.len() > MAX_REPORTED_LINE {
        format!("[{} bytes]", line.len()).into()
    } else {
        Value::Object(command.opts.clone())
    }
}

/// Also when its thread panics.
impl Drop for Session {
    fn drop(&mut self) {
        for (id, _) in &self.pumps {
            self.shared.manager.unsubscribe(*id);
        }
        self.connection.outlet.close();
        for (_, pump) in self.pumps.drain(..) {
            let _ = pump.join(); // a panic of its was told by the hook
        }
        tracing::debug!(seat = self.seat, "a client left");
        self.shared.lobby.leave(self.seat);
    }
}

fn failure(error: &dyn std::error::Error) -> Vec<u8> {
    let message = error.to_string();
    Reply::Failure { message }.to_line()
}

/// A thread with a small stack.
fn spawn(
    name: &str,
    stack: usize,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack)
        .spawn(body)
}
