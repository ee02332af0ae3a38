//! The socket's protocol, to the byte, from a server in this process.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;
#[path = "common/socket.rs"]
mod socket;

use daemon::{Client, NULL, PONG, failure, told};
use serde_json::json;
use socket::{Host, dispatcher, management, number};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

// The protocol.

#[test]
fn commands_are_answered_in_order_to_the_byte() {
    let host = Host::new(|server| server);
    let mut client = Client::connect(host.server().path());
    // All at once.
    client.send_bytes(
        b"{\"cmd\":\"ping\"}\r\n\n{\"cmd\":\"nope\"}\nnul\n\xff\n{\"cmd\":\"ping\",\"opts\":[]}\n{\"cmd\":\"ping\"}\n",
    );
    client.half_close();
    let unknown = failure("unknown command: nope");
    let bad = failure("bad JSON at line 1, column 3: EOF while parsing a value");
    let text = failure("bad UTF-8 at byte 0");
    let opts = failure("`opts` must be an object, not an array");
    let expected = [
        r#"{"version":"7"}"#,
        PONG,
        &unknown,
        &bad,
        &text,
        &opts,
        PONG,
    ];
    assert_eq!(client.rest(), expected);
    host.expect_empty();
}

#[test]
fn a_subscription_begins_after_its_reply_and_tells_all_that_matches_since() {
    let host = Host::new(|server| server);
    let mut client = host.client();
    host.report(0);
    client.subscribe(r#"{"type":"n","opts":{"n":[1,3]}}"#);
    (1..5).for_each(|n| host.report(n));
    assert_eq!(client.line(), number(1));
    assert_eq!(client.line(), number(3));
    for (filter, says) in [
        (
            r#"{"typ":1}"#,
            "a filter has `type` and `opts`, and no `typ`",
        ),
        (r#"{"type":[]}"#, "`type` of the filter is an empty list"),
    ] {
        let command = format!(r#"{{"cmd":"event_subscribe","opts":{filter}}}"#);
        assert_eq!(client.ask(&command), failure(says));
    }
    assert_eq!(host.server().stats().subscriptions, 1);
}

#[test]
fn the_reply_comes_before_the_events_however_many_there_are() {
    let host = Host::new(|server| server);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                host.report(1);
                thread::yield_now();
            }
        });
        let guard = Stop(&stop);
        for _ in 0..20 {
            let mut client = host.client();
            client.subscribe("{}");
            let line = client.line();
            assert!(line.starts_with(r#"{"status":true,"response":{"#), "{line}");
        }
        drop(guard);
    });
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_broadcast_is_all_or_none_and_keeps_what_it_does_not_know() {
    let host = Host::new(|server| server);
    let (mut watcher, mut client) = (host.client(), host.client());
    watcher.subscribe(r#"{"type":["mine","state"]}"#);
    let odd = r#"{"z":1E3,"a":[1.0,-0,12345678901234567890123],"a":"\u00e9"}"#;
    let good = r#"{"type":"state","opts":{"pool":"tank","id":"web","state":"running"}}"#;
    for (bad, says) in [
        (r#"{"opts":{}}"#, "missing field `type`"),
        (r#"{"type":1,"opts":{}}"#, "expected a string"),
        (r#"{"type":"mine","more":1}"#, "unknown field `more`"),
        (r#"7"#, "invalid type"),
    ] {
        let command =
            format!(r#"{{"cmd":"event_broadcast","opts":{{"events":[{good},{bad},{good}]}}}}"#);
        let reply = client.ask(&command);
        assert!(
            reply.starts_with(r#"{"status":false,"message":"events[1]: "#),
            "{reply}"
        );
        assert!(reply.contains(says), "{reply}");
    }
    for opts in ["{}", r#"{"events":{}}"#, r#"{"events":[],"more":1}"#] {
        let reply = client.ask(&format!(r#"{{"cmd":"event_broadcast","opts":{opts}}}"#));
        assert!(reply.contains("opts of event_broadcast: "), "{reply}");
    }
    assert_eq!(
        client.ask(r#"{"cmd":"event_broadcast","opts":{"events":[]}}"#),
        NULL
    );
    let command = format!(
        r#"{{"opts":{{"events":[{{"type":"mine","opts":{odd}}},{good},{{"type":"mine"}}]}},"cmd":"event_broadcast"}}"#
    );
    assert_eq!(client.ask(&command), NULL);
    assert_eq!(watcher.line(), told("mine", odd));
    assert_eq!(
        watcher.line(),
        format!(r#"{{"status":true,"response":{good}}}"#)
    );
    assert_eq!(watcher.line(), told("mine", "{}"));
}

#[test]
fn each_command_is_reported_with_its_end_before_its_reply_and_without_its_secrets() {
    let host = Host::new(|server| server);
    let (mut watcher, mut client) = (host.client(), host.client());
    watcher.subscribe(r#"{"type":"management"}"#);
    client.ask(r#"{"cmd":"ping","opts":{"user":"joe","password":"hunter2"}}"#);
    client.ask(r#"{"cmd":"nope"}"#);
    client.ask("nonsense");
    client.subscribe(r#"{"type":"management"}"#);
    client.send(r#"{"cmd":"ping"}"#);

    let redacted = r#"{"user":"joe","password":"[redacted]"}"#;
    let filter = r#"{"type":"management"}"#;
    // The watcher's own subscription was command 1, of which it is not told.
    for (id, cmd, opts, end) in [
        (2, "ping", redacted, "done"),
        (3, "nope", "{}", "failed"),
        (4, "event_subscribe", filter, "done"),
        (5, "ping", "{}", "done"),
    ] {
        assert_eq!(watcher.line(), management(id, cmd, opts, "run"));
        assert_eq!(watcher.line(), management(id, cmd, opts, end));
    }
    // Nor is the other of its own, but of what comes after.
    let mut lines: Vec<_> = (0..3).map(|_| client.line()).collect();
    let reply = lines.iter().position(|line| line == PONG).unwrap();
    lines.remove(reply);
    let states = ["run", "done"].map(|state| management(5, "ping", "{}", state));
    assert_eq!(lines, states);
    assert_eq!(host.server().stats().commands, 5);

    // What others say under the number of the command that made a subscription is told.
    let forged = management(4, "mine", "{}", "done");
    let event = r#"{"type":"management","opts":{"id":4,"cmd":"mine","opts":{},"state":"done"}}"#;
    watcher.send(&format!(
        r#"{{"cmd":"event_broadcast","opts":{{"events":[{event}]}}}}"#
    ));
    let lines: Vec<_> = (0..3).map(|_| client.line()).collect();
    assert_eq!(lines[1], forged);
}

#[test]
fn stats_count() {
    let host = Host::new(|server| server);
    let mut client = host.client();
    client.subscribe(r#"{"type":"n"}"#);
    host.report(1);
    client.line();
    client.send(r#"{"cmd":"stats"}"#);
    let stats = &client.json()["response"];
    let of = |field: &str| stats[field].as_u64();
    assert_eq!((of("clients"), of("subscriptions")), (Some(1), Some(1)));
    assert_eq!((of("commands"), of("encoded")), (Some(2), Some(1)));
    assert_eq!(
        (of("refused"), &stats["undelivered"]["stopped"]),
        (Some(0), &json!(0))
    );
    let worker = &stats["workers"][0];
    assert_eq!(
        (&worker["capacity"], &worker["subscribers"]),
        (&json!(8192), &json!(1))
    );
    // The end of the subscription, ours, and the beginning of this; nobody was there for the beginning of the first.
    assert_eq!(
        (&worker["published"], &worker["evicted"]["lapped"]),
        (&json!(3), &json!(0))
    );
    let subscriber = &stats["subscribers"][0];
    let name = format!("process {}, command 1", std::process::id());
    assert_eq!(subscriber["name"], name);
    assert!(
        ["active", "idle"].contains(&subscriber["state"].as_str().unwrap()),
        "{subscriber}"
    );
}

#[test]
fn an_event_is_encoded_once_however_many_are_told() {
    const CLIENTS: u64 = 20;
    const EVENTS: u64 = 500;
    let host = Host::new(|server| server);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| host.client()).collect();
    for client in &mut clients {
        client.subscribe(r#"{"type":"n"}"#);
    }
    (0..EVENTS).for_each(|n| host.report(n));
    for client in &mut clients {
        (0..EVENTS).for_each(|n| assert_eq!(client.line(), number(n)));
    }
    // What no filter let through was not encoded at all.
    assert_eq!(host.server().stats().encoded, EVENTS);
}

// Methods.

#[test]
fn methods_are_called_by_name_namespace_and_version() {
    let (dispatcher, _began, _go) = dispatcher();
    let host = Host::new(|server| server.dispatcher(dispatcher));
    let mut client = host.client();
    let (pid, uid, gid) = (
        std::process::id(),
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let who = |id| format!(r#"{{"status":true,"response":[{pid},{uid},{gid},"command-{id}"]}}"#);
    for (command, reply) in [
        (r#"{"cmd":"who"}"#, who(1)),
        (r#"{"cmd":"who","version":"1.2"}"#, who(2)),
        (r#"{"cmd":"ping"}"#, PONG.to_owned()),
        (r#"{"cmd":"ping","namespace":"other"}"#, who(4)),
        (
            r#"{"cmd":"ping","version":"1.0"}"#,
            failure("unknown command: ping"),
        ),
        (
            r#"{"cmd":"who","version":"1.3"}"#,
            failure("who: no API of no namespace that is compatible with version 1.3"),
        ),
        (
            r#"{"cmd":"who","version":"x"}"#,
            failure("who: \"x\" is no version, such as \"1.0\""),
        ),
        (r#"{"cmd":"fail"}"#, failure("fail: as asked")),
        (r#"{"cmd":"panic"}"#, failure("panic: panicked: as asked")),
        (r#"{"cmd":"ping"}"#, PONG.to_owned()),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
    let reply = client.ask(r#"{"cmd":"who","opts":{"extra":1}}"#);
    assert!(reply.contains("who: bad arguments: "), "{reply}");
}

#[test]
fn a_broadcast_of_many_laps_drops_nobody_who_reads() {
    let host = Host::with_capacity(64, |server| server);
    let mut watcher = host.client();
    watcher.subscribe(r#"{"type":"n"}"#);
    let mut client = host.client();
    let events: Vec<_> = (0..1000)
        .map(|n| format!(r#"{{"type":"n","opts":{{"n":{n}}}}}"#))
        .collect();
    let command = format!(
        r#"{{"cmd":"event_broadcast","opts":{{"events":[{}]}}}}"#,
        events.join(",")
    );
    client.ask(&command);
    for n in 0..1000 {
        assert_eq!(watcher.line(), number(n));
    }
}
