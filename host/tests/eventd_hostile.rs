//! Lines that should not be: the daemon says what is wrong with them, and goes on.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;

use daemon::{Client, Daemon, NULL, PONG, broadcast, failure, told};
use libc::SIGTERM;

const MIB: usize = 1 << 20;

/// A failure, and the connection goes on.
fn fails(client: &mut Client, line: &[u8], says: &str) {
    client.send_bytes(line);
    client.send_bytes(b"\n");
    let reply = client.line();
    let shown = String::from_utf8_lossy(&line[..line.len().min(80)]);
    assert!(
        reply.starts_with(r#"{"status":false,"message":"#),
        "{shown}: {reply}"
    );
    assert!(reply.contains(says), "{shown}: {reply}");
    assert_eq!(client.ask(r#"{"cmd":"ping"}"#), PONG, "{shown}");
}

#[test]
fn what_makes_no_sense_is_an_error_and_the_connection_goes_on() {
    let mut daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    let deep = |deep: usize| "[".repeat(deep) + &"]".repeat(deep);
    let nested = format!(r#"{{"cmd":"ping","opts":{}}}"#, deep(100_000));
    let long = "x".repeat(500_000);
    let unknown = format!(r#"{{"cmd":"{long}"}}"#);
    for (line, says) in [
        (&b"nonsense"[..], "bad JSON at line 1, column 2"),
        (b"\0", "bad JSON at line 1, column 1"),
        (
            b"{\"cmd\":\"pi\0ng\"}",
            "bad JSON at line 1, column 11: control character",
        ),
        (b"{\"cmd\":\"\xc3\x28\"}", "bad UTF-8 at byte 8"),
        (b"\xff\xfe", "bad UTF-8 at byte 0"),
        (b"[]", "an object is expected, not an array"),
        (b"{}", "`cmd` is missing"),
        (b"{\"cmd\":7}", "`cmd` must be a string, not a number"),
        (
            b"{\"cmd\":\"ping\",\"cmd\":\"ping\"}",
            "`cmd` is there twice",
        ),
        (b"{\"cmd\":\"\"}", "unknown command: \""),
        (b"{\"cmd\":\"PING\"}", "unknown command: PING"),
        (b"{\"cmd\":\"\\u0000\"}", "unknown command: \\u0000"),
        (b"{\"cmd\":\"init_host\"}", "unknown command: init_host"),
        (b"{\"cmd\":\"ping\",\"version\":\"1e9\"}", "ping: "),
        (
            b"{\"cmd\":\"ping\",\"version\":\"99999999999.0\"}",
            "ping: ",
        ),
        (
            b"{\"cmd\":\"event_subscribe\",\"opts\":{\"type\":[[]]}}",
            "`type` of the filter",
        ),
        (
            b"{\"cmd\":\"event_broadcast\",\"opts\":{\"events\":[[]]}}",
            "events[0]: ",
        ),
        (nested.as_bytes(), "recursion limit exceeded"),
        (unknown.as_bytes(), "unknown command: xxx"),
    ] {
        fails(&mut client, line, says);
    }
    daemon.end(SIGTERM);
}

#[test]
fn numbers_out_of_any_range_and_deep_events_come_back_as_they_came() {
    let mut daemon = Daemon::start(&[]);
    let (mut client, mut watcher) = (daemon.client(), daemon.client());
    watcher.subscribe(r#"{"type":["odd","ct_init_pid"]}"#);
    let nines = "9".repeat(10_000);
    let deep = "[".repeat(120) + &"]".repeat(120);
    for opts in [
        r#"{"n":1e999999999999999999999}"#,
        r#"{"n":-1E-999999999999999999999}"#,
        &format!(r#"{{"n":{nines}}}"#),
        &format!(r#"{{"n":0.{nines}}}"#),
        &format!(r#"{{"n":{deep}}}"#),
        r#""no object at all""#,
        "null",
    ] {
        client.broadcast("odd", opts);
        assert_eq!(watcher.line(), told("odd", opts));
    }
    // A known type with a number that does not fit it.
    let opts = r#"{"pool":"tank","id":"web","init_pid":4294967296}"#;
    client.broadcast("ct_init_pid", opts);
    assert_eq!(watcher.line(), told("ct_init_pid", opts));
    // And a filter that looks for such numbers.
    let command =
        format!(r#"{{"cmd":"event_subscribe","opts":{{"opts":{{"n":[1e99999,{nines}]}}}}}}"#);
    assert_eq!(watcher.ask(&command), daemon::SUBSCRIBED);
    daemon.end(SIGTERM);
}

#[test]
fn a_line_may_have_a_mebibyte_and_no_more() {
    let mut daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    let mut line = br#"{"cmd":"ping"}"#.to_vec();
    line.resize(MIB - 1, b' ');
    line.push(b'\n');
    client.send_bytes(&line);
    assert_eq!(client.line(), PONG);

    line.insert(MIB - 1, b' ');
    client.send_bytes(&line);
    let says = failure("the line is too long: at most 1048576 bytes");
    assert_eq!(client.rest(), [says.as_str()]);
    // Without any end of the line, and far more of it than is read.
    let mut client = daemon.client();
    client.send_bytes(&vec![b'x'; 5 * MIB]);
    assert_eq!(client.rest(), [says]);
    assert_eq!(daemon.client().ask(r#"{"cmd":"ping"}"#), PONG);
    daemon.end(SIGTERM);
}

#[test]
fn an_event_of_a_mebibyte_reaches_every_subscriber_whole() {
    let mut daemon = Daemon::start(&[]);
    let (mut client, mut watcher) = (daemon.client(), daemon.client());
    watcher.subscribe(r#"{"type":"big"}"#);
    let opts = format!(r#"{{"text":"{}"}}"#, "x".repeat(MIB - 200));
    client.send(&broadcast("big", &opts));
    assert_eq!(watcher.line(), told("big", &opts));
    assert_eq!(client.line(), NULL);
    daemon.end(SIGTERM);
}

#[test]
fn half_a_line_for_ever_costs_nothing_and_holds_up_no_end() {
    let mut daemon = Daemon::start(&[]);
    let mut halves: Vec<_> = (0..20).map(|_| daemon.client()).collect();
    for half in &mut halves {
        half.send_bytes(br#"{"cmd":"ping","opts":{"#);
    }
    assert_eq!(daemon.client().ask(r#"{"cmd":"ping"}"#), PONG);
    daemon.end(SIGTERM);
    for half in &mut halves {
        assert_eq!(half.rest(), Vec::<String>::new());
    }
}

#[test]
fn noise_takes_nothing_down() {
    const LINES: usize = 2000;
    let mut daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    let mut random = fastrand::Rng::with_seed(7);
    let good =
        br#"{"cmd":"event_broadcast","opts":{"events":[{"type":"x","opts":{"n":[1,2.5]}}]}}"#;
    for _ in 0..LINES {
        let mut line = good.to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..line.len());
            match random.u8(0..3) {
                0 => line[at] = random.u8(..),
                1 => line.truncate(at.max(1)),
                _ => line.insert(at, random.u8(..)),
            }
        }
        // One line, and not an empty one.
        line.retain(|byte| !b"\r\n".contains(byte));
        line.insert(0, b' ');
        line.push(b'\n');
        client.send_bytes(&line);
        let reply = client.json();
        assert!(reply["status"].is_boolean(), "{reply}");
    }
    assert_eq!(client.ask(r#"{"cmd":"ping"}"#), PONG);
    daemon.end(SIGTERM);
}

#[test]
fn what_serde_json_keeps_for_itself_reaches_nobody() {
    let mut daemon = Daemon::start(&[]);
    let mut watcher = daemon.client();
    watcher.subscribe(r#"{"type":"n"}"#);
    let mut client = daemon.client();
    // Text in text, each as deep as may be: read anew, it would be deeper than any stack.
    let mut deep = "0".to_owned();
    for _ in 0..4 {
        let nested = format!("{}{deep}{}", "[".repeat(100), "]".repeat(100));
        let text = serde_json::to_string(&nested).unwrap();
        deep = format!(r#"{{"$serde_json::private::RawValue":{text}}}"#);
    }
    let escaped = deep.replacen('$', "\\u0024", 1);
    for opts in [&deep, &escaped] {
        let reply = client.ask(&daemon::broadcast("n", opts));
        assert!(reply.contains("reserved string at byte"), "{reply}");
    }
    assert_eq!(client.ask(r#"{"cmd":"ping"}"#), PONG);
    let end = daemon::broadcast("n", r#"{"n":1}"#);
    client.ask(&end);
    assert_eq!(watcher.line(), daemon::told("n", r#"{"n":1}"#));
    daemon.end(SIGTERM);
}

#[test]
fn a_long_command_is_reported_by_its_length() {
    let mut daemon = Daemon::start(&[]);
    let mut watcher = daemon.client();
    watcher.subscribe(r#"{"type":"management"}"#);
    let mut client = daemon.client();
    let zeros = vec!["0"; 40_000].join(",");
    let command = format!(r#"{{"cmd":"ping","opts":{{"a":[{zeros}]}}}}"#);
    assert_eq!(client.ask(&command), PONG);
    for _ in 0..2 {
        let event = &watcher.json()["response"];
        let said = format!("[{} bytes]", command.len());
        assert_eq!(event["opts"]["opts"], said.as_str());
    }
    let filter = format!(r#"{{"cmd":"event_subscribe","opts":{{"opts":{{"a":[{zeros}]}}}}}}"#);
    let reply = client.ask(&filter);
    assert!(reply.contains("the filter is too long"), "{reply}");
    daemon.end(SIGTERM);
}
