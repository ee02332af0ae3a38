//! The limits of the socket: too much of anything, and clients that do not read or are gone.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;
#[path = "common/socket.rs"]
mod socket;

use daemon::{Client, PONG, SHUTDOWN, SUBSCRIBED, failure, until};
use ringbus::EvictionReason;
use ringbus_host::Event;
use serde_json::json;
use socket::{Host, number};
use std::time::Duration;

// Limits.

#[test]
fn too_many_clients_are_told_and_make_room_when_they_go() {
    let host = Host::new(|server| server.max_clients(2));
    let (first, _second) = (host.client(), host.client());
    let mut third = Client::connect(host.server().path());
    assert_eq!(third.rest(), [failure("too many clients: at most 2")]);
    assert_eq!(host.server().stats().refused, 1);
    drop(first);
    until("there is room", || host.server().stats().clients == 1);
    assert_eq!(host.client().ask(r#"{"cmd":"ping"}"#), PONG);
}

#[test]
fn too_many_subscriptions_are_an_error_and_the_connection_goes_on() {
    let host = Host::new(|server| server.max_subscriptions(2));
    let mut client = host.client();
    client.subscribe(r#"{"type":"n"}"#);
    client.subscribe(r#"{"type":"n","opts":{"n":2}}"#);
    let reply = client.ask(r#"{"cmd":"event_subscribe"}"#);
    assert_eq!(reply, failure("too many subscriptions: at most 2 a client"));
    host.report(1);
    host.report(2);
    let mut lines: Vec<_> = (0..3).map(|_| client.line()).collect();
    lines.sort();
    assert_eq!(lines, [number(1), number(2), number(2)]);
    host.client().subscribe("{}");
}

#[test]
fn a_ring_that_is_full_of_subscribers_is_an_error() {
    let host = Host::with_capacity(64, |server| server.max_subscriptions(17));
    let mut client = host.client();
    for _ in 0..16 {
        client.subscribe(r#"{"type":"n"}"#);
    }
    let reply = client.ask(r#"{"cmd":"event_subscribe"}"#);
    assert!(
        reply.starts_with(r#"{"status":false,"message":"cannot subscribe: "#),
        "{reply}"
    );
    assert_eq!(client.ask(r#"{"cmd":"ping"}"#), PONG);
}

#[test]
fn a_manager_that_does_not_run_is_an_error_and_may_run_again() {
    let host = Host::new(|server| server);
    let _ = host.manager.stop();
    let mut client = host.client();
    let reply = client.ask(r#"{"cmd":"event_subscribe"}"#);
    assert_eq!(reply, failure("cannot subscribe: the bus is not running"));
    host.manager.start(2).unwrap();
    client.subscribe(r#"{"type":"n"}"#);
    host.report(1);
    assert_eq!(client.line(), number(1));
    // The end of the events is the end of who only listens.
    let _ = host.manager.stop();
    assert_eq!(client.rest(), Vec::<String>::new());
    host.expect_empty();
}

#[test]
fn a_line_too_long_is_told_and_the_connection_closed() {
    let host = Host::new(|server| server.max_line(64));
    let mut client = host.client();
    client.subscribe(r#"{"type":"n"}"#);
    let long = format!(r#"{{"cmd":"{}"}}"#, "x".repeat(1000));
    // Far more than it reads: it is told all the same.
    client.send(&long.repeat(1000));
    let rest = client.rest();
    assert_eq!(rest, [failure("the line is too long: at most 64 bytes")]);
    drop(client);
    host.expect_empty();
}

// Clients that do not read.

/// A client that is subscribed, and has a socket so full that nothing more goes in.
fn stuck(host: &Host) -> Client {
    let mut client = host.client();
    client.subscribe(r#"{"type":"big"}"#);
    let opts = json!({ "text": "x".repeat(100_000) });
    // More than a socket takes, and less than a ring.
    for _ in 0..20 {
        host.manager.report(Event::new("big", opts.clone()));
    }
    client
}

#[test]
fn one_that_takes_nothing_is_disconnected_and_others_lose_nothing() {
    let host = Host::new(|server| server.write_deadline(Duration::from_millis(50)));
    let mut other = host.client();
    other.subscribe(r#"{"type":"n"}"#);
    let stuck = stuck(&host);
    until("it is disconnected", || host.server().stats().clients == 1);
    (0..100).for_each(|n| host.report(n));
    (0..100).for_each(|n| assert_eq!(other.line(), number(n)));
    // In the middle of a line, and nothing follows.
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut stuck.stream(), &mut bytes).unwrap();
    assert!(bytes.len() < 20 * 100_000);
    assert!(!String::from_utf8(bytes).unwrap().contains("dropped"));
}

#[test]
fn one_that_is_lapped_and_reads_on_is_told_and_others_lose_nothing() {
    let host = Host::with_capacity(256, |server| server);
    let mut other = host.client();
    other.subscribe(r#"{"type":"n"}"#);
    let mut stuck = stuck(&host);
    let mut seen = 0;
    while host.manager.stats().bus.workers[0].evicted_for(EvictionReason::Lapped) == 0 {
        host.report(seen);
        assert_eq!(other.line(), number(seen));
        seen += 1;
    }
    let mut rest = stuck.rest();
    let last = rest.pop().unwrap();
    assert!(
        last.starts_with(r#"{"status":false,"message":"dropped: lapped at sequence "#),
        "{last}"
    );
    assert!(!rest.is_empty() && rest.len() < 20);
    assert!(
        rest.iter()
            .all(|line| line.starts_with(r#"{"status":true,"response":{"type":"big""#))
    );
    until("it is gone", || host.server().stats().clients == 1);
    host.report(seen);
    assert_eq!(other.line(), number(seen));
}

#[test]
fn one_that_does_not_read_its_replies_is_disconnected() {
    let host = Host::new(|server| server.write_deadline(Duration::from_millis(50)));
    let client = host.client();
    client
        .stream()
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let name = "x".repeat(60_000);
    let mut line = format!(r#"{{"cmd":"{name}"}}"#).into_bytes();
    line.push(b'\n');
    // Fails when it is disconnected, if not before because nobody reads what we send.
    while std::io::Write::write_all(&mut client.stream(), &line).is_ok() {}
    host.expect_empty();
}

#[test]
fn an_end_does_not_wait_for_one_that_is_stuck() {
    let deadline = Duration::from_millis(50);
    let mut host = Host::new(|server| server.drain_deadline(deadline));
    let (_stuck, mut other) = (stuck(&host), host.client());
    other.subscribe(r#"{"type":["n","osctld_shutdown"]}"#);
    host.report(1);
    let report = host.server.take().unwrap().shutdown();
    assert_eq!((report.clients, report.cut, report.busy), (2, 1, 0));
    assert_eq!(other.rest(), [&*number(1), SHUTDOWN]);
}

// Half a connection.

#[test]
fn one_that_closed_its_sending_side_goes_on_receiving() {
    let host = Host::new(|server| server);
    let mut client = Client::connect(host.server().path());
    client.send(r#"{"cmd":"event_subscribe","opts":{"type":"n"}}"#);
    client.half_close();
    assert_eq!(
        [client.line(), client.line()],
        [r#"{"version":"7"}"#, SUBSCRIBED]
    );
    for n in 0..100 {
        host.report(n);
        assert_eq!(client.line(), number(n));
    }
    // Gone altogether, it is noticed without an event.
    drop(client);
    host.expect_empty();
}

#[test]
fn one_that_is_gone_is_noticed_without_an_event() {
    let host = Host::new(|server| server);
    let mut client = host.client();
    client.subscribe(r#"{"type":"nothing"}"#);
    client.subscribe(r#"{"type":"nothing"}"#);
    drop(client);
    host.expect_empty();
}
