//! Who is at the other end.

use crate::dispatch::Caller;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::io;
use std::os::unix::net::UnixStream;

/// A process, as the kernel vouches for it: the one that connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// 0 if it is in a pid namespace that we cannot see.
    pub(super) pid: i32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Peer {
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        let peer = getsockopt(stream, PeerCredentials)?;
        Ok(Peer {
            pid: peer.pid(),
            uid: peer.uid(),
            gid: peer.gid(),
        })
    }
}

impl From<Peer> for Caller {
    fn from(Peer { pid, uid, gid }: Peer) -> Self {
        Caller::Peer { pid, uid, gid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_who_connected() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = Peer::of(&one).unwrap();
        assert_eq!(u32::try_from(peer.pid), Ok(std::process::id()));
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.gid, rustix::process::getegid().as_raw());
        let caller = Caller::from(peer).to_string();
        assert!(caller.contains(&peer.pid.to_string()), "{caller}");
    }
}
