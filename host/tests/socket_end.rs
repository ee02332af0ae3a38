//! The end of the socket: what was acknowledged comes before the notice, the notice comes last, and nothing holds it up.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;
#[path = "common/socket.rs"]
mod socket;

use daemon::{Client, LONG, SHUTDOWN, broadcast, until};
use socket::{Host, dispatcher, management, number};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

#[test]
fn an_end_waits_for_commands_and_their_replies() {
    let (dispatcher, began, go) = dispatcher();
    let mut host = Host::new(|server| server.dispatcher(dispatcher));
    let (mut client, mut watcher) = (host.client(), host.client());
    watcher.subscribe(r#"{"type":["management","osctld_shutdown"]}"#);
    client.send(r#"{"cmd":"wait"}"#);
    began.recv_timeout(LONG).unwrap();
    let server = host.server.take().unwrap();
    let path = server.path().to_owned();
    let end = thread::spawn(move || server.shutdown());
    until("nobody is let in", || UnixStream::connect(&path).is_err());
    go.send(()).unwrap();
    let report = end.join().unwrap();
    // Whoever tried whether it lets in may have been let in.
    assert!(report.clients >= 2);
    assert_eq!((report.cut, report.busy), (0, 0));
    assert!(report.events.unwrap().is_clean());
    assert_eq!(client.rest(), [r#"{"status":true,"response":"waited"}"#]);
    let states = ["run", "done"].map(|state| management(2, "wait", "{}", state));
    assert_eq!(watcher.rest(), [&*states[0], &states[1], SHUTDOWN]);
}

#[test]
fn an_end_does_not_wait_for_a_method_that_never_returns() {
    let (dispatcher, began, go) = dispatcher();
    let deadline = Duration::from_millis(20);
    let mut host = Host::new(|server| server.dispatcher(dispatcher).drain_deadline(deadline));
    let (mut client, mut watcher) = (host.client(), host.client());
    watcher.subscribe(r#"{"type":"osctld_shutdown"}"#);
    client.send(r#"{"cmd":"wait"}"#);
    began.recv_timeout(LONG).unwrap();
    let report = host.server.take().unwrap().shutdown();
    assert_eq!((report.clients, report.busy), (2, 1));
    assert_eq!(watcher.rest(), [SHUTDOWN]);
    assert_eq!(client.rest(), Vec::<String>::new());
    go.send(()).unwrap();
}

#[test]
fn the_notice_comes_last_to_every_client_and_the_socket_is_removed() {
    let mut host = Host::new(|server| server);
    let mut half = host.client();
    half.subscribe("{}");
    half.half_close();
    let mut idle = host.client();
    let mut cut = host.client();
    cut.send_bytes(b"{\"cmd\":\"pi");
    let mut all: Vec<_> = (0..10).map(|_| host.client()).collect();
    for client in &mut all {
        client.subscribe(r#"{"type":"n"}"#); // and the end, whatever the filter
    }
    (0..1000).for_each(|n| host.report(n));
    let path = host.server().path().to_owned();
    let report = host.server.take().unwrap().shutdown();
    assert_eq!((report.clients, report.cut, report.busy), (13, 0, 0));
    assert!(report.events.unwrap().is_clean());
    assert!(!path.exists() && !host.scratch.path("socket.lock").exists());
    for client in &mut all {
        let rest = client.rest();
        assert_eq!(rest.len(), 1001);
        assert!((0..).zip(&rest[..1000]).all(|(n, line)| *line == number(n)));
        assert_eq!(rest[1000], SHUTDOWN);
    }
    assert_eq!(half.rest().last().map(String::as_str), Some(SHUTDOWN));
    assert!(idle.rest().is_empty() && cut.rest().is_empty());
}

#[test]
fn dropping_it_shuts_it_down() {
    let mut host = Host::new(|server| server);
    let mut client = host.client();
    client.subscribe(r#"{"type":"osctld_shutdown"}"#);
    let path = host.server().path().to_owned();
    host.server = None;
    assert_eq!(client.rest(), [SHUTDOWN]);
    assert!(!path.exists());
}

#[test]
fn many_clients_come_and_go_and_leave_nothing() {
    let host = Host::new(|server| server);
    let path: &Path = host.server().path();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let mut client = Client::greeted(path);
                    client.subscribe(r#"{"type":"nothing"}"#);
                    client.send(&broadcast("other", "{}"));
                }
            });
        }
    });
    host.expect_empty();
    assert_eq!(host.server().stats().refused, 0);
}
