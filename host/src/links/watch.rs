//! Reads the kernel's messages about links from a socket, and returns the changes that they mean.

use super::change::LinkChange;
use super::error::LinksError;
use super::listing::{Listing, Progress};
use super::message::{self, Packet};
use super::table::Table;
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, write};
use rustix::net::{RecvFlags, sockopt};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The group of those who hear of links, for `bind`.
const LINK_GROUP: u32 = libc::RTMGRP_LINK as u32;

/// What the kernel may keep for us while nobody reads, in bytes, if the system grants so much.
const BACKLOG: usize = 1 << 20;

/// More than the kernel puts in one datagram.
const DATAGRAM: usize = 64 * 1024;

/// The links of the network namespace that the opening thread was in: first those that are there, as additions, then
/// every change.
///
/// As an iterator it blocks until there is a change, and ends when it is [stopped](LinksStop::stop). After an error it
/// may be read on: it then asks for all links again, so nothing stays unknown, though what came and went meanwhile does.
///
/// ```no_run
/// use ringbus_host::{LinkAction, Links};
///
/// for change in Links::open()? {
///     let change = change?;
///     match change.action {
///         LinkAction::Add => println!("{} is there", change.name),
///         LinkAction::Rename { new_name } => println!("{} is now {new_name}", change.name),
///         other => println!("{}: {other:?}", change.name),
///     }
/// }
/// # Ok::<(), ringbus_host::LinksError>(())
/// ```
#[derive(Debug)]
pub struct Links {
    socket: Socket,
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
    table: Table,
    ready: VecDeque<LinkChange>,
    /// The table may differ from the kernel's.
    stale: bool,
    losses: u64,
    stop: LinksStop,
}

/// Ends a [`Links`], from any thread.
#[derive(Clone, Debug)]
pub struct LinksStop(Arc<OwnedFd>);

impl LinksStop {
    /// Wakes the reader, if it waits. It gives out what it has read already, then is [`Stopped`](LinksError::Stopped)
    /// for good. Idempotent; never blocks.
    pub fn stop(&self) {
        // It fails only when it would overflow: after 2^64 - 1 stops, and then it is raised already.
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }
}

enum Received {
    Packets(Vec<Packet>),
    /// The kernel had to drop messages.
    Lost,
    Timeout,
}

impl Links {
    /// Subscribes. Needs no privilege.
    ///
    /// # Errors
    /// [`LinksError::System`].
    pub fn open() -> Result<Self, LinksError> {
        Self::open_with_backlog(BACKLOG)
    }

    /// As [`open`](Self::open), with so many bytes (instead of 1 MiB) for what the kernel may keep while nobody reads.
    /// The system may grant less, or more. A change takes from 2 to 4 KiB.
    ///
    /// # Errors
    /// [`LinksError::System`].
    pub fn open_with_backlog(bytes: usize) -> Result<Self, LinksError> {
        let failed = LinksError::system;
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed("opening a route socket"))?;
        sockopt::set_socket_recv_buffer_size_force(&socket, bytes)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, bytes))
            .map_err(|error| failed("sizing a route socket")(error.into()))?;
        socket
            .bind(&SocketAddr::new(0, LINK_GROUP))
            .map_err(failed("subscribing to links"))?;
        let mut address = SocketAddr::new(0, 0);
        socket
            .get_address(&mut address)
            .map_err(failed("subscribing to links"))?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| failed("opening an event")(error.into()))?;
        Ok(Links {
            socket,
            port: address.port_number(),
            sequence: 0,
            buffer: vec![0; DATAGRAM],
            table: Table::default(),
            ready: VecDeque::new(),
            stale: true,
            losses: 0,
            stop: LinksStop(Arc::new(event)),
        })
    }

    /// The next change, or `None` if there is none for so long.
    ///
    /// Blocks, at most about that long.
    ///
    /// # Errors
    /// [`LinksError`]. After any but [`Stopped`](LinksError::Stopped) the next call starts with all links anew.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<LinkChange>, LinksError> {
        self.next_until(Instant::now().checked_add(timeout))
    }

    /// A handle that ends this.
    pub fn stop_handle(&self) -> LinksStop {
        self.stop.clone()
    }

    /// How often the kernel had to drop messages because they were not read in time; each time all links were asked
    /// for anew.
    pub fn losses(&self) -> u64 {
        self.losses
    }

    /// Without a deadline it waits for ever.
    fn next_until(&mut self, deadline: Option<Instant>) -> Result<Option<LinkChange>, LinksError> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(Some(change));
            }
            if self.stale {
                self.resynchronise()?;
            } else {
                match self.receive(deadline)? {
                    Received::Packets(packets) => {
                        for packet in packets {
                            self.table.apply(packet.message, &mut self.ready);
                        }
                    }
                    Received::Lost => {}
                    Received::Timeout => return Ok(None),
                }
            }
            let late = deadline.is_some_and(|deadline| deadline <= Instant::now());
            if late && self.stale {
                return Ok(None); // changes come faster than all links can be listed
            }
        }
    }

    /// Asks for all links. Leaves `stale` if they changed too much meanwhile to be listed whole.
    fn resynchronise(&mut self) -> Result<(), LinksError> {
        self.discard()?;
        self.request()?;
        let mut listing = Listing::new(self.port, self.sequence);
        loop {
            let packets = match self.receive(None)? {
                Received::Packets(packets) => packets,
                Received::Lost | Received::Timeout => return Ok(()),
            };
            for packet in packets {
                match listing.take(packet) {
                    Progress::More => {}
                    Progress::Whole => {
                        listing.enter(&mut self.table, &mut self.ready);
                        self.stale = false;
                        return Ok(());
                    }
                    Progress::Torn => return Ok(()),
                    Progress::Refused(error) => {
                        return Err(LinksError::system("listing links")(error));
                    }
                }
            }
        }
    }

    /// Drops what is queued: older than what is about to be asked for, and with a gap in it.
    fn discard(&mut self) -> Result<(), LinksError> {
        loop {
            match self.read() {
                Ok(_) => {}
                Err(error) if is(&error, Errno::NOBUFS) => {}
                Err(error) if is(&error, Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(LinksError::system("reading a route socket")(error)),
            }
        }
    }

    fn request(&mut self) -> Result<(), LinksError> {
        self.sequence = self.sequence.wrapping_add(1).max(1); // 0 is the kernel's own
        let links = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let mut message = NetlinkMessage::from(links);
        message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket
            .send_to(&bytes, &SocketAddr::new(0, 0), 0)
            .map_err(LinksError::system("asking for links"))?;
        Ok(())
    }

    /// Waits for a datagram. What goes wrong, but for a timeout, leaves `stale`.
    fn receive(&mut self, deadline: Option<Instant>) -> Result<Received, LinksError> {
        loop {
            if !self.wait(deadline)? {
                return Ok(Received::Timeout);
            }
            let (length, from) = match self.read() {
                Ok(read) => read,
                Err(error) if is(&error, Errno::AGAIN) => continue,
                Err(error) => {
                    self.stale = true;
                    if is(&error, Errno::NOBUFS) {
                        self.losses += 1;
                        return Ok(Received::Lost);
                    }
                    return Err(LinksError::system("reading a route socket")(error));
                }
            };
            if from.port_number() != 0 {
                continue; // not the kernel
            }
            let parsed = match self.buffer.get(..length) {
                Some(datagram) => message::parse(datagram),
                None => Err(LinksError::Malformed {
                    reason: format!("{length} bytes are more than {DATAGRAM}"),
                }),
            };
            self.stale |= parsed.is_err();
            return parsed.map(Received::Packets);
        }
    }

    /// One datagram, if there is one: its whole length, which may be more than was read, and who sent it.
    fn read(&mut self) -> io::Result<(usize, SocketAddr)> {
        let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
        self.socket
            .recv_from(&mut &mut self.buffer[..], flags.bits() as i32)
    }

    /// Waits until there is something to read; false if there is nothing until the deadline.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool, LinksError> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A time that cannot be told to the kernel is as good as for ever.
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut waits = [
                PollFd::new(&*self.stop.0, PollFlags::IN),
                PollFd::new(&self.socket, PollFlags::IN),
            ];
            match poll(&mut waits, timeout.as_ref()) {
                Ok(_) if !waits[0].revents().is_empty() => return Err(LinksError::Stopped),
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(LinksError::system("waiting for links")(error.into())),
            }
        }
    }
}

impl Iterator for Links {
    type Item = Result<LinkChange, LinksError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_until(None) {
            Err(LinksError::Stopped) => None,
            next => next.transpose(),
        }
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
