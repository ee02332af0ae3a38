//! The example `service` as its users run it: a process that a signal ends, with everything undone.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

#[path = "../../tests/common/example.rs"]
mod example;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

#[test]
fn a_signal_ends_it_with_everything_undone() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2)] {
        let mut child = Command::new(example())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut until = |end: &str| -> Vec<String> {
            let mut seen = Vec::new();
            for line in lines.by_ref().map(Result::unwrap) {
                let last = line.starts_with(end);
                seen.push(line);
                if last {
                    break;
                }
            }
            seen
        };
        let began = until("over the socket: unknown");
        assert_eq!(
            began[..3],
            ["init_host", "pre_start_hook", "post_start_hook"]
        );
        let calls: Vec<_> = began
            .into_iter()
            .skip(3)
            .filter(|line| {
                line.contains(": ") && !line.contains("member") && !line.contains("capab")
            })
            .collect();
        assert_eq!(
            calls,
            [
                "add: 100",
                "subtract: no such method: subtract",
                r#"ping: {"service":"counter","arg":"hello"}"#,
                "over the socket: add: 1100",
                "over the socket: unknown command: subtract"
            ]
        );
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut ended = until("no line begins so");
        ended.retain(|line| !line.starts_with("count "));
        assert_eq!(
            ended[..2],
            [format!("signal {number}"), "cleanup_host".into()]
        );
        assert_eq!(ended.last().unwrap(), "records left: 0");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn it_ends_by_itself_after_so_many_seconds() {
    let output = Command::new(example())
        .args(["--seconds", "0"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the time is over\ncleanup_host\n"), "{text}");
}

/// The example, built once.
fn example() -> &'static PathBuf {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| example::built("service"))
}
