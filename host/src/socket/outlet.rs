//! What is written to a client: whole lines, by one thread at a time, within a deadline.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that is read from a client that is told to go, in bytes.
const LINGER: usize = 16 << 20;

/// The sending side of a client's socket.
#[derive(Debug)]
pub(super) struct Outlet {
    stream: UnixStream,
    deadline: Duration,
    /// Whoever has it writes.
    turn: Mutex<()>,
}

impl Outlet {
    pub(super) fn new(stream: UnixStream, deadline: Duration) -> Self {
        Outlet {
            stream,
            deadline,
            turn: Mutex::new(()),
        }
    }

    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Writes whole lines, or disconnects. Blocks for the deadline at most, after whoever writes already.
    ///
    /// # Errors
    /// The peer is gone; [`TimedOut`](ErrorKind::TimedOut): it did not take all in time.
    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.write_all(lines);
        if written.is_err() {
            // Perhaps in mid-line: nothing may follow, and nothing can.
            self.close();
        }
        written
    }

    /// Disconnects: whoever reads or writes finds out at once. Never blocks.
    pub(super) fn close(&self) {
        self.shut(Shutdown::Both);
    }

    /// Whoever reads finds the end. Never blocks.
    pub(super) fn stop_reading(&self) {
        self.shut(Shutdown::Read);
    }

    /// Waits until the peer is gone altogether, or we are.
    pub(super) fn wait_hang_up(&self) {
        // Which is told whatever is asked for.
        let _ = self.poll(PollFlags::empty(), None);
    }

    /// Ends the stream, then reads what the peer still sends, so that it reads our last words before it finds us gone.
    /// Blocks for the deadline at most.
    pub(super) fn linger(&self) {
        self.shut(Shutdown::Write);
        let deadline = Instant::now().checked_add(self.deadline);
        let (mut left, mut scratch) = (LINGER, [0; 4096]);
        while left > 0 && matches!(self.poll(PollFlags::IN, deadline), Ok(true)) {
            match recv(&self.stream, &mut scratch[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => return,
                Ok((read, _)) => left = left.saturating_sub(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now().checked_add(self.deadline);
        while !bytes.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match send(&self.stream, bytes, flags) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.poll(PollFlags::OUT, deadline)? {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for a sign of the socket's; false if the deadline came first.
    fn poll(&self, signs: PollFlags, deadline: Option<Instant>) -> Result<bool, Errno> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A time that cannot be told to the kernel is as good as for ever.
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.stream, signs)], timeout.as_ref()) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// It fails only if the peer is gone, and then it need not succeed.
    fn shut(&self, how: Shutdown) {
        let _ = shutdown(&self.stream, how);
    }
}
