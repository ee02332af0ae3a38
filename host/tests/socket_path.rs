//! The path of a socket: whose it is, and what becomes of it.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;

use daemon::{Client, PONG, Scratch};
use ringbus_host::{EventManager, Server, ServerError};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, thread};

fn start(path: &Path) -> Result<Server, ServerError> {
    Server::builder(path, EventManager::new().unwrap()).start()
}

fn serves(path: &Path) {
    assert_eq!(Client::greeted(path).ask(r#"{"cmd":"ping"}"#), PONG);
}

fn lock_of(path: &Path) -> PathBuf {
    path.with_file_name("socket.lock")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn it_is_private_and_gone_at_the_end() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let server = start(&path).unwrap();
    assert_eq!((mode(&path), mode(&lock_of(&path))), (0o600, 0o600));
    serves(&path);
    drop(server);
    assert!(!path.exists() && !lock_of(&path).exists());
}

#[test]
fn that_of_a_live_server_is_refused_and_the_server_unharmed() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let first = start(&path).unwrap();
    for _ in 0..3 {
        let error = start(&path).unwrap_err();
        assert!(matches!(&error, ServerError::InUse { path: at } if *at == path));
        let says = format!("{}: in use by another process", path.display());
        assert_eq!(error.to_string(), says);
    }
    // Even without its lock, it is found by connecting to it.
    fs::remove_file(lock_of(&path)).unwrap();
    assert!(matches!(start(&path), Err(ServerError::InUse { .. })));
    serves(&path);
    drop(first);
    assert!(!path.exists());
}

#[test]
fn those_of_others_are_refused_and_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let datagrams = UnixDatagram::bind(&path).unwrap();
    assert!(matches!(start(&path), Err(ServerError::InUse { .. })));
    drop(datagrams);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    let error = start(&path).unwrap_err();
    assert!(matches!(&error, ServerError::NotASocket { path: at } if *at == path));
    assert!(error.to_string().ends_with(": there, and no socket"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(!lock_of(&path).exists());
}

#[test]
fn that_of_a_dead_server_is_taken_over() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    drop(UnixListener::bind(&path).unwrap());
    fs::write(lock_of(&path), "").unwrap();
    assert!(path.exists());
    let _server = start(&path).unwrap();
    serves(&path);
}

#[test]
fn of_many_that_start_at_once_one_serves() {
    const SERVERS: usize = 8;
    let scratch = Scratch::new();
    for round in 0..20 {
        let path = scratch.path(&format!("socket{round}"));
        drop(UnixListener::bind(&path).unwrap());
        let ready = Barrier::new(SERVERS);
        let started: Vec<_> = thread::scope(|scope| {
            let starts: Vec<_> = (0..SERVERS)
                .map(|_| {
                    scope.spawn(|| {
                        ready.wait();
                        start(&path)
                    })
                })
                .collect();
            starts.into_iter().map(|s| s.join().unwrap()).collect()
        });
        serves(&path);
        let (serving, refused): (Vec<_>, Vec<_>) = started.into_iter().partition(Result::is_ok);
        assert_eq!((serving.len(), refused.len()), (1, SERVERS - 1));
        for refused in refused {
            assert!(matches!(refused, Err(ServerError::InUse { .. })));
        }
    }
}

#[test]
fn of_many_that_come_and_go_no_two_serve_at_once() {
    const SERVERS: usize = 8;
    const STARTS: usize = 1000;
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let (serving, served) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SERVERS {
            scope.spawn(|| {
                while served.load(Ordering::Relaxed) < STARTS {
                    match start(&path) {
                        Ok(server) => {
                            assert_eq!(serving.fetch_add(1, Ordering::SeqCst), 0);
                            served.fetch_add(1, Ordering::Relaxed);
                            thread::yield_now();
                            assert_eq!(serving.fetch_sub(1, Ordering::SeqCst), 1);
                            drop(server);
                        }
                        Err(error) => {
                            assert!(matches!(error, ServerError::InUse { .. }), "{error}")
                        }
                    }
                }
            });
        }
    });
    assert!(!path.exists() && !lock_of(&path).exists());
}

#[test]
fn one_that_is_no_longer_ours_is_left() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let server = start(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(server);
    assert!(path.exists());
}

#[test]
fn what_fails_says_what_and_where() {
    let scratch = Scratch::new();
    let nowhere = scratch.path("nowhere/socket");
    let error = start(&nowhere).unwrap_err();
    let ServerError::System { call, path, source } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((*call, path), ("opening the lock", &lock_of(&nowhere)));
    assert_eq!(source.kind(), io::ErrorKind::NotFound);
    let says = error.to_string();
    assert!(
        says.contains("nowhere/socket.lock: opening the lock: "),
        "{says}"
    );

    let long = scratch.path(&"x".repeat(150));
    let error = start(&long).unwrap_err();
    assert!(
        matches!(
            &error,
            ServerError::System {
                call: "naming the socket",
                ..
            }
        ),
        "{error}"
    );

    let link = scratch.path("link");
    std::os::unix::fs::symlink(scratch.path("target"), scratch.path("link.lock")).unwrap();
    assert!(matches!(start(&link), Err(ServerError::System { .. })));
    assert!(!scratch.path("target").exists(), "a link is not followed");

    let error = ServerError::Thread(io::Error::other("x"));
    assert_eq!(error.to_string(), "no thread for the socket: x");
}

#[test]
fn a_file_that_is_no_lock_is_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    std::fs::write(lock_of(&path), "not a lock\n").unwrap();
    let error = start(&path).unwrap_err();
    assert!(
        matches!(&error, ServerError::NotALock { path: lock } if *lock == lock_of(&path)),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("socket.lock: there, and no lock")
    );
    let kept = std::fs::read_to_string(lock_of(&path)).unwrap();
    assert_eq!(kept, "not a lock\n");
}
