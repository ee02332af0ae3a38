//! The daemon among its clients: many at once, stuck ones, and those that vanish.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;

use daemon::{Client, Daemon, NULL, PONG, SHUTDOWN, told, until};
use libc::SIGTERM;
use serde_json::Value;
use std::thread;

fn number(n: u64) -> String {
    told("n", &format!(r#"{{"n":{n}}}"#))
}

/// A field of the daemon's statistics.
fn stat(client: &mut Client, field: &str) -> Value {
    client.send(r#"{"cmd":"stats"}"#);
    client.json()["response"][field].take()
}

#[test]
fn two_hundred_clients_at_once_are_told_everything() {
    const CLIENTS: usize = 200;
    const EVENTS: u64 = 50;
    let mut daemon = Daemon::start(&["--drain-deadline", "60"]);
    let mut clients: Vec<_> = thread::scope(|scope| {
        let connecting: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = daemon.client();
                    client.subscribe(r#"{"type":["n","osctld_shutdown"]}"#);
                    client
                })
            })
            .collect();
        connecting.into_iter().map(|c| c.join().unwrap()).collect()
    });
    let mut publisher = daemon.client();
    (0..EVENTS).for_each(|n| publisher.broadcast("n", &format!(r#"{{"n":{n}}}"#)));
    for client in &mut clients {
        (0..EVENTS).for_each(|n| assert_eq!(client.line(), number(n)));
    }
    assert_eq!(stat(&mut publisher, "subscriptions"), CLIENTS);
    // Once an event and worker, of which there are two or more.
    let workers = stat(&mut publisher, "workers").as_array().unwrap().len() as u64;
    let encoded = stat(&mut publisher, "encoded").as_u64().unwrap();
    assert!((EVENTS..=EVENTS * workers).contains(&encoded), "{encoded}");
    // They are still there when it ends, and each is told so last.
    daemon.end(SIGTERM);
    for client in &mut clients {
        assert_eq!(client.rest(), [SHUTDOWN]);
    }
}

/// Reports `BATCH` events of about a kilobyte in one command.
const BATCH: u64 = 100;

fn batch(publisher: &mut Client, first: u64) {
    let text = "x".repeat(1000);
    let events: Vec<_> = (first..first + BATCH)
        .map(|n| format!(r#"{{"type":"big","opts":{{"n":{n},"text":"{text}"}}}}"#))
        .collect();
    let events = events.join(",");
    let command = format!(r#"{{"cmd":"event_broadcast","opts":{{"events":[{events}]}}}}"#);
    assert_eq!(publisher.ask(&command), NULL);
}

fn expect_batch(watcher: &mut Client, first: u64) {
    for n in first..first + BATCH {
        assert_eq!(watcher.json()["response"]["opts"]["n"], n);
    }
}

#[test]
fn clients_that_stop_reading_are_dropped_and_told_and_cost_nobody_anything() {
    const STUCK: usize = 20;
    const BATCHES: u64 = 400;
    // One worker, so that its ring is lapped by what is reported; nobody is cut before it is dropped.
    let options = [
        "--workers",
        "1",
        "--capacity",
        "1024",
        "--write-deadline",
        "600",
    ];
    let mut daemon = Daemon::start(&options);
    let (mut watcher, mut publisher) = (daemon.client(), daemon.client());
    watcher.subscribe(r#"{"type":"big"}"#);
    let mut stuck: Vec<_> = (0..STUCK).map(|_| daemon.client()).collect();
    let mut step = |n: u64| {
        batch(&mut publisher, n * BATCH);
        expect_batch(&mut watcher, n * BATCH);
    };
    // The ring, and what was encoded of it, are full by then.
    (0..30).for_each(&mut step);
    let before = daemon.status().vmrss.unwrap();
    for client in &mut stuck {
        client.subscribe(r#"{"type":"big"}"#);
    }
    (30..30 + BATCHES).for_each(&mut step);
    let after = daemon.status().vmrss.unwrap();
    // 40 MB were reported, to each of them.
    assert!(after < before + 20_000, "from {before} kB to {after} kB");

    let evicted = stat(&mut publisher, "workers")[0]["evicted"]["lapped"].take();
    assert_eq!(evicted, STUCK);
    for client in &mut stuck {
        let mut rest = client.rest();
        let last = rest.pop().unwrap();
        let dropped = r#"{"status":false,"message":"dropped: lapped at sequence "#;
        assert!(last.starts_with(dropped), "{last}");
        // What it took before is whole, and in order.
        for (n, line) in (30 * BATCH..).zip(&rest) {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["response"]["opts"]["n"], n);
        }
        assert!(!rest.is_empty());
    }
    until("they are gone", || stat(&mut publisher, "clients") == 2);
    daemon.end(SIGTERM);
}

#[test]
fn a_stuck_client_does_not_hold_up_the_end() {
    let mut daemon = Daemon::start(&["--write-deadline", "600", "--drain-deadline", "0.2"]);
    let (mut stuck, mut publisher) = (daemon.client(), daemon.client());
    stuck.subscribe(r#"{"type":"big"}"#);
    // More than its socket takes.
    (0..10).for_each(|n| batch(&mut publisher, n * BATCH));
    daemon.end(SIGTERM);
    assert!(daemon.log().contains("cut=1"), "{}", daemon.log());
}

#[test]
fn clients_that_vanish_in_any_state_leave_nothing() {
    let mut daemon = Daemon::start(&[]);
    let (mut observer, mut watcher) = (daemon.client(), daemon.client());
    watcher.subscribe(r#"{"type":"n"}"#);
    until("all has started", || {
        stat(&mut observer, "subscriptions") == 1
    });
    let threads = daemon.status().threads;
    for n in 0..30 {
        // Before its greeting, or with it unread, as it comes.
        drop(Client::connect(&daemon.socket));
        // After it.
        drop(daemon.client());
        // In the middle of a line.
        let mut client = daemon.client();
        client.send_bytes(br#"{"cmd":"event_sub"#);
        drop(client);
        // With replies to come that nobody reads.
        let mut client = daemon.client();
        (0..50).for_each(|_| client.send(r#"{"cmd":"ping"}"#));
        drop(client);
        // Before its subscription stands, or just after.
        let mut client = daemon.client();
        client.send(r#"{"cmd":"event_subscribe"}"#);
        drop(client);
        // In the middle of the stream, with events that nobody has read: a reset.
        let mut unread = daemon.client();
        unread.subscribe(r#"{"type":"n"}"#);
        unread.subscribe(r#"{"type":"n"}"#);
        // The same with half of the connection gone already.
        let mut half = daemon.client();
        half.subscribe(r#"{"type":"n"}"#);
        half.half_close();
        observer.broadcast("n", &format!(r#"{{"n":{n}}}"#));
        assert_eq!(half.line(), number(n));
        drop((unread, half));
        // Who stays loses nothing.
        assert_eq!(watcher.line(), number(n));
    }
    until("they are gone", || {
        stat(&mut observer, "clients") == 2 && stat(&mut observer, "subscriptions") == 1
    });
    until("so are their threads", || {
        daemon.status().threads == threads
    });
    assert_eq!(stat(&mut observer, "refused"), 0);
    assert_eq!(watcher.ask(r#"{"cmd":"ping"}"#), PONG);
    daemon.end(SIGTERM);
}
