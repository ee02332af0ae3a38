//! The daemon in a network namespace of its own, whose interfaces it tells of.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used, missing_docs)]

#[path = "common/daemon.rs"]
mod daemon;
#[path = "common/namespace.rs"]
mod namespace;

use daemon::{Client, Daemon, told};
use libc::SIGTERM;
use namespace::Namespace;
use std::ffi::CStr;
use std::fs;

/// How the change of an interface is told.
fn netif(action: &str, name: &str, more: &str) -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = host.trim_end();
    let opts =
        format!(r#"{{"pool":"host","id":"{host}","action":"{action}","name":"{name}"{more}}}"#);
    told("ct_netif", &opts)
}

/// The index of an interface, in the namespace of this thread.
fn index(name: &CStr) -> u32 {
    // SAFETY: a string that ends in a zero, as it wants.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    assert_ne!(index, 0, "{name:?} is not there");
    index
}

fn expect(client: &mut Client, lines: &[String]) {
    for line in lines {
        assert_eq!(client.line(), *line);
    }
}

#[test]
fn interfaces_that_come_change_and_go_are_told_of_as_they_do() {
    // This thread's, which the daemon inherits.
    let namespace = Namespace::new();
    let mut daemon = Daemon::start(&[]);
    let mut client = daemon.client();
    client.subscribe(r#"{"type":"ct_netif","opts":{"name":["va","vb","vc"]}}"#);

    namespace.add_veth("va", "vb");
    let mut added = [client.line(), client.line()];
    added.sort();
    assert_eq!(added, ["va", "vb"].map(|name| netif("add", name, "")));

    let va = index(c"va");
    namespace.up(va, true);
    namespace.up(va, false);
    namespace.rename(va, "vc");
    expect(
        &mut client,
        &[
            netif("up", "va", r#","veth":"vb""#),
            netif("down", "va", ""),
            netif("rename", "va", r#","new_name":"vc""#),
        ],
    );
    namespace.delete("vc");
    let mut removed = [client.line(), client.line()];
    removed.sort();
    assert_eq!(removed, ["vb", "vc"].map(|name| netif("remove", name, "")));

    // One that is no end of a pair goes up without one.
    let mut client = daemon.client();
    client.subscribe(r#"{"type":["ct_netif"],"opts":{"action":["up"]}}"#);
    namespace.up(index(c"lo"), true);
    assert_eq!(client.line(), netif("up", "lo", ""));
    daemon.end(SIGTERM);
}
