//! The example `monitor` against a server of the test's own.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "../examples/monitor/backoff.rs"]
mod backoff;
#[path = "../../tests/common/example.rs"]
mod example;
#[path = "monitor/process.rs"]
mod process;
#[path = "monitor/server.rs"]
mod server;

use backoff::Backoff;
use process::Monitor;
use ringbus_host::MAX_LINE;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use serde_json::{Value, json};
use server::Server;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::Stdio;
use std::time::Duration;

fn line(out: &mut BufReader<impl Read>) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

#[test]
fn events_are_lines_of_json_and_the_filter_is_as_asked() {
    let server = Server::new();
    for (arguments, filter) in [
        (&[][..], json!({})),
        (&["--type", "state"], json!({"type": "state"})),
        (
            &["--json", "--type", "a", "--type", "b"],
            json!({"type": ["a", "b"]}),
        ),
        (
            &[
                "--match",
                "id=7",
                "--match",
                "pool=tank",
                "--match",
                "x=a=b",
                "--match",
                "y=\"7\"",
            ],
            json!({"opts": {"id": 7, "pool": "tank", "x": "a=b", "y": "7"}}),
        ),
        (
            &[
                "--match",
                "s=run",
                "--match",
                "s=[\"done\",1]",
                "--match",
                "s=null",
                "--match",
                "e=",
            ],
            json!({"opts": {"s": ["run", "done", 1, null], "e": ""}}),
        ),
    ] {
        let (monitor, mut out) = Monitor::start(&server, arguments);
        let (client, command) = server.asked();
        assert_eq!(Value::Object(command.opts), filter);
        client.say(&json!({"status": true, "response": "subscribed"}));
        for number in 0..3 {
            let event = client.event(number);
            assert_eq!(line(&mut out), event);
        }
        assert_eq!(monitor.end_by(Signal::TERM), [""; 0]);
    }
}

#[test]
fn a_refused_filter_ends_it() {
    let server = Server::new();
    let (monitor, mut out) = Monitor::start(&server, &["--type", "x"]);
    let (client, _) = server.asked();
    client.say(&json!({"status": false, "message": "no such\u{1b} type: x"}));
    let (status, said) = monitor.end();
    assert_eq!(status.code(), Some(1));
    assert_eq!(
        said,
        ["monitor: the server refused the filter: no such\\u001b type: x"]
    );
    assert_eq!(out.read_to_string(&mut String::new()).unwrap(), 0);
}

#[test]
fn bad_arguments_end_it_before_it_connects() {
    let server = Server::new();
    for argument in ["no equals sign", "=value"] {
        let (monitor, _out) = Monitor::start(&server, &["--match", argument]);
        let (status, said) = monitor.end();
        assert_eq!(status.code(), Some(2));
        assert!(said[0].contains(argument), "{said:?}");
    }
    let listener = server.listener.as_ref().unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_server_that_comes_back_is_subscribed_to_again() {
    let mut server = Server::new();
    let (monitor, mut out) = Monitor::start(&server, &[]);
    let client = server.subscribed();
    assert_eq!(client.event(1), line(&mut out));
    server.close();
    client.stream().write_all(b"{\"status\": tr").unwrap();
    drop(client);
    // It finds no socket, and says so, before there is one again.
    let mut monitor = monitor;
    let mut errors = BufReader::new(monitor.0.stderr.take().unwrap());
    let mut next = || {
        let mut said = String::new();
        errors.read_line(&mut said).unwrap();
        said
    };
    assert_eq!(
        next(),
        "monitor: the server closed the connection in mid-line; trying again\n"
    );
    let missing = next();
    assert!(missing.contains("No such file or directory"), "{missing}");
    assert!(missing.ends_with("; trying again\n"), "{missing}");
    server.open();
    let client = server.subscribed();
    let again = next();
    let times: Vec<jiff::Timestamp> = again
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(again.ends_with(" may have been missed\n"), "{again}");
    assert!(times.len() == 2 && times[0] < times[1], "{again}");
    assert_eq!(client.event(2), line(&mut out));
    monitor.signal(Signal::INT);
    assert_eq!(monitor.0.wait().unwrap().code(), Some(0));
    assert_eq!(next(), "");
}

#[test]
fn a_dropped_subscription_is_told_and_taken_up_again() {
    let server = Server::new();
    let (monitor, mut out) = Monitor::start(&server, &["--type", "state"]);
    let client = server.subscribed();
    assert_eq!(client.event(1), line(&mut out));
    client.say(&json!({"status": false, "message": "dropped: lapped, 897 behind"}));
    drop(client);
    let (client, command) = server.asked();
    assert_eq!(command.opts["type"], "state");
    client.say(&json!({"status": true, "response": "subscribed"}));
    assert_eq!(client.event(2), line(&mut out));
    let said = monitor.end_by(Signal::TERM);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        "monitor: dropped: lapped, 897 behind; trying again"
    );
    assert!(
        said[1].starts_with("monitor: subscribed again: events between "),
        "{said:?}"
    );
}

#[test]
fn a_server_that_cannot_serve_yet_is_tried_again_and_told_of_once() {
    let server = Server::new();
    let (monitor, mut out) = Monitor::start(&server, &[]);
    for _ in 0..3 {
        let client = server.accept();
        client.say(&json!({"status": false, "message": "too many connections"}));
    }
    // A filter that was accepted once is not to blame for a refusal.
    drop(server.subscribed());
    let (client, _) = server.asked();
    client.say(&json!({"status": false, "message": "stopping"}));
    let client = server.subscribed();
    assert_eq!(client.event(1), line(&mut out));
    let said = monitor.end_by(Signal::TERM);
    assert_eq!(
        said[..3],
        [
            "monitor: too many connections; trying again",
            "monitor: the server closed the connection; trying again",
            "monitor: refused: stopping; trying again",
        ]
    );
    assert_eq!(said.len(), 4, "{said:?}");
}

#[test]
fn nonsense_ends_the_connection_and_not_the_monitor() {
    let server = Server::new();
    let (monitor, mut out) = Monitor::start(&server, &[]);
    let mut expected = Vec::new();
    let long = vec![b'x'; MAX_LINE];
    for (nonsense, says) in [
        (
            &b"\xff\n"[..],
            "the server talks nonsense: bad UTF-8 at byte 0",
        ),
        (
            b"[]\n",
            "the server talks nonsense: an object is expected, not an array",
        ),
        (b"{\"version\": \"1\"}\n", "the server greets twice"),
        (&long, "the server sends lines of over 1048576 bytes"),
    ] {
        let client = server.subscribed();
        // It may hang up before it has read all.
        let _ = client.stream().write_all(nonsense);
        expected.push(format!("monitor: {says}; trying again"));
        expected.push(String::new()); // subscribed again
    }
    let client = server.subscribed();
    assert_eq!(client.event(1), line(&mut out));
    let said = monitor.end_by(Signal::TERM);
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(&expected).step_by(2) {
        assert_eq!(said, expected);
    }
}

#[test]
fn a_signal_ends_it_while_it_waits_for_a_server() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::new();
        server.close();
        let (mut monitor, _out) = Monitor::start(&server, &[]);
        let mut errors = BufReader::new(monitor.0.stderr.take().unwrap());
        errors.read_line(&mut String::new()).unwrap(); // it is under way
        monitor.signal(signal);
        assert_eq!(monitor.0.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn it_ends_quietly_when_nobody_reads_its_output() {
    let server = Server::new();
    let (monitor, out) = Monitor::start(&server, &[]);
    let client = server.subscribed();
    drop(out);
    client.event(1);
    let (status, said) = monitor.end();
    assert_eq!((status.code(), said), (Some(0), Vec::new()));
}

/// What it prints on a terminal of one event, with these arguments.
fn on_terminal(arguments: &[&str], no_color: bool) -> String {
    let server = Server::new();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut command = Monitor::command(&server, arguments);
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let child = command.stdout(Stdio::from(theirs)).spawn().unwrap();
    drop(command); // and its end of the terminal
    let monitor = Monitor(child);
    let client = server.subscribed();
    let opts =
        json!({"id": "101", "bad": "\u{1b}[2J\u{9b}2J", "deep": {"a": 1}, "text": "two words"});
    client.say(&json!({"status": true, "response": {"type": "state", "opts": opts}}));
    let mut line = String::new();
    BufReader::new(File::from(ours))
        .read_line(&mut line)
        .unwrap();
    assert_eq!(monitor.end_by(Signal::TERM), [""; 0]);
    line
}

#[test]
fn on_a_terminal_events_are_coloured_and_harmless() {
    let line = on_terminal(&[], false);
    assert!(
        line.contains("\u{1b}[1m\u{1b}[36mstate\u{1b}[0m "),
        "{line:?}"
    );
    assert!(line.contains("\u{1b}[2mid=\u{1b}[0m101 "), "{line:?}");
    assert!(line.contains("\\u001b[2J\\u009b2J"), "{line:?}");

    let line = on_terminal(&[], true);
    let (time, rest) = line.split_once(' ').unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line:?}");
    assert_eq!(
        rest.trim_end(),
        "state id=101 bad=\\u001b[2J\\u009b2J deep={\"a\":1} text=\"two words\""
    );

    let line = on_terminal(&["--json"], false);
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["opts"]["text"], "two words");
}

#[test]
fn delays_double_up_to_five_seconds_with_jitter() {
    let mut seen = Vec::new();
    for _ in 0..50 {
        let mut backoff = Backoff::new();
        let mut longest = 100;
        for step in 0..10 {
            let delay = backoff.next_delay();
            let most = Duration::from_millis(longest);
            assert!(most / 2 <= delay && delay <= most, "step {step}: {delay:?}");
            longest = (longest * 2).min(5000);
            seen.push(delay);
            backoff.lasted(Duration::from_millis(4999)); // too short to count
        }
        backoff.lasted(Duration::from_secs(5));
        assert!(backoff.next_delay() <= Duration::from_millis(100));
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 100, "no jitter");
}
