//! A path that is ours: nobody else serves there, and what a dead server left is gone.
//!
//! A lock on a file beside the socket decides between servers that start at once; it ends with its process, however that
//! ends. A server that holds no such lock is found by connecting to it.

use super::error::ServerError;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::fs::{fchmod, flock, fstat, lstat, open, unlink};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

const BACKLOG: i32 = 128;
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The path, until this is dropped: then the socket is removed if it still is ours.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    socket: Identity,
    /// Dropped after the socket is removed.
    _lock: Lock,
}

impl Claim {
    pub(super) fn take(path: &Path) -> Result<(Self, UnixListener), ServerError> {
        let lock = Lock::take(path)?;
        clear(path)?;
        let failed = |call| fails(call, path);
        let address = SocketAddrUnix::new(path).map_err(failed("naming the socket"))?;
        let socket = stream(SocketFlags::CLOEXEC).map_err(failed("making a socket"))?;
        // The mode that it is born with: at no time is it open to others, whatever the umask.
        fchmod(&socket, PRIVATE).map_err(failed("making a socket private"))?;
        bind(&socket, &address).map_err(failed("binding"))?;
        let bound = lstat(path).map_err(failed("looking at the socket"))?;
        let claim = Claim {
            socket: Identity::of(&bound),
            path: path.to_owned(),
            _lock: lock,
        };
        listen(&socket, BACKLOG).map_err(failed("listening"))?;
        Ok((claim, UnixListener::from(socket)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        match lstat(&self.path) {
            Ok(there) if Identity::of(&there) == self.socket => remove(&self.path),
            _ => tracing::warn!("{}: no longer ours", self.path.display()),
        }
    }
}

/// A locked file, until this is dropped: then it is removed.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: OwnedFd,
}

impl Lock {
    fn take(socket: &Path) -> Result<Self, ServerError> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        // A pipe in its place would keep us waiting, and a link lead elsewhere.
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        loop {
            let failed = |call| fails(call, &path);
            let file = open(&path, flags, PRIVATE).map_err(failed("opening the lock"))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    let path = socket.to_owned();
                    return Err(ServerError::InUse { path });
                }
                Err(error) => return Err(failed("locking")(error)),
            }
            // A file of that name with something in it is no lock of ours, and not ours to remove.
            let stat = fstat(&file).map_err(failed("looking at the lock"))?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_size != 0 {
                return Err(ServerError::NotALock { path });
            }
            // Whoever held it may have removed it before it was ours: then it locks nobody out.
            if is_at(&file, &path).map_err(failed("looking at the lock"))? {
                return Ok(Lock { path, file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path).unwrap_or(false) {
            remove(&self.path);
        }
    }
}

/// Which file something is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        Identity {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

fn is_at(file: impl AsFd, path: &Path) -> Result<bool, Errno> {
    let open = fstat(file)?;
    match lstat(path) {
        Ok(there) => Ok(Identity::of(&there) == Identity::of(&open)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the socket of a dead server, if there is one.
fn clear(path: &Path) -> Result<(), ServerError> {
    let failed = |call| fails(call, path);
    let there = match lstat(path) {
        Ok(there) => there,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(failed("looking at the socket")(error)),
    };
    let path = path.to_owned();
    if FileType::from_raw_mode(there.st_mode) != FileType::Socket {
        return Err(ServerError::NotASocket { path });
    }
    match probe(&path) {
        Err(Errno::CONNREFUSED) => unlink(&path).map_err(fails("removing a dead socket", &path)),
        Err(Errno::NOENT) => Ok(()),
        // Its queue is full; or it is of another type, and somebody's.
        Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE) => Err(ServerError::InUse { path }),
        Err(error) => Err(fails("trying the socket", &path)(error)),
    }
}

fn probe(path: &Path) -> Result<(), Errno> {
    let address = SocketAddrUnix::new(path)?;
    connect(
        stream(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?,
        &address,
    )
}

fn stream(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

fn remove(path: &Path) {
    if let Err(error) = unlink(path) {
        tracing::warn!("{}: not removed: {error}", path.display());
    }
}

fn fails(call: &'static str, path: &Path) -> impl FnOnce(Errno) -> ServerError {
    move |error| ServerError::System {
        call,
        path: path.to_owned(),
        source: error.into(),
    }
}
