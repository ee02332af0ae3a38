//! The daemon, from its start to its end.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;

use daemon::{Client, Daemon, NULL, PONG, SHUTDOWN, Scratch};
use daemon::{broadcast, failure, python, until};
use libc::{SIGINT, SIGKILL, SIGTERM};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A daemon that should not start.
fn refused(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_eventd"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success());
    output
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

// A session of another language's, byte for byte.

const SESSION: &str = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
s.sendall(b'{"cmd": "event_subscribe", "opts": {"type": ["state", "mine"]}}\n')
s.sendall(b'{"cmd": "pi')
s.sendall(b'ng"}\n')
s.sendall(b'{"cmd": "event_broadcast", "opts": {"events": [{"type": "mine", "opts": {"b": 1e3, "a": 1.0}}]}}\n')
s.shutdown(socket.SHUT_WR)
received = b''
while received.count(b'\n') < 5:
    more = s.recv(4096)
    assert more, received
    received += more
sys.stdout.buffer.write(received)
"#;

#[test]
fn a_session_of_a_python_client_byte_for_byte() {
    let mut daemon = Daemon::start(&[]);
    let received = python(SESSION, &[&daemon.socket]);
    let version = env!("CARGO_PKG_VERSION");
    let event = r#"{"status":true,"response":{"type":"mine","opts":{"b":1e3,"a":1.0}}}"#;
    let mut lines: Vec<_> = received.lines().collect();
    // The event comes when it comes, but not before the reply to its subscription.
    let at = lines.iter().position(|line| *line == event).unwrap();
    assert!(at >= 3, "{received}");
    lines.remove(at);
    let greeting = format!(r#"{{"version":"{version}"}}"#);
    assert_eq!(lines, [&*greeting, daemon::SUBSCRIBED, PONG, NULL]);
    daemon.end(SIGTERM);
}

// What it tells of itself.

#[test]
fn it_publishes_what_the_machine_has() {
    let daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    client.subscribe(r#"{"type":"capabilities","opts":{"service":"eventd"}}"#);
    client.send(r#"{"cmd":"publish_service_capabilities"}"#);
    let (one, two) = (client.json(), client.json());
    let (reply, event) = if one["response"] == true {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(reply, json!({ "status": true, "response": true }));
    let opts = &event["response"]["opts"];
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(opts["host"], name.trim_end());
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(
        opts["capabilities"][0]["kernel"]["release"],
        release.trim_end()
    );
    assert!(
        opts["capabilities"][0]["memory"]["total_bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn its_service_answers_to_its_base_api() {
    let daemon = Daemon::start(&["--workers", "1", "--capacity", "100"]);
    let mut client = daemon.client();
    let ping = r#"{"cmd":"ping","namespace":"baseapi","version":"1.1","opts":{"arg":[1.0]}}"#;
    let pong = r#"{"status":true,"response":{"service":"eventd","arg":[1.0]}}"#;
    assert_eq!(client.ask(ping), pong);
    client.send(r#"{"cmd":"stats"}"#);
    let workers = &client.json()["response"]["workers"];
    assert_eq!(workers.as_array().unwrap().len(), 1);
    assert_eq!(workers[0]["capacity"], 128);
}

// Whose the socket is.

#[test]
fn its_socket_is_private_whatever_the_umask() {
    let scratch = Scratch::new();
    for umask in ["000", "022", "077"] {
        let path = scratch.path(umask);
        let mut command = Command::new("sh");
        command
            .args(["-c", "umask $0; exec \"$@\"", umask])
            .arg(env!("CARGO_BIN_EXE_eventd"));
        let mut daemon = Daemon::start_by(command, &path, &[]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "umask {umask}");
        daemon.end(SIGTERM);
    }
}

#[test]
fn a_second_daemon_is_refused_and_the_first_unharmed() {
    let mut daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    client.subscribe(r#"{"type":["mine","osctld_shutdown"]}"#);
    let output = refused(&["--socket", text(&daemon.socket)]);
    assert_eq!(output.status.code(), Some(1));
    let says = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "eventd: server socket: {}: in use by another process",
        daemon.socket.display()
    );
    assert!(says.lines().any(|line| line == expected), "{says}");
    daemon.client().broadcast("mine", "{}");
    assert_eq!(client.line(), daemon::told("mine", "{}"));
    daemon.end(SIGTERM);
    assert_eq!(client.rest(), [SHUTDOWN]);
}

#[test]
fn the_socket_of_a_daemon_that_was_killed_is_taken_over() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let mut first = Daemon::start_at(&path, &[]);
    let mut client = first.client();
    first.signal(SIGKILL);
    assert_eq!(first.wait().code(), None);
    assert_eq!(client.rest(), Vec::<String>::new());
    assert!(path.exists(), "it could not remove it");
    let mut second = Daemon::start_at(&path, &[]);
    assert_eq!(second.client().ask(r#"{"cmd":"ping"}"#), PONG);
    second.end(SIGTERM);
}

const NOBODY: &str = r#"
import os, socket, sys
os.setgid(65534)
os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
received = b''
while not received.endswith(b'\n'):
    more = s.recv(4096)
    assert more, received
    received += more
sys.stdout.buffer.write(received)
"#;

#[test]
fn only_users_who_are_allowed_are_let_in() {
    let root = rustix::process::geteuid().is_root();
    assert!(root, "run as root: it takes that to be somebody else");
    for (options, allowed) in [(&[][..], false), (&["--allow-uid", "65534"][..], true)] {
        let scratch = Scratch::new();
        let path = scratch.path("socket");
        let mut daemon = Daemon::start_at(&path, options);
        // The mode alone would keep nobody out then.
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let received = python(NOBODY, &[&path]);
        if allowed {
            assert!(received.starts_with("{\"version\":"), "{received}");
        } else {
            assert_eq!(received.trim_end(), failure("user 65534 is not allowed"));
        }
        daemon.end(SIGTERM);
    }
}

// What is wrong from the start.

#[test]
fn errors_say_what_and_where_and_exit_1() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let nowhere = scratch.path("nowhere/socket");
    for (arguments, says) in [
        (
            vec!["--socket", text(&nowhere)],
            "nowhere/socket.lock: opening the lock: No such file",
        ),
        (
            vec!["--socket", text(&path), "--workers", "0"],
            "init_host: ",
        ),
        (
            vec!["--socket", text(&path), "--capacity", "0"],
            "capacity: 0 was asked for, 1 or more would do",
        ),
    ] {
        let output = refused(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        let told = told.lines().find(|line| line.starts_with("eventd: "));
        assert!(told.is_some_and(|line| line.contains(says)), "{told:?}");
        assert!(!path.exists());
    }
    for arguments in [
        &[][..],
        &["--socket"],
        &["--socket", "s", "--capacity", "many"],
    ] {
        assert_eq!(refused(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

// The end.

#[test]
fn both_signals_end_it_with_and_without_clients() {
    for signal in [SIGTERM, SIGINT] {
        let mut daemon = Daemon::start(&[]);
        daemon.end(signal);
        let mut daemon = Daemon::start(&[]);
        let mut client = daemon.client();
        client.subscribe(r#"{"type":"osctld_shutdown"}"#);
        daemon.end(signal);
        assert_eq!(client.rest(), [SHUTDOWN]);
    }
}

#[test]
fn under_load_the_notice_comes_last_to_every_client_and_nothing_acknowledged_is_lost() {
    const WATCHERS: usize = 10;
    const PUBLISHERS: u64 = 4;
    let mut daemon = Daemon::start(&["--drain-deadline", "60", "--capacity", "65536"]);
    let mut watchers: Vec<_> = (0..WATCHERS).map(|_| daemon.client()).collect();
    for watcher in &mut watchers {
        watcher.subscribe(r#"{"type":["n","osctld_shutdown"]}"#);
    }
    let sent = AtomicU64::new(0);
    let (seen, acknowledged) = thread::scope(|scope| {
        let watching: Vec<_> = watchers
            .iter_mut()
            .map(|watcher| scope.spawn(|| watcher.rest()))
            .collect();
        let publishing: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let mut client = daemon.client();
                let sent = &sent;
                scope.spawn(move || publish(&mut client, publisher, sent))
            })
            .collect();
        until("some were reported", || sent.load(Ordering::Relaxed) > 1000);
        daemon.end(SIGTERM);
        let seen: Vec<_> = watching.into_iter().map(|w| w.join().unwrap()).collect();
        let acknowledged: Vec<_> = publishing.into_iter().map(|p| p.join().unwrap()).collect();
        (seen, acknowledged)
    });
    for mut lines in seen {
        assert_eq!(lines.pop().unwrap(), SHUTDOWN);
        assert!(!lines.contains(&SHUTDOWN.to_owned()));
        let mut next = [0; PUBLISHERS as usize];
        for line in lines {
            let line: Value = serde_json::from_str(&line).unwrap();
            let opts = &line["response"]["opts"];
            let number = |field: &str| opts[field].as_u64().unwrap();
            let next = &mut next[number("publisher") as usize];
            assert_eq!(number("n"), *next, "each once and in order");
            *next += 1;
        }
        for (next, acknowledged) in next.iter().zip(&acknowledged) {
            // One more may have been reported, and the daemon gone before it said so.
            assert!(
                (*acknowledged..=acknowledged + 1).contains(next),
                "{next}, {acknowledged}"
            );
        }
    }
}

/// Reports until the daemon is gone: how many it acknowledged.
fn publish(client: &mut Client, publisher: u64, sent: &AtomicU64) -> u64 {
    for n in 0.. {
        let line = broadcast("n", &format!(r#"{{"publisher":{publisher},"n":{n}}}"#)) + "\n";
        let written = std::io::Write::write_all(&mut client.stream(), line.as_bytes());
        if written.is_err() || client.next().is_none() {
            return n;
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("the daemon ends first")
}

#[test]
fn a_log_that_takes_nothing_takes_nothing_down() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_eventd"))
        .arg("--socket")
        .arg(&path)
        .stderr(full)
        .spawn()
        .unwrap();
    until("the socket is there", || path.exists());
    let mut client = Client::greeted(&path);
    client.subscribe(r#"{"type":"n"}"#);
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    assert!(client.rest().last().unwrap().contains("osctld_shutdown"));
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}
