//! The thread that lets clients in.

use super::connection::Connection;
use super::lobby::Refusal;
use super::outlet::Outlet;
use super::peer::Peer;
use super::session::Session;
use super::shared::Shared;
use crate::wire::Reply;
use rustix::net::{SendFlags, send};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

/// How long accepting rests after an error such as too many open files.
const REST: Duration = Duration::from_millis(100);

impl Shared {
    pub(super) fn accept(self: &Arc<Self>, listener: &UnixListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Err(refusal) = self.admit(&stream) {
                        tracing::warn!("a client was refused: {refusal}");
                        self.lobby.refused();
                        tell(&stream, &refusal);
                    }
                }
                Err(error) => {
                    if self.lobby.is_closing() {
                        return;
                    }
                    tracing::error!("accepting: {error}");
                    self.lobby.rest(REST);
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: &UnixStream) -> Result<(), Refusal> {
        let peer = Peer::of(stream).map_err(Refusal::System)?;
        if !self.allowed.contains(&peer.uid) {
            return Err(Refusal::Forbidden { uid: peer.uid });
        }
        let stream = stream.try_clone().map_err(Refusal::System)?;
        let outlet = Outlet::new(stream, self.limits.write);
        let connection = Arc::new(Connection::new(peer, outlet));
        self.lobby.admit(self.limits.clients, &connection, |seat| {
            Session::spawn(Arc::clone(self), Arc::clone(&connection), seat)
        })
    }
}

/// Tells a client why it is not let in, if it takes that at once.
fn tell(stream: &UnixStream, refusal: &Refusal) {
    let message = refusal.to_string();
    let line = Reply::Failure { message }.to_line();
    let _: Result<usize, _> = send(stream, &line, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}
